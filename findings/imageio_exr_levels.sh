#!/bin/sh
# imageio 2.38.1 with its PyAV plugin: imread of an OpenEXR picture returns 8-bit levels, cut at 1.0, without a transfer curve.
#
# FFmpeg decodes the file to float32 planes (gbrpf32le) of linear light. The plugin converts every frame to rgb24, so that
# light 0.25 becomes level 64 (as sRGB it would be 137), and everything above 1 becomes 255. Nothing warns.
#
# Output seen (2026-11-28, imageio 2.38.1, PyAV 18.1.0), for a picture of light (0.25, 1, 8):
#   FFmpeg: gbrpf32le; imageio: uint8 [64, 255, 255]
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q imageio==2.38.1 av==18.1.0 OpenEXR==3.5.3 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys

import av
import imageio.v3 as iio
import numpy as np
import OpenEXR

light = np.ascontiguousarray(np.broadcast_to(np.float32([0.25, 1.0, 8.0]), (16, 16, 3)))
with OpenEXR.File({}, {"RGB": light}) as file:
    file.write("light.exr")
with av.open("light.exr") as container:
    decoded = next(container.decode(video=0)).format.name
picture = iio.imread("light.exr").reshape(-1, 16, 16, 3)[0]
print(f"FFmpeg: {decoded}; imageio: {picture.dtype} {picture[8, 8].tolist()}")
sys.exit(not (decoded == "gbrpf32le" and picture.dtype == np.uint8 and picture[8, 8].tolist() == [64, 255, 255]))
PY
