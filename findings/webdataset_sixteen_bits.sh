#!/bin/sh
# webdataset 1.0.2: decode("rgb"), "l" and "pil" turn 16-bit grey PNGs white: all above level 255 is cut off.
#
# Depth maps, disparities and frames of deep clips are kept as 16-bit PNG. All image decoders of the library convert them
# to 8 bits by Pillow, which clips where one expects it to scale: of 65,536 levels 255 are left, and 99.6 per cent of
# a ramp are 1.0. Nothing warns, and the float32 of "rgb" looks like any other. (Pillow opens the file right,
# as "I;16"; a handler of one's own for "depth.png" gives uint16.)
#
# Output seen (2026-11-30, webdataset 1.0.2, Pillow 13.0.0), a ramp of 0 to 65535, whose mean should be 0.5:
#   rgb  float32 (256, 256, 3) mean 0.998   white 0.996
#   l    float32 (256, 256)    mean 0.998   white 0.996
#   rgb8 uint8   (256, 256, 3) mean 0.998   white 0.996
#   pil  uint8   (256, 256, 3) mean 0.998   white 0.996
#   own  uint16  (256, 256)    mean 0.500   white 0.000
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q webdataset==1.0.2 pillow==13.0.0 numpy==2.2.6
venv/bin/python - <<'PY'
import io
import sys

import numpy as np
import webdataset as wds
from PIL import Image

ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
png = io.BytesIO()
Image.fromarray(ramp).save(png, "PNG")
with wds.TarWriter("depth.tar") as writer:
    writer.write({"__key__": "a", "depth.png": png.getvalue()})


def own(key, data):
    return np.asarray(Image.open(io.BytesIO(data))) if key.endswith("depth.png") else None


means = {}
for name, decoder in (("rgb", "rgb"), ("l", "l"), ("rgb8", "rgb8"), ("pil", "pil"), ("own", own)):
    decoded = np.asarray(next(iter(wds.WebDataset("depth.tar", shardshuffle=False).decode(decoder)))["depth.png"])
    peak = np.iinfo(decoded.dtype).max if decoded.dtype.kind == "u" else 1.0
    means[name] = float(decoded.mean() / peak)
    white = float((decoded == peak).mean())
    print(f"{name:4s} {decoded.dtype!s:7s} {decoded.shape!s:13s} mean {means[name]:.3f}   white {white:.3f}")
right = means.pop("own")
sys.exit(0 if 0.49 < right < 0.51 and min(means.values()) > 0.99 else 1)
PY
