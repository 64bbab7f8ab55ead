#!/bin/sh
# OpenEXR 3.5.3 (the official Python package): File.write stores wrong pixels for an array that is not C-contiguous.
#
# The usual way from a tensor [3, H, W] to a picture [H, W, 3] is a permutation of axes, which makes a view. Such a view, and
# a crop of a larger picture, are written in the order of memory as if they were contiguous: no error, no warning,
# a valid file, other pixels. A contiguous copy of the same array is stored exactly.
#
# Output seen (2026-11-28, OpenEXR 3.5.3, numpy 2.2.6), largest difference between what was written and what is read:
#   contiguous 0.000  permuted view 0.965  crop 0.956
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q OpenEXR==3.5.3 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys

import numpy as np
import OpenEXR

random = np.random.default_rng(0)
planes = random.random((3, 8, 12), np.float32)
pictures = {
    "contiguous": np.ascontiguousarray(planes.transpose(1, 2, 0)),
    "permuted view": planes.transpose(1, 2, 0),
    "crop": random.random((16, 24, 3), np.float32)[2:10, 3:15],
}
found = {}
for name, picture in pictures.items():
    with OpenEXR.File({}, {"RGB": picture}) as file:
        file.write("picture.exr")
    with OpenEXR.File("picture.exr") as file:
        read = file.channels()["RGB"].pixels
        found[name] = float(np.abs(read - picture).max())
print("  ".join(f"{name} {error:.3f}" for name, error in found.items()))
sys.exit(not (found["contiguous"] == 0 and found["permuted view"] > 0.5 and found["crop"] > 0.5))
PY
