#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): Radiance HDR pictures come out upside down, mirrored or scrambled unless they begin with the top row.
#
# The last line of the header gives the order of rows and columns, of which eight are valid. FFmpeg reads its two numbers and
# no more: "+Y 8 +X 16" is upside down, and a picture stored column by column has the pixels of its lines in rows of
# another length. Colours of XYZ ("32-bit_rle_xyze") are returned as RGB. Nothing is logged, no error. OpenImageIO
# gives the order as the attribute Orientation, and refuses XYZ.
#
# Output seen (2026-11-30, PyAV 18.1.0, OpenImageIO 3.2.2.0), the same picture in several orders:
#   -Y 8 +X 16: PyAV upright       OpenImageIO orientation 1
#   +Y 8 +X 16: PyAV upside down   OpenImageIO orientation 4
#   -Y 8 -X 16: PyAV mirrored      OpenImageIO orientation 2
#   +X 16 -Y 8: PyAV scrambled     OpenImageIO orientation 5
#   XYZ:        PyAV the numbers of XYZ as gbrpf32le   OpenImageIO refuses
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 openimageio==3.2.2.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
import OpenImageIO

HEIGHT, WIDTH = 8, 16
UPRIGHT = np.random.default_rng(0).integers(128, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def decoded(stored, resolution, form="rgbe"):
    """Write mantissas of the exponent 0, so that 128 is 0.5, and read them by PyAV and OpenImageIO."""
    pixels = np.dstack([stored, np.full(stored.shape[:2], 128, np.uint8)])
    with open("a.hdr", "wb") as file:
        file.write(f"#?RADIANCE\nFORMAT=32-bit_rle_{form}\n\n{resolution}\n".encode() + pixels.tobytes())
    with av.open("a.hdr") as container:
        frame = next(container.decode(video=0))
    reader = OpenImageIO.ImageInput.open("a.hdr")
    orientation = reader.spec().getattribute("Orientation") if reader else None
    OpenImageIO.geterror()
    return frame.format.name, frame.to_ndarray() * 256, orientation


def seen(light):
    def same(other):
        return light.shape == other.shape and np.abs(light - other).max() <= 1

    kinds = {"upright": UPRIGHT, "upside down": UPRIGHT[::-1], "mirrored": UPRIGHT[:, ::-1]}
    return next((name for name, picture in kinds.items() if same(picture.astype(float))), "scrambled")


found = {}
for resolution, stored in {
    "-Y 8 +X 16": UPRIGHT, "+Y 8 +X 16": UPRIGHT[::-1], "-Y 8 -X 16": UPRIGHT[:, ::-1], "+X 16 -Y 8": UPRIGHT.swapaxes(0, 1),
}.items():
    _, light, orientation = decoded(stored, resolution)
    found[resolution] = seen(light), orientation
    print(f"{resolution}: PyAV {found[resolution][0]:13s} OpenImageIO orientation {orientation}")
form, light, orientation = decoded(UPRIGHT, "-Y 8 +X 16", "xyze")
print(f"XYZ:        PyAV the numbers of XYZ as {form}   OpenImageIO {'reads it' if orientation else 'refuses'}")
expected = [("upright", 1), ("upside down", 4), ("mirrored", 2), ("scrambled", 5)]
sys.exit(0 if list(found.values()) == expected and seen(light) == "upright" and orientation is None else 1)
PY
