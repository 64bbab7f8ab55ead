#!/bin/sh
# pyvips 3.2.0 (libvips 8.18.7): resize with a scale above 1 moves the picture half a pixel of the result to the right and down.
#
# The documentation says that pixels are placed by their centres, so that the middle of a picture stays its middle. Enlarged,
# half a pixel is added before the scale and not taken off after it: a dot in the middle comes out beside it, and a mirrored
# picture does not become the mirrored result. This holds for all kernels but "nearest"; reductions are right. A bicubic
# baseline of super-resolution made with it is charged with the shift, and pairs for training teach it (libvips issue 4841).
#
# Output seen (2026-11-30, pyvips 3.2.0, libvips 8.18.7, Pillow 13.0.0), how far a dot lies from the middle, in pixels of the
# result, right and down; and the PSNR of a smooth picture, enlarged, against what it was made from:
#   linear   x2: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 31.4 and 46.5 dB
#   linear   x3: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 34.8 and 47.1 dB
#   linear   x4: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 37.1 and 46.8 dB
#   cubic    x2: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 31.5 and 69.5 dB
#   cubic    x4: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 37.5 and 71.3 dB
#   lanczos3 x2: pyvips 0.50 0.50  Pillow 0.00 0.00   PSNR 31.5 and 55.9 dB
#   cubic    x0.5: pyvips 0.00 0.00  Pillow 0.00 0.00
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q pyvips==3.2.0 pyvips-binary==8.18.7 pillow==13.0.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import numpy as np
import pyvips
from PIL import Image

FILTERS = {"linear": Image.Resampling.BILINEAR, "cubic": Image.Resampling.BICUBIC, "lanczos3": Image.Resampling.LANCZOS}


def by_vips(picture, scale, kernel):
    return pyvips.Image.new_from_array(picture).resize(scale, kernel=kernel).numpy()


def by_pillow(picture, scale, kernel):
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    return np.asarray(Image.fromarray(picture).resize(size, FILTERS[kernel]))


def off_the_middle(picture):
    """Return how far the mean of the light lies to the right of the middle and below it."""
    y, x = np.indices(picture.shape)
    middles = (picture.shape[1] - 1) / 2, (picture.shape[0] - 1) / 2
    return [float((each * picture).sum() / picture.sum()) - middle for each, middle in zip((x, y), middles)]


def scene(side):
    """Return waves in a square, sampled at the centres of side x side pixels."""
    y, x = (np.indices((side, side)) + 0.5) / side
    return (128 + 60 * np.sin(30 * x + 9 * y) + 60 * np.cos(25 * y - 12 * x)).astype(np.float32)


def psnr(one, other):
    inner = np.s_[len(one) // 8 : -len(one) // 8, len(one) // 8 : -len(one) // 8]
    return 10 * np.log10(255**2 / float(((one - other)[inner] ** 2).mean()))


dot = np.zeros((16, 16), np.float32)
dot[7:9, 7:9] = 1
holds = []
for kernel, scale in (("linear", 2), ("linear", 3), ("linear", 4), ("cubic", 2), ("cubic", 4), ("lanczos3", 2), ("cubic", 0.5)):
    away = [off_the_middle(resize(dot, scale, kernel)) for resize in (by_vips, by_pillow)]
    words = [" ".join(f"{abs(value) if abs(value) < 0.005 else value:.2f}" for value in each) for each in away]
    line = f"{kernel:8s} x{scale}: pyvips {words[0]}  Pillow {words[1]}"
    holds.append(np.allclose(away, [[0.5 * (scale > 1)] * 2, [0, 0]], atol=0.01))
    if scale > 1:
        scores = [psnr(resize(scene(64), scale, kernel), scene(64 * scale)) for resize in (by_vips, by_pillow)]
        line += f"   PSNR {scores[0]:.1f} and {scores[1]:.1f} dB"
        holds.append(scores[0] < scores[1] - 1)
    print(line)
sys.exit(0 if all(holds) else 1)
PY
