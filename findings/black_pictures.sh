#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): three kinds of valid pictures are decoded to black, without an error and not marked as corrupt.
#
# TIFFs compressed by JPEG, which scanners, maps and microscopes make, come out as zeros: grey and RGB are black, YCbCr is
# green; nothing is logged. So do grey TIFFs with 12 bits, as cameras and scanners write them, if they are compressed by
# Deflate ("zip", which OpenImageIO takes by default). Uncompressed, by LZW or by PackBits they are right. Colour JPEG-LS is
# black if its samples are interleaved by pixel, which CharLS does by default; a warning is logged, which PyAV does not
# show. Interleaved by line it is right. Other readers read all of them. A batch job that goes on by exceptions, or
# training on such frames, takes the black for pictures.
#
# Output seen (2026-11-30, PyAV 18.1.0, OpenImageIO 3.2.2.0, imagecodecs 2026.3.6), share of levels that are right:
#   TIFF of 12 bits:  none 1.00  lzw 1.00  packbits 1.00  zip 0.00 (all black, corrupt: False, logged: 0)
#   TIFF of 8 bits:   none 1.00  jpeg 0.00 (all black, corrupt: False, logged: 0)
#   JPEG-LS:          grey 1.00  RGB by line 1.00  RGB by pixel 0.00 (all black, corrupt: False, logged: 2)
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv
venv/bin/pip install -q av==18.1.0 openimageio==3.2.2.0 imagecodecs==2026.3.6 tifffile==2026.3.3 numpy==2.2.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import av.logging
import imagecodecs
import numpy as np
import OpenImageIO
import tifffile

HEIGHT, WIDTH = 48, 64
random = np.random.default_rng(0)
av.logging.set_level(av.logging.WARNING)


def decoded(data, codec):
    """Return the decoded levels, and in words what FFmpeg says of a black picture."""
    with av.logging.Capture() as logged:
        context = av.CodecContext.create(codec, "r")
        frame = [*context.decode(av.Packet(data)), *context.decode(None)][0]
    levels = frame.to_ndarray()
    words = "" if levels.any() else f" (all black, corrupt: {frame.is_corrupt}, logged: {len(logged)})"
    return levels, words


def twelve_bits(levels, compression):
    spec = OpenImageIO.ImageSpec(WIDTH, HEIGHT, 1, "uint16")
    spec.attribute("oiio:BitsPerSample", 12)
    spec.attribute("compression", compression)
    output = OpenImageIO.ImageOutput.create("a.tif")
    assert output.open("a.tif", spec)
    assert output.write_image((levels << 4 | levels >> 8)[..., None])
    output.close()
    assert (tifffile.imread("a.tif") == levels).all()
    with open("a.tif", "rb") as file:
        return file.read()


def eight_bits(levels, compression):
    tifffile.imwrite("a.tif", levels, photometric="minisblack", compression=None if compression == "none" else compression)
    assert np.abs(tifffile.imread("a.tif").astype(int) - levels).mean() < 5
    with open("a.tif", "rb") as file:
        return file.read()


def by_line(picture):
    encoder = av.CodecContext.create("jpegls", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "rgb24", Fraction(1, 25)
    return bytes([*encoder.encode(av.VideoFrame.from_ndarray(picture, "rgb24")), *encoder.encode(None)][0])


levels = random.integers(0, 4096, (HEIGHT, WIDTH)).astype(np.uint16)
ramp = 20 + 3 * np.arange(WIDTH)[None, :, None]
colours = (ramp + random.integers(0, 20, (HEIGHT, WIDTH, 3))).astype(np.uint8)
grey = np.ascontiguousarray(colours[..., 0])
cases = {
    "TIFF of 12 bits": [(name, levels, twelve_bits(levels, name), "tiff") for name in ("none", "lzw", "packbits", "zip")],
    "TIFF of 8 bits": [(name, grey, eight_bits(grey, name), "tiff") for name in ("none", "jpeg")],
    "JPEG-LS": [
        ("grey", grey, imagecodecs.jpegls_encode(grey), "jpegls"),
        ("RGB by line", colours, by_line(colours), "jpegls"),
        ("RGB by pixel", colours, imagecodecs.jpegls_encode(colours), "jpegls"),
    ],
}
for _, picture, data, _ in cases["JPEG-LS"]:
    assert (imagecodecs.jpegls_decode(data) == picture).all()
black = []
for title, kinds in cases.items():
    parts = []
    for name, picture, data, codec in kinds:
        found, words = decoded(data, codec)
        same = float((found == picture).mean())
        parts.append(f"{name} {same:.2f}{words}")
        assert same == 1 or not found.any()
        black += [name] if not found.any() else []
    print(f"{title + ':':17s}", "  ".join(parts))
sys.exit(0 if black == ["zip", "jpeg", "RGB by pixel"] else 1)
PY
