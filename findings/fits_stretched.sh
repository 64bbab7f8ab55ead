#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): each FITS picture is stretched from its own darkest to its own brightest pixel, so that a sequence flickers.
#
# FITS is the format of telescopes and of cameras for planets, whose long sequences are aligned, stacked and super-resolved.
# FFmpeg makes grey of 8 or 16 bits of it, and spreads what a picture holds over the whole range: the same sky is light or
# dark by the brightest star or the one hot pixel of its frame, and an even picture is black, whatever its level. Frames cannot be
# compared, blended or scored any more. No option gives the numbers, nothing is logged but for even pictures
# ("blank"), and only a comment in the source tells.
#
# Output seen (2026-12-01, PyAV 18.1.0, astropy 8.0.2), what a sky of 1000 (of 8 bits: 100) becomes, darkest pixel 900 (90):
#   brightest pixel:  1500   4000  30000   none   (of 8 bits: 110 150 250 none)
#   int16    gray16le 10922  2114    225      0
#   uint16   gray16le 10922  2114    225      0
#   float32  gray16le 10922  2114    225      0
#   uint8    gray       128    42     16      0
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 astropy==8.0.2 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import av
import av.logging
import numpy as np
from astropy.io import fits

av.logging.set_level(av.logging.WARNING)
found = {}
print("brightest pixel:  1500   4000  30000   none   (of 8 bits: 110 150 250 none)")
with av.logging.Capture() as logged:
    for kind in ("int16", "uint16", "float32", "uint8"):
        dark, sky, *bright = (90, 100, 110, 150, 250) if kind == "uint8" else (900, 1000, 1500, 4000, 30000)
        found[kind] = []
        for star in (*bright, None):
            picture = np.full((32, 48), sky, kind)
            if star:
                picture[3, 3], picture[5, 5] = dark, star
            fits.writeto("a.fits", picture, overwrite=True)
            with av.open("a.fits") as clip:
                frame = next(clip.decode(video=0))
            found[kind].append(int(frame.to_ndarray()[16, 24]))
        print(f"{kind:8s} {frame.format.name:8s} {found[kind][0]:5d}", "".join(f" {level:5d} " for level in found[kind][1:]))
stretched = [message for message in logged if "blank" not in message[2]]
sixteen = [int(100 / (star - 900) * 65535) for star in (1500, 4000, 30000)]
eight = [int(10 / (star - 90) * 255 + 0.5) for star in (110, 150, 250)]
near = [abs(a - b) <= 1 for kind in found for a, b in zip(found[kind], eight if kind == "uint8" else sixteen)]
sys.exit(0 if all(near) and not any(levels[3] for levels in found.values()) and not stretched else 1)
PY
