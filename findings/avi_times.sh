#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): H.264 in AVI whose first B-frame comes late gets times in the order of its packets.
#
# AVI stores no presentation times. FFmpeg makes them up: all packets' times increase in the order of the file, although
# the decoder reports that it reorders frames. The decoder's output is in the right order, but the frames' times are not:
# whoever sorts or finds frames by their times shows them out of order.
#
# Output seen (2026-11-28, PyAV 18.1.0):
#   packets' times increase: True   decoder reorders: True
#   decoder's order right: True     order by times right: False
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
from av.video.frame import PictureType

options = {"bf": "2", "g": "250", "x264-params": "scenecut=0:b-adapt=0:b-pyramid=none"}
with av.open("a.avi", "w") as container:
    stream = container.add_stream("libx264", rate=25, options=options)
    stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
    for number in range(40):
        frame = av.VideoFrame(160, 96, "yuv420p")
        for plane, value in zip(frame.planes, (20 + 5 * number, 128, 128)):
            np.frombuffer(plane, np.uint8)[:] = value
        frame.pts, frame.time_base = number, Fraction(1, 25)
        if number < 16:
            frame.pict_type = PictureType.P if number else PictureType.I
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))

with av.open("a.avi") as container:
    reorders = container.streams.video[0].codec_context.has_b_frames
    times = [packet.pts for packet in container.demux(video=0) if packet.size]
with av.open("a.avi") as container:
    shown = [(frame.pts, float(np.frombuffer(frame.planes[0], np.uint8)[:100].mean())) for frame in container.decode(video=0)]
increase = times == sorted(times)
decoded = [level for _, level in shown]
by_time = [level for _, level in sorted(shown)]
print("packets' times increase:", increase, "  decoder reorders:", reorders)
print("decoder's order right:", decoded == sorted(decoded), "    order by times right:", by_time == sorted(by_time))
sys.exit(0 if increase and reorders and decoded == sorted(decoded) and by_time != sorted(by_time) else 1)
PY
