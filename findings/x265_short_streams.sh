#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1, x265 4.2): in a stream of one or two frames, packets of HEVC have decode times that are
# arbitrary numbers, some of them ages before the first frame.
#
# One, two, three and thirty frames of 64x48 are encoded 200 times each by new encoders of one process, at FFmpeg's
# defaults. From three frames on, the decode times are always -2, -1, 0 ...: two frames of delay. Of one or two frames
# they should be 0 or 0, 1; some are, and the others differ from encoder to encoder. A muxer is then handed times like
# -85569698610020656: Matroska, which stores none, mostly does not mind, and refuses some with "Invalid argument"; an
# MP4 starts that much too early. Who cuts footage into pieces and encodes each (scene by scene, parts of a farm,
# thumbnails as HEVC) meets it in the short pieces.
#
# Output seen (2026-11-29, PyAV 18.1.0, two cores; the counts, a tenth to all, and the times vary from run to run):
#   1 frames: 199 of 200 streams have wild decode times, such as -4340410370284600380
#   2 frames: 182 of 200 streams have wild decode times, such as -171798691880
#   3 frames: 0 of 200 streams have wild decode times
#   30 frames: 0 of 200 streams have wild decode times
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

RATE, RUNS, FRAMES_OF_DELAY = 25, 200, 16


def decode_times(count):
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"x265-params": "log-level=none"}
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 60 + 5 * number, np.uint8), "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [packet.dts for packet in packets]


wild = {}
for count in (1, 2, 3, 30):
    firsts = [decode_times(count)[0] for _ in range(RUNS)]
    found = [first for first in firsts if not -FRAMES_OF_DELAY <= first <= 0]
    example = f", such as {found[0]}" if found else ""
    print(f"{count} frames: {len(found)} of {RUNS} streams have wild decode times{example}")
    wild[count] = len(found)
sys.exit(0 if wild[1] + wild[2] > 0 == wild[3] + wild[30] else 1)
PY
