#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filters fade, pad and drawbox paint black as level 16 into frames of full range, a dark grey.
#
# Phones, screen recorders and JPEG-like sources give 4:2:0 frames marked as full range, where black is 0. The filters look at
# the pixel format alone: a fade to black of such a clip ends at 16 of 255, and bars that pad adds, or a black box, are as
# grey. Nothing in their documentation says so. In the deprecated format yuvj420p, which says the same, fade reaches 0.
#
# Output seen (2026-11-29, PyAV 18.1.0), luma of what should be black, 4:2:0 of 8 bits:
#   limited range: fade 16  pad 16  drawbox 16
#   full range:    fade 16  pad 16  drawbox 16
#   yuvj420p:      fade 0
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

LIMITED, FULL = 1, 2
FILTERS = {"fade": "out:0:8", "pad": "w=80:h=48:x=16:y=0:color=black", "drawbox": "w=16:h=48:color=black:t=fill"}


def frames(form, value_range):
    for number in range(10):
        frame = av.VideoFrame(64, 48, form)
        for plane, value in zip(frame.planes, (200, 128, 128)):
            np.frombuffer(plane, np.uint8)[:] = value
        frame.pts, frame.time_base, frame.color_range = number, Fraction(1, 25), value_range
        yield frame


def black(name, form, value_range):
    """Luma near the top left corner of the last frame, and its range."""
    graph, last = Graph(), None
    source = graph.add_buffer(width=64, height=48, format=av.VideoFormat(form), time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add(name, FILTERS[name]), graph.add("buffersink")).configure()
    for frame in frames(form, value_range):
        graph.push(frame)
        last = graph.pull()
    return int(np.frombuffer(last.planes[0], np.uint8)[4]), int(last.color_range)


found = {}
for title, form, value_range, names in (
    ("limited range", "yuv420p", LIMITED, FILTERS), ("full range", "yuv420p", FULL, FILTERS), ("yuvj420p", "yuvj420p", FULL, ["fade"]),
):
    levels = {name: black(name, form, value_range) for name in names}
    assert all(kept == value_range for _, kept in levels.values())
    found[title] = [level for level, _ in levels.values()]
    print(f"{title + ':':14s}", "  ".join(f"{name} {level}" for name, (level, _) in levels.items()))
sys.exit(0 if found == {"limited range": [16] * 3, "full range": [16] * 3, "yuvj420p": [0]} else 1)
PY
