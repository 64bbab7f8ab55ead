#!/bin/sh
# PyAV 18.1.0 (SVT-AV1 4.1.0): from preset 8 on, pictures of 10 bits that get lighter come out wrong at low CRFs.
#
# Eight smooth pictures, each 20 of 1,023 levels lighter than the one before. Presets 6 and 7 keep them within a level in
# the mean. Presets 8 and 10 are off by 13 levels at CRF 1 and right at CRF 22: who asks for more quality gets less.
# Pictures that do not change are right with all presets. Preset 10 is also off with 8 bits, at CRF 10.
# SVT-AV1 1.4.1 (Debian 12's ffmpeg) has no such error.
#
# Output seen (2026-11-29, PyAV 18.1.0), mean error of luma of the worst picture, in levels of the depth; still pictures
# have at most 0.3:
#   10 bits, lighter, preset 6: CRF 1: 0.0, CRF 10: 0.2, CRF 22: 0.4
#   10 bits, lighter, preset 7: CRF 1: 0.0, CRF 10: 0.2, CRF 22: 0.6
#   10 bits, lighter, preset 8: CRF 1: 13.0, CRF 10: 2.9, CRF 22: 0.5
#   10 bits, lighter, preset 10: CRF 1: 13.0, CRF 10: 26.7, CRF 22: 0.6
#   8 bits, lighter, preset 8: CRF 1: 0.0, CRF 10: 0.4, CRF 22: 0.4
#   8 bits, lighter, preset 10: CRF 1: 0.0, CRF 10: 6.7, CRF 22: 0.4
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.3.5
cd "$folder"
SVT_LOG=1 "$folder/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np

WIDTH, HEIGHT, COUNT = 96, 64, 8
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
SMOOTH = 250 + 300 * x / WIDTH + 150 * y / HEIGHT


def levels(number, bits, step):
    return np.rint((SMOOTH + step * number) * 2.0 ** (bits - 10)).astype(np.uint16 if bits > 8 else np.uint8)


def frame_of(luma, bits):
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p10le" if bits > 8 else "yuv420p")
    for plane, values in zip(frame.planes, (luma, *[np.full((HEIGHT // 2, WIDTH // 2), 2 ** (bits - 1))] * 2)):
        view = np.frombuffer(memoryview(plane), luma.dtype).reshape(plane.height, -1)
        view[:, : plane.width] = values
    return frame


def error(bits, preset, crf, step=20):
    coder = av.CodecContext.create("libsvtav1", "w")
    coder.width, coder.height, coder.pix_fmt = WIDTH, HEIGHT, "yuv420p10le" if bits > 8 else "yuv420p"
    coder.time_base, coder.framerate = Fraction(1, 25), Fraction(25)
    coder.options = {"preset": str(preset), "crf": str(crf)}
    packets = []
    for number in range(COUNT):
        frame = frame_of(levels(number, bits, step), bits)
        frame.pts = number
        packets += coder.encode(frame)
    packets += coder.encode(None)
    reader = av.CodecContext.create("libdav1d", "r")
    frames = [each for packet in [*packets, None] for each in reader.decode(packet and av.Packet(bytes(packet)))]
    off = []
    for number, frame in enumerate(frames):
        wanted = levels(number, bits, step)
        view = np.frombuffer(memoryview(frame.planes[0]), wanted.dtype).reshape(HEIGHT, -1)[:, :WIDTH]
        off.append(np.abs(view.astype(float) - wanted).mean())
    return max(off)


found = {}
for bits, step in ((10, 20), (10, 0), (8, 20)):
    for preset in (6, 7, 8, 10):
        found[bits, step, preset] = [error(bits, preset, crf, step) for crf in (1, 10, 22)]
        words = ", ".join(f"CRF {crf}: {off:.1f}" for crf, off in zip((1, 10, 22), found[bits, step, preset]))
        print(f"{bits} bits, {'lighter' if step else 'still'}, preset {preset}: {words}")
bad = min(found[10, 20, preset][0] for preset in (8, 10))
good = max(max(found[10, step, 6]) for step in (0, 20))
sys.exit(0 if bad > 8 and good < 2 else 1)
PY
