#!/bin/sh
# PIMS 0.7: PyAVReaderTimed, read in order, shows earlier frames again in the gaps of a clip with a variable frame rate.
#
# The reader numbers pictures by duration x rate and seeks to the time of each number. In a gap of half a second it does not
# hold the frame before the gap: it starts again at the first frame of the clip, so that time runs backwards.
#
# Output seen (2026-11-28, PIMS 0.7, PyAV 18.1.0): frames 0 to 9 at 0, 40, 80, 300, 340, 380, 900, 940, 980, 1020 ms,
# as numbered by their grey levels:
#   0 1 2 2 2 2 2 2 3 4 5 5 5 5 5 5 5 0 1 2 2 2 6 6 7 8
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pims==0.7 av==18.1.0 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PY'
import sys
from fractions import Fraction

import av
import numpy as np
import pims

times = (0, 40, 80, 300, 340, 380, 900, 940, 980, 1020)
with av.open("gaps.mkv", "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    for number, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * number + 10, np.uint8), "rgb24")
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
reader = pims.PyAVReaderTimed("gaps.mkv")
shown = [round((float(np.asarray(reader[i]).mean()) - 10) / 20) for i in range(len(reader))]
print(*shown)
steps = [after - before for before, after in zip(shown, shown[1:])]
sys.exit(not (len(shown) == 26 and min(steps) == -5))
PY
