#!/bin/sh
# PySide6 6.11.3 (Qt): colour conversions of floating-point images pass through a table of 4,081 levels, and lose the darks of HDR.
#
# QImage has formats of 16 and 32-bit floats for HDR and linear light, and convertedToColorSpace keeps the format. Between 0
# and 1 it rounds to 1/4080 all the same: of 65,536 levels of sRGB 2,909 are left in linear light, and the darks of a linear
# picture (OpenEXR) come in steps of 0.3 per cent, three codes of 10 bits. PQ counts 10,000 nits as 64, so one step is 0.04 nits:
# codes up to 31 of 1,023 become black, and 141 are others after a round trip. RGBA64 goes the same way.
# Nothing in the documentation says so. Converting with numpy, or in a shader, is exact.
#
# Output seen (2026-12-01, PySide6-Essentials 6.11.3), RGBX32FPx4:
#   sRGB to linear: 2909 of 65536 levels left, 0 up to 0.00159
#   linear to sRGB: 4081 of 65536 levels left, the lowest 0.00000 0.00317 0.00633 0.00950
#   PQ to linear: 883 of 1024 codes left, 0 up to code 31; after the way back 141 are another code
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, Qt's system libraries, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q PySide6-Essentials==6.11.3 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import numpy as np
from PySide6.QtGui import QColorSpace, QImage

SRGB, PQ = (QColorSpace(QColorSpace.NamedColorSpace[name]) for name in ("SRgb", "Bt2100Pq"))


def convert(levels, source, target):
    """Return grey levels, one row of float32, in another colour space."""
    pixels = np.ones((len(levels), 4), np.float32)
    pixels[:, :3] = np.asarray(levels)[:, None]
    image = QImage(pixels.tobytes(), len(levels), 1, 16 * len(levels), QImage.Format.Format_RGBX32FPx4)
    image.setColorSpace(source)
    changed = image.convertedToColorSpace(target)
    assert changed.format() == image.format()
    return np.frombuffer(changed.constBits(), np.float32).reshape(-1, 4)[: len(levels), 0].copy()


def linear(space):
    return space.withTransferFunction(QColorSpace.TransferFunction.Linear)


ramp = np.linspace(0, 1, 65536)
light = convert(ramp, SRGB, linear(SRGB))
black = ramp[np.flatnonzero(light == 0).max()]
print(f"sRGB to linear: {len(np.unique(light))} of 65536 levels left, 0 up to {black:.5f}")
levels = np.unique(convert(ramp, linear(SRGB), SRGB))
print(f"linear to sRGB: {len(levels)} of 65536 levels left, the lowest", " ".join(f"{level:.5f}" for level in levels[:4]))
codes = np.arange(1024) / 1023
light = convert(codes, PQ, linear(PQ))
first = int(np.flatnonzero(light == 0).max())
moved = int((np.round(convert(light, linear(PQ), PQ) * 1023) != np.arange(1024)).sum())
print(f"PQ to linear: {len(np.unique(light))} of 1024 codes left, 0 up to code {first}; after the way back {moved} are another code")
sys.exit(0 if len(levels) < 5000 and black > 0.001 and 0.002 < levels[1] < 0.005 and first > 20 and moved > 100 else 1)
PY
