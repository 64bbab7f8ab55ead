#!/bin/sh
# MoviePy 2.2.1: write_videofile rounds the frame rate to hundredths: 24000/1001 becomes 23.98, and pictures drift from sound.
#
# The frames are rendered at the times of the exact rate (clip.fps of an NTSC film clip is 23.976), and written as if they
# came at 1199/50. Pictures play 0.017 per cent too fast beside a sound of the right length: 0.6 s in an hour, and a
# clip of 23.976 frames per second no longer lines up with its source. 30000/1001 becomes 29.97, which hardly matters: 4 ms.
#
# Output seen (2026-11-29, MoviePy 2.2.1, imageio-ffmpeg 0.6.0, PyAV 18.1.0):
#   24000/1001 frames per second: written as 1199/50, 0.5969 s too fast in an hour
#   30000/1001 frames per second: written as 2997/100, -0.0036 s too fast in an hour
#   25 frames per second: written as 25, 0.0000 s too fast in an hour
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q moviepy==2.2.1 imageio-ffmpeg==0.6.0 av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np
from moviepy import VideoClip

SECS = 20


def picture(secs):
    return np.full((48, 64, 3), int(10 * secs) % 256, np.uint8)


found = {}
for rate in (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25)):
    VideoClip(picture, duration=SECS).write_videofile("a.mp4", fps=float(rate), logger=None)
    with av.open("a.mp4") as container:
        written = container.streams.video[0].average_rate
    found[rate] = written
    drift = float(3600 * (1 - rate / written))
    print(f"{rate} frames per second: written as {written}, {drift:.4f} s too fast in an hour")
wanted = {Fraction(24000, 1001): Fraction(1199, 50), Fraction(30000, 1001): Fraction(2997, 100), Fraction(25): 25}
sys.exit(0 if found == wanted else 1)
PY
