#!/bin/sh
# Pillow 13.0.0 (11.3.0 too): rotate and transform give wrong pixels for 16-bit pictures (mode "I;16"), bilinear and bicubic.
#
# Depth maps, masks, flow in 16-bit PNG and scientific frames are opened as "I;16". rotate(), transform() and so affine
# augmentations take them without an error or a warning, but interpolate wrongly: a flat picture of level 40,000
# becomes one of level 110, and a ramp becomes noise. NEAREST is right, and so is resize() with every filter.
# The same picture as float32 (mode "F") is right.
#
# Output seen (2026-11-29, Pillow 13.0.0, numpy 2.4.6), moved by half a pixel, or turned, largest error in levels:
#   flat, level 40000:   nearest 0   bilinear 39890   bicubic 39890   rotate, bicubic 39936   resize, bicubic 0
#   ramp, step 500:      nearest 250   bilinear 22616   bicubic 22618   rotate, bicubic 23302   resize, bicubic 0
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import numpy as np
from PIL import Image

SIZE = 64
FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def moved(picture, resample):
    """Move by half a pixel to the left."""
    return picture.transform((SIZE, SIZE), Image.Transform.AFFINE, (1, 0, 0.5, 0, 1, 0), resample)


def error(got, wanted):
    # In the middle: at the border there are no neighbours.
    return np.abs(np.asarray(got, np.float64) - np.asarray(wanted, np.float64))[20:-20, 20:-20].max()


ramp = np.tile(1000 + 500 * np.arange(SIZE), (SIZE, 1))
found = {}
for name, levels in (("flat, level 40000", np.full((SIZE, SIZE), 40000)), ("ramp, step 500", ramp)):
    deep, real = Image.fromarray(levels.astype(np.uint16)), Image.fromarray(levels.astype(np.float32))
    assert deep.mode == "I;16"
    errors = {
        each: error(moved(deep, resample), moved(real, Image.Resampling.BILINEAR)) for each, resample in FILTERS.items()
    }
    turned = [each.rotate(10, Image.Resampling.BICUBIC) for each in (deep, real)]
    errors["rotate, bicubic"] = error(*turned)
    resized = [each.resize((2 * SIZE, SIZE), Image.Resampling.BICUBIC) for each in (deep, real)]
    errors["resize, bicubic"] = error(*resized)
    found[name] = errors
    print(f"{name + ':':20} " + "   ".join(f"{each} {off:.0f}" for each, off in errors.items()))
wrong = min(errors[each] for errors in found.values() for each in ("bilinear", "bicubic", "rotate, bicubic"))
right = max(max(errors["nearest"], errors["resize, bicubic"]) for errors in found.values())
sys.exit(0 if wrong > 10000 and right <= 250 else 1)
PY
