#!/bin/sh
# OpenCV 5.0.0: cvtColor(COLOR_RGB2YUV_I420) takes each chroma sample from one pixel of four, and drops the other three.
#
# 4:2:0 is made of a mean of the pixels that share a sample; swscale, which fills the same planes for an encoder, does so.
# OpenCV takes the chroma of the top left pixel of each block of 2 x 2. So thin lines get the colour of every second pixel:
# columns of one pixel, red and blue in turn, become red alone, or blue alone when the picture is shifted by a pixel.
# COLOR_RGB2YUV_YV12 does the same.
#
# Output seen (2026-11-29, opencv-python-headless 5.0.0.93, PyAV 18.1.0): the mean Cb, Cr of the planes (full RGB to limited YCbCr)
#   red first:  OpenCV  90 240   swscale 165 175   definition 165 175
#   blue first: OpenCV 240 110   swscale 165 175   definition 165 175
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PY'
import sys

import av
import cv2
import numpy as np

RED, BLUE, SIDE = (255, 0, 0), (0, 0, 255), 64
CODES = cv2.COLOR_RGB2YUV_I420, cv2.COLOR_RGB2YUV_YV12


def definition(picture):
    """BT.601, limited range, of the mean colour, which is that of every block of 2 x 2."""
    red, green, blue = picture.mean((0, 1)) / 255
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return 128 + 224 * (blue - luma) / 1.772, 128 + 224 * (red - luma) / 1.402


def by_opencv(picture, code):
    area = SIDE * SIDE
    planes = cv2.cvtColor(picture, code).ravel()
    first, second = planes[area : area * 5 // 4].mean(), planes[area * 5 // 4 :].mean()
    return (first, second) if code == CODES[0] else (second, first)


def by_swscale(picture):
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
    stored = (np.frombuffer(plane, np.uint8).reshape(SIDE // 2, -1)[:, : SIDE // 2] for plane in frame.planes[1:])
    return tuple(float(plane[:, 4:-4].mean()) for plane in stored)


holds = True
for name, pair in (("red first", (RED, BLUE)), ("blue first", (BLUE, RED))):
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    picture[:, ::2], picture[:, 1::2] = pair
    wanted, swscale = definition(picture), by_swscale(picture)
    opencv = [by_opencv(picture, code) for code in CODES]
    shown = ("OpenCV", opencv[0]), (" swscale", swscale), (" definition", wanted)
    print(f"{name + ':':11s}", " ".join(f"{words} {cb:3.0f} {cr:3.0f}" for words, (cb, cr) in shown))
    holds &= max(abs(a - b) for a, b in zip(swscale, wanted)) < 2
    holds &= all(min(abs(a - b) for a, b in zip(each, wanted)) > 50 for each in opencv)
sys.exit(0 if holds else 1)
PY
