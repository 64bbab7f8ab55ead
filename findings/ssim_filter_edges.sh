#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter ssim leaves out the last columns and rows where a side is no multiple of 4.
#
# It moves its window of 8 x 8 in steps of 4 from the upper left, and what is left over at the right and at the bottom is in no
# window: up to three columns and rows, in chroma planes too, so up to six of the picture. Errors there, such as the edges
# that a super-resolution model or a crop leaves, cost nothing: with its last three columns black a picture of 67 x 51 still
# has the SSIM of equal pictures, 1.000000. The filters psnr, identity and xpsnr see the same error.
#
# Output seen (2026-11-30, PyAV 18.1.0), grey noise, some pixels of it set to 0:
#   size    black            ssim      psnr  identity
#   64x48   3 columns    0.950776     18.69  0.953125
#   67x51   3 columns    1.000000     18.83  0.955224
#   67x51   3 rows       1.000000     17.91  0.941176
#   66x50   2 columns    1.000000     20.88  0.969697
#   65x49   the corner   1.000000     47.04  0.999686
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np


def score(first, second, name, key):
    height, width = first.shape
    graph = av.filter.Graph()
    form = dict(width=width, height=height, format="gray", time_base=Fraction(1, 25))
    sources = [graph.add_buffer(**form) for _ in range(2)]
    measure, sink = graph.add(name), graph.add("buffersink")
    for number, source in enumerate(sources):
        source.link_to(measure, 0, number)
    measure.link_to(sink)
    graph.configure()
    for source, picture in zip(sources, (first, second)):
        frame = av.VideoFrame.from_ndarray(picture, "gray")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        source.push(frame)
        source.push(None)
    return float(sink.pull().metadata[key])


CASES = (
    ((64, 48), "3 columns", np.s_[:, -3:]), ((67, 51), "3 columns", np.s_[:, -3:]), ((67, 51), "3 rows", np.s_[-3:]),
    ((66, 50), "2 columns", np.s_[:, -2:]), ((65, 49), "the corner", np.s_[-1:, -1:]),
)
print("size    black            ssim      psnr  identity")
found = []
for (width, height), what, where in CASES:
    true = np.random.default_rng(0).integers(60, 200, (height, width), dtype=np.uint8)
    wrong = true.copy()
    wrong[where] = 0
    ssim = score(true, wrong, "ssim", "lavfi.ssim.All")
    psnr = score(true, wrong, "psnr", "lavfi.psnr.psnr_avg")
    same = score(true, wrong, "identity", "lavfi.identity.identity_avg")
    print(f"{width}x{height}   {what:12s} {ssim:8.6f} {psnr:9.2f}  {same:.6f}")
    found.append((ssim == 1, psnr < 50, same < 1))
sys.exit(0 if found == [(False, True, True)] + [(True, True, True)] * 4 else 1)
PY
