#!/bin/sh
# PFM, read by OpenCV 5.0.0, PyAV 18.1.0 (FFmpeg 8.1) and Pillow 13.0.0: two divide its numbers by the scale in the header.
#
# The third line of a PFM is a scale, whose sign is the order of bytes. Its amount is a unit of the numbers, and does not
# change them: stereo benchmarks (Middlebury) say to ignore it, and their example code writes 1/255 or one over the greatest
# disparity. OpenCV's imread and FFmpeg divide by it, without a word in their documentation: disparities of 0 to 100 pixels
# come as 0 to 25,500. Pillow gives what is stored. With a scale of 1, which most writers use, all agree.
#
# Output seen (2026-11-30, opencv-python-headless 5.0.0.93, PyAV 18.1.0, Pillow 13.0.0), a stored 100 with three scales:
#   -1.0:      OpenCV   100  PyAV   100  Pillow 100
#   -0.003922: OpenCV 25497  PyAV 25497  Pillow 100
#   -2.0:      OpenCV    50  PyAV    50  Pillow 100
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q opencv-python-headless==5.0.0.93 av==18.1.0 pillow==13.0.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import cv2
import numpy as np
from PIL import Image

STORED = 100
found = {}
for scale in ("-1.0", "-0.003922", "-2.0"):
    with open("depth.pfm", "wb") as file:
        file.write(f"Pf\n64 48\n{scale}\n".encode() + np.full((48, 64), STORED, "<f4").tobytes())
    with av.open("depth.pfm") as container:
        frame = next(container.decode(video=0))
    pictures = cv2.imread("depth.pfm", cv2.IMREAD_UNCHANGED), frame.to_ndarray(), np.asarray(Image.open("depth.pfm"))
    found[scale] = [round(float(picture.mean())) for picture in pictures]
    print(f"{scale + ':':10s} OpenCV {found[scale][0]:5d}  PyAV {found[scale][1]:5d}  Pillow {found[scale][2]}")
divided = {scale: round(STORED / abs(float(scale))) for scale in found}
sys.exit(0 if found == {scale: [value, value, STORED] for scale, value in divided.items()} else 1)
PY
