#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter siti gives spatial and temporal information of 10 bits four times as large as of 8 bits.
#
# SI and TI of ITU-T P.910 say how much a scene holds and moves; test sets are chosen by them. The filter widens limited
# range to all levels, but takes the levels of 10 bits as they are: the same clip looks four times as hard in 10 bits, and a
# set of clips of both depths falls apart in two. Its documentation has no word about depths. siti-tools gives one figure
# for both, and the filters scdet, vmafmotion, ssim, vif and xpsnr agree on both depths, too.
#
# Output seen (2026-11-30, PyAV 18.1.0, siti-tools 0.6.0), one clip in both depths, its second frame:
#   8 bits:  siti SI 49.55 TI 64.19   siti-tools SI 49.64 TI 64.18
#   10 bits: siti SI 199.28 TI 257.48   siti-tools SI 49.64 TI 64.18
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 siti-tools==0.6.0 numpy==2.2.6 scipy==1.17.1
venv/bin/python - <<'PY'
import json
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np

WIDTH, HEIGHT, FRAMES = 256, 128, 3
y, x = np.indices((HEIGHT, WIDTH))


def frame(number, bits):
    made = av.VideoFrame(WIDTH, HEIGHT, "yuv420p" if bits == 8 else "yuv420p10le")
    luma = np.rint(126 + 55 * np.sin((x + 4 * number) / 3) + 40 * np.cos((y - 2 * number) / 2))
    for place, plane in enumerate(made.planes):
        values = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)[:, : plane.width]
        values[...] = (luma if place == 0 else 128) * 2 ** (bits - 8)
    made.pts, made.time_base, made.color_range = number, Fraction(1, 25), 1
    return made


def by_filter(frames):
    graph = av.filter.Graph()
    first = graph.add_buffer(width=WIDTH, height=HEIGHT, format=frames[0].format.name, time_base=frames[0].time_base)
    nodes = first, graph.add("siti"), graph.add("buffersink")
    nodes[0].link_to(nodes[1])
    nodes[1].link_to(nodes[2])
    graph.configure()
    found = []
    for each in frames:
        graph.push(each)
        found.append({name[-2:]: float(value) for name, value in graph.pull().metadata.items() if "siti" in name})
    return found[1]["si"], found[1]["ti"]


def by_tool(frames, bits):
    with av.open("a.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, frames[0].format.name
        for each in [*frames, None]:
            container.mux(stream.encode(each))
    told = subprocess.run(
        ["venv/bin/siti-tools", "a.mkv", "--legacy", "-b", str(bits), "-r", "limited"], capture_output=True, check=True
    )
    found = json.loads(told.stdout)
    return found["si"][1], found["ti"][0]


results = {}
for bits in (8, 10):
    results[bits] = by_filter([frame(n, bits) for n in range(FRAMES)]), by_tool([frame(n, bits) for n in range(FRAMES)], bits)
    (si, ti), (tool_si, tool_ti) = results[bits]
    print(f"{f'{bits} bits:':8s} siti SI {si:.2f} TI {ti:.2f}   siti-tools SI {tool_si:.2f} TI {tool_ti:.2f}")
times = [many / few for many, few in zip(results[10][0], results[8][0])]
same = np.allclose(results[8][1], results[10][1], rtol=0.01) and np.allclose(results[8][0], results[8][1], rtol=0.02)
sys.exit(0 if same and np.allclose(times, 4, rtol=0.02) else 1)
PY
