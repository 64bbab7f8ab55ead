#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): at a quarter of the speed, atempo repeats a click up to four times, and brings it early.
#
# Two atempo=0.5 in a row, as one takes no factor below 0.5. Clicks of one sample at 0.5, 1.0, 1.7, 2.3 and
# 3.1 s should come at 2.0, 4.0, 6.8, 9.2 and 12.4 s. The loud ones of their repetitions come up to 113 ms early, and the
# whole sound is 7,680 samples (0.16 s) shorter than four times the input. Half the speed: up to 41 ms, 2,560 samples.
#
# Output seen (2026-11-28, PyAV 18.1.0):
#   length: 760320 of 768000 samples; repetitions: [4, 3, 4, 4, 4]; first of them, ms: [-113, -98, -44, -52, -52]
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

RATE, CLICKS = 48000, (0.5, 1.0, 1.7, 2.3, 3.1)
sound = np.zeros(4 * RATE, np.float32)
for secs in CLICKS:
    sound[round(secs * RATE)] = 0.9

graph = Graph()
source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="mono", time_base=Fraction(1, RATE))
graph.link_nodes(
    source, graph.add("atempo", "0.5"), graph.add("atempo", "0.5"), graph.add("aformat", "sample_fmts=fltp"),
    graph.add("abuffersink"),
).configure()  # fmt: skip
out = []


def pull():
    while True:
        try:
            out.append(graph.pull().to_ndarray()[0])
        except (av.BlockingIOError, av.EOFError):
            return


for start in range(0, len(sound), 4096):
    frame = av.AudioFrame.from_ndarray(sound[None, start : start + 4096].copy(), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
    graph.push(frame)
    pull()
graph.push(None)
pull()
slow = np.abs(np.concatenate(out))
counts, firsts = [], []
for secs in CLICKS:
    wanted = round(4 * secs * RATE)
    near = np.flatnonzero(slow[wanted - RATE // 7 : wanted + RATE // 7] > 0.45) - RATE // 7
    counts.append(len(near))
    firsts.append(round(1000 * near[0] / RATE))
print(f"length: {len(slow)} of {4 * len(sound)} samples; repetitions: {counts}; first of them, ms: {firsts}")
sys.exit(0 if len(slow) < 4 * len(sound) and min(counts) > 1 and max(firsts) < -20 else 1)
PY
