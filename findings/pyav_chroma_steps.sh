#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8.1): to_ndarray(format="rgb24") of a 4:2:0 frame repeats each chroma sample on 2 x 2 pixels, also
# with interpolation="BICUBIC" or "LANCZOS".
#
# Nearly all readers of clips in Python end in this call. Its documentation says that the algorithm of scaling is BILINEAR by
# default; at the frame's own size it is that of no choice: swscale takes a fast path that repeats. Colours step in
# blocks at every edge, and whoever measures PSNR in RGB, or trains on such frames, has these errors in the truth.
# Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND beside the algorithm interpolates.
#
# Output seen (2026-11-30, PyAV 18.1.0), a wave of colours at constant luma, which went to 4:2:0 and back:
#   no choice:                blocks of 2 x 2 equal pixels: True   PSNR of RGB 28.3 dB
#   BICUBIC:                  blocks of 2 x 2 equal pixels: True   PSNR of RGB 28.3 dB
#   LANCZOS:                  blocks of 2 x 2 equal pixels: True   PSNR of RGB 28.3 dB
#   BICUBIC and full chroma:  blocks of 2 x 2 equal pixels: False  PSNR of RGB 46.2 dB
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np
from av.video.reformatter import Interpolation as I

FULL = I.FULL_CHR_H_INT | I.ACCURATE_RND


def wave():
    """A 4:2:0 frame of constant luma, whose chroma is the mean of each 2 x 2 pixels of a wave; and the wave."""
    y, x = np.mgrid[0:128, 0:192]
    fine = {"u": 128 + 60 * np.sin((x + y) / 5), "v": 128 + 60 * np.cos((x - y) / 5)}
    frame = av.VideoFrame(192, 128, "yuv420p")
    frame.colorspace, frame.color_range = 1, 1
    for plane, name in zip(frame.planes, "yuv"):
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        means = fine[name].reshape(64, 2, 96, 2).mean(axis=(1, 3)) if name != "y" else 126
        stored[:, : plane.width] = np.rint(means)
    u, v = fine["u"] - 128, fine["v"] - 128
    # BT.709, limited range.
    rgb = (126 - 16) * 255 / 219 + 255 / 224 * np.stack([1.5748 * v, -0.187324 * u - 0.468124 * v, 1.8556 * u], -1)
    return frame, rgb


frame, truth = wave()
seen = (truth >= 0) & (truth <= 255)
levels = {}
for name, choice in (
    ("no choice", None), ("BICUBIC", I.BICUBIC), ("LANCZOS", I.LANCZOS), ("BICUBIC and full chroma", I.BICUBIC | FULL)
):
    rgb = frame.to_ndarray(format="rgb24", interpolation=choice).astype(float)
    blocks = rgb.reshape(64, 2, 96, 2, 3)
    steps = bool((blocks == blocks[:, :1, :, :1]).all())
    psnr = 10 * np.log10(255**2 / np.mean((rgb - truth)[seen] ** 2))
    levels[name] = steps, psnr
    print(f"{name + ':':25s} blocks of 2 x 2 equal pixels: {str(steps):5s}  PSNR of RGB {psnr:.1f} dB")
*plain, full = levels.values()
sys.exit(0 if all(steps for steps, _ in plain) and not full[0] and full[1] > max(psnr for _, psnr in plain) + 3 else 1)
PY
