#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): an OpenEXR whose display window does not begin at (0, 0) is decoded to another part of it, or to black.
#
# The display window is the frame of a shot, the data window the pixels that the file holds, both in one plane. Crops that
# keep their place in the whole picture have windows such as (100, 50) to (163, 97). FFmpeg takes the corner of the display
# window for (0, 0), as if only the data window could be elsewhere: a crop comes out black, a shifted frame with the wrong
# pixels. Nothing is logged, and the frame is not marked as corrupt. OpenEXR's own reader gives the pixels.
#
# Output seen (2026-11-30, PyAV 18.1.0, OpenEXR 3.5.3), share of pixels that are right:
#   display (0, 0), data (0, 0):       1.00
#   display (0, 0), data (-8, -8):     1.00
#   display (8, 8), data (0, 0):       0.00
#   display (100, 50), data (100, 50): 0.00 (all black)
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 OpenEXR==3.5.3 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
import OpenEXR

HEIGHT, WIDTH = 48, 64
stored = np.random.default_rng(0).uniform(0.1, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)


def window(corner, size):
    first = np.array(corner, np.int32)
    return first, first + np.array(size, np.int32) - 1


found = []
for display, data, size in (
    ((0, 0), (0, 0), (64, 48)), ((0, 0), (-8, -8), (32, 24)), ((8, 8), (0, 0), (32, 24)), ((100, 50), (100, 50), (64, 48)),
):
    header = {
        "compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage,
        "displayWindow": window(display, size), "dataWindow": window(data, (WIDTH, HEIGHT)),
    }  # fmt: skip
    with OpenEXR.File(header, {"RGB": stored}) as file:
        file.write("a.exr")
    with OpenEXR.File("a.exr") as file:
        assert (file.channels()["RGB"].pixels == stored).all()
        assert tuple(file.header()["displayWindow"][0]) == display
    with av.open("a.exr") as container:
        frame = next(container.decode(video=0))
    assert not frame.is_corrupt
    decoded = frame.to_ndarray()
    left, top = display[0] - data[0], display[1] - data[1]
    wanted = stored[top : top + size[1], left : left + size[0]]
    same = float((decoded == wanted).all(-1).mean())
    words = "" if decoded.any() else " (all black)"
    print(f"display {display}, data {data}:".ljust(34), f"{same:.2f}{words}")
    found.append((same, bool(decoded.any())))
sys.exit(0 if found == [(1, True), (1, True), (0, True), (0, False)] else 1)
PY
