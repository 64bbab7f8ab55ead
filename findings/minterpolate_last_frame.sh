#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): the filter minterpolate never returns the last frame of a clip, at any rate and in any mode.
#
# The output ends at the time of the last frame but one, even where the rate stays as it is, so that no frame would have to
# be made. Of a pair of frames, on which interpolation is measured, nothing comes out at all. FFmpeg's documentation does
# not say so. One more copy of the last frame (tpad=stop_mode=clone:stop=1 before it) gives all of them.
#
# Output seen (2026-11-29, PyAV 18.1.0), for clips of 25 frames per second, the number of frames that come out and the times
# of the first and the last of them, counted in frames of the clip; the other modes are the same:
#   2 frames, fps=25: 0     3 frames, fps=25: 2, from 0 to 1     10 frames, fps=25: 9, from 0 to 8
#   2 frames, fps=100: 0    3 frames, fps=100: 5, from 0 to 1    10 frames, fps=100: 33, from 0 to 8
#   2 frames and a copy, fps=100: 5, from 0 to 1
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

SIZE = 64


def frame_of(number):
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(40, 200, (SIZE // 4, SIZE // 4)), np.ones((4, 4))).astype(np.uint8)
    frame = av.VideoFrame(SIZE, SIZE, "yuv420p")
    grey = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)
    for plane, pixels in zip(frame.planes, (np.roll(texture, number, 1), grey, grey)):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
        rows[:, : plane.width] = pixels
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame


def times(count, *filters):
    """Return the output's times in input frames."""
    graph, found = av.filter.Graph(), []
    chain = [graph.add_buffer(width=SIZE, height=SIZE, format="yuv420p", time_base=Fraction(1, 25))]
    chain += [graph.add(*each) for each in (*filters, ("buffersink",))]
    for first, second in zip(chain, chain[1:]):
        first.link_to(second)
    graph.configure()
    for frame in (*map(frame_of, range(count)), None):
        chain[0].push(frame)
        while True:
            try:
                out = chain[-1].pull()
            except (av.BlockingIOError, av.EOFError):
                break
            found.append(float(out.pts * out.time_base * 25))
    return found


found = {}
for count in (2, 3, 10):
    for settings in ("fps=25", "fps=100", "fps=100:mi_mode=blend:scd=none", "fps=100:mi_mode=dup"):
        at = times(count, ("minterpolate", settings))
        found[count, settings] = at
        print(f"{count} frames, {settings}: {len(at)}" + (f", from {at[0]:g} to {at[-1]:g}" if at else ""))
padded = times(2, ("tpad", "stop_mode=clone:stop=1"), ("minterpolate", "fps=100"))
print(f"2 frames and a copy, fps=100: {len(padded)}, from {padded[0]:g} to {padded[-1]:g}")
ends = all(at[-1] == count - 2 if count > 2 else not at for (count, _), at in found.items())
sys.exit(0 if ends and padded[-1] == 1 else 1)
PY
