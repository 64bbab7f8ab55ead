#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): lossless WebP (libwebp and libwebp_anim with lossless=1) does not keep the colours of transparent pixels.
#
# Where alpha is 0, libwebp replaces the colours by what compresses best, unless it is told to be exact, for which FFmpeg's
# encoder has no option. Cut-outs, mattes and straight-alpha frames lose what lies
# beneath the transparent parts, which filters of soft edges, upscalers and motion estimation need; nothing is said. The
# decoder has no part in it: imagecodecs writes the same pixels exactly, and both files are read by Pillow.
#
# Output seen (2026-11-30, PyAV 18.1.0, imagecodecs 2026.3.6, Pillow 13.0.0), noise whose upper half has alpha 0:
#   writer                       opaque half  colours of the transparent half  alpha
#   imagecodecs, lossless=True   the same     the same                         the same
#   PyAV libwebp, lossless=1     the same     lost                             the same
#   PyAV libwebp_anim            the same     lost                             the same
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 imagecodecs==2026.3.6 pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import av
import imagecodecs
import numpy as np
from PIL import Image

pixels = np.random.default_rng(0).integers(1, 256, (16, 16, 4), dtype=np.uint8)
pixels[:8, :, 3], pixels[8:, :, 3] = 0, 255


def by_pyav(codec):
    with av.open("out.webp", "w") as container:
        stream = container.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt, stream.options = 16, 16, "bgra", {"lossless": "1"}
        frame = av.VideoFrame.from_ndarray(pixels, "rgba")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def by_imagecodecs():
    with open("out.webp", "wb") as file:
        file.write(imagecodecs.webp_encode(pixels, lossless=True))


found = {}
print("writer                       opaque half  colours of the transparent half  alpha")
for name, write in (
    ("imagecodecs, lossless=True", by_imagecodecs), ("PyAV libwebp, lossless=1", lambda: by_pyav("libwebp")),
    ("PyAV libwebp_anim", lambda: by_pyav("libwebp_anim")),
):
    write()
    back = np.array(Image.open("out.webp").convert("RGBA"))
    kept = [np.array_equal(back[part], pixels[part]) for part in (np.s_[8:], np.s_[:8, :, :3], np.s_[..., 3])]
    words = ["the same" if each else "lost" for each in kept]
    print(f"{name:28s} {words[0]:12s} {words[1]:32s} {words[2]}")
    found[name] = kept
first, *others = found.values()
sys.exit(0 if first == [True] * 3 and all(each == [True, False, True] for each in others) else 1)
PY
