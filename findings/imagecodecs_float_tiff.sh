#!/bin/sh
# imagecodecs 2026.3.6: tiff_encode writes a colour picture of floats or signed integers as one page for each row.
#
# A picture [H, W, 3] of uint8 or uint16 becomes one RGB page. One of float16, float32, float64 or int16 becomes H grey pages of
# W x 3 pixels, and tiff_decode, which returns the first page, gives one row of the picture back; other programs show
# a sliver. The function has no word about it, and no warning. photometric="rgb" writes the page that was meant;
# tifffile's imwrite writes one page for all of these types.
#
# Output seen (2026-11-30, imagecodecs 2026.3.6, tifffile 2026.3.3), pages written of pictures [48, 64, 3], and what comes back:
#   uint8:   1 page  (48, 64, 3)    with photometric="rgb": (48, 64, 3)   tifffile: 1 page
#   uint16:  1 page  (48, 64, 3)    with photometric="rgb": (48, 64, 3)   tifffile: 1 page
#   int16:   48 pages (64, 3)       with photometric="rgb": (48, 64, 3)   tifffile: 1 page
#   float16: 48 pages (64, 3)       with photometric="rgb": (48, 64, 3)   tifffile: 1 page
#   float32: 48 pages (64, 3)       with photometric="rgb": (48, 64, 3)   tifffile: 1 page
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q imagecodecs==2026.3.6 tifffile==2026.3.3 numpy==2.2.6
venv/bin/python - <<'PY'
import io
import sys

import imagecodecs
import numpy as np
import tifffile

SHAPE = (48, 64, 3)
random = np.random.default_rng(0)


def pages(data):
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return len(file.pages)


found = {}
for kind in ("uint8", "uint16", "int16", "float16", "float32"):
    picture = (random.random(SHAPE) * 100).astype(kind)
    plain = imagecodecs.tiff_encode(picture)
    told = imagecodecs.tiff_decode(imagecodecs.tiff_encode(picture, photometric="rgb"))
    other = io.BytesIO()
    tifffile.imwrite(other, picture)
    back, count, theirs = imagecodecs.tiff_decode(plain), pages(plain), pages(other.getvalue())
    words = f"{count} page{'s' if count > 1 else ' '} {back.shape}"
    print(f"{kind + ':':8s} {words:22s} with photometric=\"rgb\": {told.shape}   tifffile: {theirs} page")
    assert (told == picture).all()
    found[kind] = count, back.shape, theirs
whole, rows = (1, SHAPE, 1), (SHAPE[0], SHAPE[1:], 1)
sys.exit(0 if found == {kind: whole if kind.startswith("uint") else rows for kind in found} else 1)
PY
