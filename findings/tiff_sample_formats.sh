#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): TIFF pictures of half floats or signed integers are decoded as integers without a sign.
#
# The tag SampleFormat says what the bits of a TIFF mean; renderers, depth and flow data, and scientific cameras use its other
# values. FFmpeg's decoder does not look at it: half floats come out as the integers that their bits spell (0.5 as
# 14,336), -1 as 65,535, and RGB of 32-bit integers as floating-point numbers near 0. Nothing is logged, the frame is not
# marked as corrupt. Floats of 32 bits in RGB are right. tifffile reads all of them.
#
# Output seen (2026-11-30, PyAV 18.1.0, tifffile 2026.3.3), what a stored number becomes:
#   float16 grey 0.5 -> gray16le 14336
#   float16 RGB  0.5 -> rgb48le 14336
#   int16   grey -1 -> gray16le 65535
#   int8    RGB  -1 -> rgb24 255
#   uint32  RGB  1000000 -> rgbf32le 1.4013e-39
#   float32 RGB  0.5 -> rgbf32le 0.5
#   uint16  RGB  1000 -> rgb48le 1000
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 tifffile==2026.3.3 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
import tifffile

found = {}
for kind, colours, value in (
    ("float16", "grey", 0.5), ("float16", "RGB", 0.5), ("int16", "grey", -1), ("int8", "RGB", -1), ("uint32", "RGB", 1_000_000),
    ("float32", "RGB", 0.5), ("uint16", "RGB", 1000),
):
    picture = np.full((48, 64, 3) if colours == "RGB" else (48, 64), value, kind)
    tifffile.imwrite("a.tif", picture, photometric="rgb" if colours == "RGB" else "minisblack")
    assert (tifffile.imread("a.tif") == picture).all()
    with av.open("a.tif") as container:
        frame = next(container.decode(video=0))
    assert not frame.is_corrupt
    decoded = frame.to_ndarray().flat[0]
    print(f"{kind:7s} {colours:4s} {value} -> {frame.format.name} {decoded:.5g}")
    found[kind, colours] = bool(decoded == value)
right = {pair for pair, same in found.items() if same}
sys.exit(0 if right == {("float32", "RGB"), ("uint16", "RGB")} else 1)
PY
