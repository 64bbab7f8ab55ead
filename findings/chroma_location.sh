#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter scale ignores a frame's chroma location, which VideoReformatter follows.
#
# A 4:2:0 frame whose blue-difference plane is a ramp is marked by the filter setparams as left, centre or without a
# location, and converted to RGB in two ways. VideoReformatter (sws_scale_frame) places chroma by the mark, half a luma pixel
# apart; the filter scale gives the same picture for each mark. Without a mark both place chroma in the centre, though
# nearly all video without one has its chroma at the left.
#
# Output seen (2026-11-28, PyAV 18.1.0), the mean of blue minus that of the centre:
#   VideoReformatter: left 1.06  center 0.00  unspecified 0.00
#   filter scale:     left 0.00  center 0.00  unspecified 0.00
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
from av.video.reformatter import Interpolation

FLAGS = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND


def ramp():
    frame = av.VideoFrame(64, 32, "yuv420p")
    for plane, kind in zip(frame.planes, "ybr"):
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
        stored[:] = 64 + 2 * np.arange(stored.shape[1]) if kind == "b" else 126 if kind == "y" else 128
    frame.pts, frame.time_base, frame.colorspace, frame.color_range = 0, Fraction(1, 25), 1, 1
    return frame


def through(*filters):
    graph, frame = Graph(), ramp()
    nodes = [graph.add_buffer(width=64, height=32, format=frame.format, time_base=frame.time_base)]
    nodes += [graph.add(name, options) for name, options in filters]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    graph.push(frame)
    return graph.pull()


def blue(frame):
    return float(frame.to_ndarray()[8:24, 16:48, 2].mean())


places, found = ("left", "center", "unspecified"), []
scale = ("scale", "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"), ("format", "rgb24")
for way in ("VideoReformatter", "filter scale"):
    levels = {}
    for place in places:
        mark = ("setparams", f"chroma_location={place}")
        if way == "filter scale":
            levels[place] = blue(through(mark, *scale))
        else:
            levels[place] = blue(through(mark).reformat(format="rgb24", interpolation=int(FLAGS)))
    found += [levels[place] - levels["center"] for place in places]
    print(f"{way + ':':17s}", "  ".join(f"{place} {levels[place] - levels['center']:.2f}" for place in places))
left, *others = found
sys.exit(0 if left > 0.5 and not any(others) else 1)
PY
