#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): a decoder replaces the container's colour tags by "unspecified" at its first frame.
#
# A ProRes clip in MOV whose frames carry no colours, but whose container does (colr: BT.709). Before the first decode the
# codec context has the container's tags; afterwards it has 2 (unspecified), and so have the frames. A program that asks
# after decoding, or asks the frames, loses what the container says; an HDR clip tagged only there is shown as SDR.
#
# Output seen (2026-11-28, PyAV 18.1.0):
#   before (1, 1, 1)   frame (2, 2, 2)   after (2, 2, 2)
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np

with av.open("a.mov", "w") as container:
    stream = container.add_stream("prores_ks", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv422p10le"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = 1
    for number in range(12):
        frame = av.VideoFrame(64, 48, "yuv422p10le")
        for plane in frame.planes:
            np.frombuffer(plane, np.uint16)[:] = 512
        frame.pts, frame.time_base = number, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def tags(source):
    return int(source.colorspace), int(source.color_primaries), int(source.color_trc)


with av.open("a.mov") as container:
    context = container.streams.video[0].codec_context
    before = tags(context)
    frame = tags(next(container.decode(video=0)))
    after = tags(context)
print("before", before, "  frame", frame, "  after", after)
sys.exit(0 if before == (1, 1, 1) and frame == after == (2, 2, 2) else 1)
PY
