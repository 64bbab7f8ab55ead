#!/bin/sh
# opencv-python 5.0.0: PGM and PPM pictures of 10, 12 or any other number of levels are read without the scale in their header.
#
# The header of a PNM says which number is white. Video tools and cameras write 1023 or 4095 for 10 and 12 bits. OpenCV returns
# the numbers as they are, as uint8 or uint16, and gives no access to the header: mid-grey of 10 bits is 511 of 65,535,
# nearly black, and cannot be told from a dark picture of 16 bits; a mask with the levels 0 and 1 comes as 0 and 1. FFmpeg
# and Pillow scale to 8 or 16 bits (Pillow makes 8 bits of RGB). The documentation of imread names the formats only.
#
# Output seen (2026-11-30, opencv-python-headless 5.0.0.93, PyAV 18.1.0, Pillow 13.0.0), a grey PGM of half the levels:
#   white is    15: OpenCV     7 of   255   PyAV   119 of   255   Pillow   119
#   white is   255: OpenCV   127 of   255   PyAV   127 of   255   Pillow   127
#   white is  1023: OpenCV   511 of 65535   PyAV 32735 of 65535   Pillow 32735
#   white is  4095: OpenCV  2047 of 65535   PyAV 32759 of 65535   Pillow 32759
#   white is 65535: OpenCV 32767 of 65535   PyAV 32767 of 65535   Pillow 32767
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

found = {}
for white in (15, 255, 1023, 4095, 65535):
    with open("a.pgm", "wb") as file:
        file.write(f"P5\n64 48\n{white}\n".encode() + np.full((48, 64), white // 2, ">u2" if white > 255 else "u1").tobytes())
    with av.open("a.pgm") as container:
        decoded = next(container.decode(video=0)).to_ndarray()
    read, opened = cv2.imread("a.pgm", cv2.IMREAD_UNCHANGED), np.asarray(Image.open("a.pgm"))
    found[white] = [int(each.flat[0]) for each in (read, decoded, opened)]
    most = [np.iinfo(each.dtype).max for each in (read, decoded)]
    print(
        f"white is {white:5d}: OpenCV {found[white][0]:5d} of {most[0]:5d}   PyAV {found[white][1]:5d} of {most[1]:5d}",
        f"  Pillow {found[white][2]:5d}",
    )
as_stored = all(read == white // 2 for white, (read, _, _) in found.items())
scaled = found[1023][1:] == [32735, 32735] and found[15][1:] == [119, 119]
sys.exit(0 if as_stored and scaled else 1)
PY
