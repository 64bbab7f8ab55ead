#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): a TIFF that is stored as tiles is decoded into scrambled pixels, without an error.
#
# Tiles are part of TIFF 6.0; scans, microscopes and renderers write them. FFmpeg's decoder reads the tiles' bytes as if they
# were strips: the frame has the right size and format, is not marked as corrupt, and nothing is logged, with 8 and 16 bits,
# every compression and both byte orders. The same picture in strips is decoded exactly.
#
# Output seen (2026-11-29, PyAV 18.1.0, tifffile 2026.3.3), share of pixels that are right:
#   strips 8 bits 1.00  strips 16 bits 1.00
#   tiles  8 bits 0.00  tiles  16 bits 0.00
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 tifffile==2026.3.3 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np
import tifffile

random = np.random.default_rng(0)
found = {}
for name, tile in (("strips", None), ("tiles", (16, 16))):
    for bits, kind, form in ((8, np.uint8, "rgb24"), (16, np.uint16, "rgb48le")):
        picture = random.integers(0, 1 << bits, (48, 64, 3)).astype(kind)
        tifffile.imwrite("picture.tif", picture, photometric="rgb", tile=tile)
        assert (tifffile.imread("picture.tif") == picture).all()
        with av.open("picture.tif") as container:
            frame = next(container.decode(video=0))
        assert not frame.is_corrupt
        found[name, bits] = float((frame.to_ndarray(format=form) == picture).all(-1).mean())
for name in ("strips", "tiles"):
    print(f"{name:6s}", "  ".join(f"{bits:2d} bits {found[name, bits]:.2f}" for bits in (8, 16)))
sys.exit(0 if all((share == 1) == (name == "strips") for (name, _), share in found.items()) else 1)
PY
