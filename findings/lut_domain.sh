#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1) and pillow_lut 1.1.0: tables of colours (.cube) whose domain is not 0 to 1 give wrong colours.
#
# DOMAIN_MIN and DOMAIN_MAX say which inputs the first and the last entry of a table belong to. Cameras' and grading
# programs' tables have domains such as -0.5 to 1.5, or 0 to 0.5. FFmpeg's lut3d and lut1d take the length of the domain if it
# is above 1 and leave out where it begins; pillow_lut takes neither. A table that changes nothing then halves all levels or
# makes them black; nothing warns, and the documentation of both names the format without a limit. OpenColorIO and
# colour-science follow the domain.
#
# Output seen (2026-11-30, PyAV 18.1.0, pillow_lut 1.1.0, opencolorio 2.6.0, colour-science 0.4.7), what tables that change
# nothing make of the levels 16, 64, 102, 128:
#   0.0 to 1.0:  lut3d 16 64 102 128   lut1d 16 64 102 128   pillow_lut 16 64 102 128   OCIO, colour 16 64 102 128
#   0.0 to 2.0:  lut3d 16 64 102 128   lut1d 16 64 102 128   pillow_lut 32 128 204 255   OCIO, colour 16 64 102 128
#   0.0 to 0.5:  lut3d 8 32 51 64   lut1d 8 32 51 64   pillow_lut 8 32 51 64   OCIO, colour 16 64 102 128
#   -0.5 to 1.5: lut3d 0 0 0 0   lut1d 0 0 0 0   pillow_lut 0 0 76 128   OCIO, colour 16 64 102 128
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv
venv/bin/pip install -q av==18.1.0 pillow_lut==1.1.0 pillow==13.0.0 opencolorio==2.6.0 colour-science==0.4.7 numpy==2.2.6
venv/bin/python -W ignore - 2>/dev/null <<'PY'
import itertools
import sys
from fractions import Fraction

import av
import colour
import numpy as np
import pillow_lut
import PyOpenColorIO as ocio
from PIL import Image

LEVELS, SIZE = (16, 64, 102, 128), 9


def write(path, dimensions, low, high):
    steps = [low + (high - low) * number / (SIZE - 1) for number in range(SIZE)]
    rows = [(step,) * 3 for step in steps]
    if dimensions == 3:
        rows = [(r, g, b) for b, g, r in itertools.product(steps, repeat=3)]
    with open(path, "w") as file:
        file.write(f"LUT_{dimensions}D_SIZE {SIZE}\nDOMAIN_MIN {low} {low} {low}\nDOMAIN_MAX {high} {high} {high}\n")
        file.writelines("%f %f %f\n" % row for row in rows)


def flat(level):
    return np.full((48, 64, 3), level, np.uint8)


def filtered(level, name, path):
    graph, frame = av.filter.Graph(), av.VideoFrame.from_ndarray(flat(level), "rgb24")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    source = graph.add_buffer(width=64, height=48, format="rgb24", time_base=frame.time_base)
    nodes = source, graph.add(name, path), graph.add("buffersink")
    nodes[0].link_to(nodes[1])
    nodes[1].link_to(nodes[2])
    graph.configure()
    graph.push(frame)
    return int(graph.pull().to_ndarray(format="rgb24")[9, 9, 0])


found = {}
for low, high in ((0.0, 1.0), (0.0, 2.0), (0.0, 0.5), (-0.5, 1.5)):
    write("t3.cube", 3, low, high)
    write("t1.cube", 1, low, high)
    table, read = pillow_lut.load_cube_file("t3.cube"), colour.read_LUT("t3.cube")
    transform = ocio.FileTransform("t3.cube", interpolation=ocio.INTERP_LINEAR)
    processor = ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    results = {
        "lut3d": [filtered(level, "lut3d", "t3.cube") for level in LEVELS],
        "lut1d": [filtered(level, "lut1d", "t1.cube") for level in LEVELS],
        "pillow_lut": [int(np.asarray(Image.fromarray(flat(level)).filter(table))[0, 0, 0]) for level in LEVELS],
        "OCIO, colour": [round(255 * processor.applyRGB([level / 255] * 3)[0]) for level in LEVELS],
    }
    colours = [round(255 * float(read.apply(np.full((1, 3), level / 255))[0, 0])) for level in LEVELS]
    assert colours == results["OCIO, colour"]
    found[low, high] = [tuple(each) for each in results.values()]
    words = (f"{name} {' '.join(map(str, each))}" for name, each in results.items())
    print(f"{f'{low} to {high}:':12s}", "   ".join(words), flush=True)
halves, none = (8, 32, 51, 64), (0, 0, 0, 0)
expected = {
    (0.0, 1.0): [LEVELS] * 4,
    (0.0, 2.0): [LEVELS, LEVELS, (32, 128, 204, 255), LEVELS],
    (0.0, 0.5): [halves, halves, halves, LEVELS],
    (-0.5, 1.5): [none, none, (0, 0, 76, 128), LEVELS],
}
sys.exit(0 if found == expected else 1)
PY
