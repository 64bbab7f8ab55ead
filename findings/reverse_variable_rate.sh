#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter reverse plays clips of a variable frame rate backwards at wrong speeds.
#
# Phones and screen recorders leave frames out where nothing moves, or as it gets dark. Backwards, each pause should come
# between the same two frames as forwards. The filter turns the frames around and leaves the times as they were: the pause
# comes between two other frames, and moving parts play slowly or fast. Its documentation says "reverse a video clip" and
# warns of the memory that it takes. At a constant rate it is right.
#
# Output seen (2026-11-30, PyAV 18.1.0), frames A to E with a pause between C and D, when each is shown:
#   forwards:  A 0  B 1  C 2  D 10  E 11
#   wanted:    E 0  D 1  C 9  B 10  A 11
#   reverse:   E 0  D 1  C 2  B 10  A 11
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

TIMES = (0, 1, 2, 10, 11)
graph, base = av.filter.Graph(), Fraction(1, 25)
nodes = graph.add_buffer(width=64, height=48, format="gray", time_base=base), graph.add("reverse"), graph.add("buffersink")
nodes[0].link_to(nodes[1])
nodes[1].link_to(nodes[2])
graph.configure()
for number, time in enumerate(TIMES):
    frame = av.VideoFrame.from_ndarray(np.full((48, 64), 10 * number, np.uint8), "gray")
    frame.pts, frame.time_base = time, base
    graph.push(frame)
graph.push(None)
shown = []
for _ in TIMES:
    frame = graph.pull()
    shown.append(("ABCDE"[int(frame.to_ndarray()[0, 0]) // 10], frame.pts))
wanted = [("ABCDE"[number], TIMES[-1] - TIMES[number]) for number in range(len(TIMES) - 1, -1, -1)]
for name, each in (("forwards", list(zip("ABCDE", TIMES))), ("wanted", wanted), ("reverse", shown)):
    print(f"{name + ':':10s}", "  ".join(f"{letter} {time}" for letter, time in each))
sys.exit(0 if shown == [("E", 0), ("D", 1), ("C", 2), ("B", 10), ("A", 11)] else 1)
PY
