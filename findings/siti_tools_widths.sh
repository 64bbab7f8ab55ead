#!/bin/sh
# siti-tools 0.6.0 (PyAV 18.1.0): the tool for SI and TI (ITU-T P.910) refuses most widths of pictures, and blames their depth.
#
# FFmpeg pads the lines of pictures in memory to the width of the processor's registers. The tool takes the padded memory for the
# picture, so only widths that need no padding are read: 640, 1280, 1920. SD (720), wide SD (854) and upright phone clips
# (1080) end with "Cannot decode frame. Have you specified the bit depth correctly?", in 8 and in 10 bits, with
# any --bit-depth.
#
# Output seen (2026-11-30, siti-tools 0.6.0, PyAV 18.1.0), clips of three frames:
#   640 wide:  3 frames
#   720 wide:  Cannot decode frame. Have you specified the bit depth correctly?
#   854 wide:  Cannot decode frame. Have you specified the bit depth correctly?
#   1080 wide: Cannot decode frame. Have you specified the bit depth correctly?
#   1280 wide: 3 frames
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 siti-tools==0.6.0 numpy==2.2.6 scipy==1.17.1
venv/bin/python - <<'PY'
import json
import subprocess
import sys

import av
import numpy as np

found = {}
for width in (640, 720, 854, 1080, 1280):
    with av.open("a.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, 64, "yuv420p"
        for number in range(3):
            picture = np.full((64, width, 3), 60 + 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    told = subprocess.run(["venv/bin/siti-tools", "a.mkv", "--bit-depth", "8"], capture_output=True, text=True)
    error = next((line for line in told.stderr.splitlines() if "Cannot decode" in line), "")
    words = error[error.find("Cannot") : error.find("?") + 1]
    found[width] = words if told.returncode else f"{len(json.loads(told.stdout)['si'])} frames"
    print(f"{f'{width} wide:':10s}", found[width])
read = {width: "frames" in words for width, words in found.items()}
sys.exit(0 if read == {640: True, 720: False, 854: False, 1080: False, 1280: True} else 1)
PY
