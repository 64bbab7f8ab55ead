#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter lut3d reads every .3dl table as one of 17 points a side and 12 bits, and scrambles all others.
#
# Neither is fixed in the format: its first line lists the points of one side, and the largest number tells the depth.
# Other programs write 33 or 65 points, and 10 or 16 bits; OpenColorIO bakes and reads all of them. FFmpeg takes the first 4,913
# rows of any file and divides by 4,096. With 33 points white becomes light blue and every colour another; with 10 bits all is a
# quarter as light. Nothing is logged. The same table as .cube is right.
#
# Output seen (2026-12-01, PyAV 18.1.0, OpenColorIO 2.6.0), a table of gamma 1/2.4, what becomes of white and of (0.1, 0.2, 0.5):
#   wanted                           1.00 1.00 1.00   0.38 0.51 0.75
#   .3dl, 17 points: OpenColorIO     1.00 1.00 1.00   0.38 0.51 0.75
#                    FFmpeg          1.00 1.00 1.00   0.38 0.51 0.75
#   .3dl, 33 points: OpenColorIO     1.00 1.00 1.00   0.38 0.51 0.75
#                    FFmpeg          0.42 0.75 0.95   0.00 0.73 0.75
#   .3dl, 10 bits:   OpenColorIO     1.00 1.00 1.00   0.38 0.51 0.75
#                    FFmpeg          0.25 0.25 0.25   0.09 0.13 0.19
#   .cube, 33 points: FFmpeg         1.00 1.00 1.00   0.38 0.51 0.75
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 opencolorio==2.6.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
import PyOpenColorIO as ocio

COLOURS = ((1, 1, 1), (0.1, 0.2, 0.5))
av.logging.set_level(av.logging.WARNING)
config = ocio.Config()
for name in ("light", "shown"):
    space = ocio.ColorSpace(name=name)
    if name == "shown":
        space.setTransform(ocio.ExponentTransform([1 / 2.4] * 3 + [1]), ocio.COLORSPACE_DIR_FROM_REFERENCE)
    config.addColorSpace(space)


def bake(kind, points, path):
    baker = ocio.Baker()
    baker.setConfig(config)
    baker.setFormat(kind)
    baker.setInputSpace("light")
    baker.setTargetSpace("shown")
    baker.setCubeSize(points)
    with open(path, "w") as file:
        file.write(baker.bake())


def by_ocio(path, colour):
    transform = ocio.FileTransform(path, interpolation=ocio.INTERP_TETRAHEDRAL)
    return ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().applyRGB(list(colour))


def by_ffmpeg(path, colour):
    levels = np.round(np.array(colour) * 65535).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), levels), format="rgb48le")
    frame.pts = 0
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=16, format=frame.format, time_base="1/25")
    table, sink = graph.add("lut3d", file=path), graph.add("buffersink")
    source.link_to(table)
    table.link_to(sink)
    graph.configure()
    graph.push(frame)
    return graph.pull().to_ndarray(format="rgb48le")[8, 8] / 65535


def row(label, function, path):
    seen = [np.asarray(function(path, colour), float) for colour in COLOURS]
    print(f"{label:32s}", "   ".join(" ".join(f"{part:.2f}" for part in one) for one in seen))
    return np.concatenate(seen)


bake("flame", 17, "17.3dl")
bake("flame", 33, "33.3dl")
bake("iridas_cube", 33, "33.cube")
with open("17.3dl") as file:
    head, *rows = file.read().strip().splitlines()
with open("ten.3dl", "w") as file:  # The same table in 10 bits.
    file.write(head + "\n" + "\n".join(" ".join(str(round(int(part) * 1023 / 4095)) for part in line.split()) for line in rows) + "\n")
with av.logging.Capture() as logged:
    wanted = row("wanted", lambda _, colour: np.array(colour) ** (1 / 2.4), "")
    found = [row(".3dl, 17 points: OpenColorIO", by_ocio, "17.3dl"), row("                 FFmpeg", by_ffmpeg, "17.3dl")]
    found += [row(".3dl, 33 points: OpenColorIO", by_ocio, "33.3dl"), row("                 FFmpeg", by_ffmpeg, "33.3dl")]
    found += [row(".3dl, 10 bits:   OpenColorIO", by_ocio, "ten.3dl"), row("                 FFmpeg", by_ffmpeg, "ten.3dl")]
    found += [row(".cube, 33 points: FFmpeg", by_ffmpeg, "33.cube")]
off = [float(np.abs(one - wanted).max()) for one in found]
right, wrong = [off[index] for index in (0, 1, 2, 4, 6)], [off[3], off[5]]
sys.exit(0 if max(right) < 0.02 and min(wrong) > 0.3 and not logged else 1)
PY
