#!/bin/sh
# PyAV 18.1.0: VideoFrame.from_numpy_buffer makes frames of yuv420p and nv12 two rows too short, with wrong chroma, where
# the height is even but no multiple of four.
#
# An array of such a frame has 3/2 as many rows as the picture. The function computes the height as rows // 6 * 4, so a
# picture of 486 rows (NTSC on tape) or 1082 becomes one of 484 or 1080. Worse, FFmpeg then looks for the chroma of
# yuv420p where the shorter picture would have it: two rows of luma are read as chroma, and everything after is shifted.
# Nothing is raised. from_ndarray, which copies, is right. Where memory is shared to save the copy (camera and GPU
# pipelines), check frame.height, or copy.
#
# Output seen (2026-11-30, PyAV 18.1.0), luma 100, blue chroma 50, red chroma 200:
#   720x480: from_numpy_buffer 480 rows, first chroma samples 50 200; from_ndarray 480 rows, 50 200
#   720x486: from_numpy_buffer 484 rows, first chroma samples 100 50; from_ndarray 486 rows, 50 200
#   1440x1082: from_numpy_buffer 1080 rows, first chroma samples 100 50; from_ndarray 1082 rows, 50 200
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np


def seen(frame):
    """The height, and the first sample of both chroma planes."""
    return frame.height, *(int(memoryview(plane)[0]) for plane in frame.planes[1:])


holds = True
for width, height in ((720, 480), (720, 486), (1440, 1082)):
    samples = width * height
    planes = np.repeat(np.uint8([100, 50, 200]), [samples, samples // 4, samples // 4]).reshape(-1, width)
    shared, copied = (seen(make(planes, "yuv420p")) for make in (av.VideoFrame.from_numpy_buffer, av.VideoFrame.from_ndarray))
    texts = [f"{name} {rows} rows" for name, (rows, *_) in (("from_numpy_buffer", shared), ("from_ndarray", copied))]
    print(f"{width}x{height}: {texts[0]}, first chroma samples {shared[1]} {shared[2]}; {texts[1]}, {copied[1]} {copied[2]}")
    expected = (height, 50, 200) if height % 4 == 0 else (height - 2, 100, 50)
    holds = holds and copied == (height, 50, 200) and shared == expected
sys.exit(0 if holds else 1)
PY
