#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): RGB converted to full-range 4:2:0 by VideoReformatter has chroma half a level too low.
#
# 4,096 flat colours are converted with accurate_rnd and full chroma. In limited range the planes have the mean of the
# definition (BT.709), and so has luma in full range. Chroma in full range is rounded down, not to the nearest: half a
# level too low in the mean, toward green, which a picture that is converted again and again adds up.
#
# Output seen (2026-11-29, PyAV 18.1.0), the mean of the planes minus the definition, in levels:
#   limited: Y 0.00  Cb 0.02  Cr 0.00
#   full:    Y -0.01  Cb -0.50  Cr -0.51
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
from av.video.reformatter import Interpolation, VideoReformatter

FLAGS = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
RED, BLUE, SIDE, BLOCK = 0.2126, 0.0722, 64, 16

# Between 40 and 215 no plane is cut off. Only the middle of a block counts, where no filter reaches its neighbours.
colours = np.random.default_rng(1).integers(40, 216, (SIDE, SIDE, 3), dtype=np.uint8)
frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(colours.repeat(BLOCK, 0).repeat(BLOCK, 1)), "rgb24")
red, green, blue = np.moveaxis(colours / 255, 2, 0)
luma = RED * red + (1 - RED - BLUE) * green + BLUE * blue
differences = luma, (blue - luma) / (2 - 2 * BLUE), (red - luma) / (2 - 2 * RED)
errors = {}
for name, number, scales, zeros in (("limited", 1, (219, 224, 224), (16, 128, 128)), ("full", 2, (255,) * 3, (0, 128, 128))):
    planes = VideoReformatter().reformat(
        frame, format="yuv420p", src_colorspace=1, dst_colorspace=1, src_color_range=2, dst_color_range=number,
        interpolation=int(FLAGS),
    ).planes
    errors[name] = []
    for plane, values, scale, zero in zip(planes, differences, scales, zeros):
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
        step = plane.height // SIDE
        made = stored[step // 2 :: step, step // 2 :: step]
        errors[name].append(float((made - (values * scale + zero)).mean()))
    print(f"{name + ':':8s}", "  ".join(f"{each} {error:.2f}" for each, error in zip(("Y", "Cb", "Cr"), errors[name])))
holds = all(abs(error) < 0.1 for error in (*errors["limited"], errors["full"][0]))
sys.exit(0 if holds and all(-0.7 < error < -0.3 for error in errors["full"][1:]) else 1)
PY
