#!/bin/sh
# decord 0.6.0: random access returns wrong frames of H.265 in open groups of pictures, which x265 makes by default.
#
# decord promises exact random access (get_batch, vr[i]), and data loaders count on it. After a seek to the key frame of an
# open group FFmpeg drops the frames that need the group before; decord counts on as if they were there. With bframes=3
# get_batch and vr[i] return a frame that comes three too late, and which ones they do so for depends on what was read
# before. Read in order, all are right; so is the same clip in closed groups (open-gop=0).
#
# Output seen (2026-11-29, decord 0.6.0, PyAV 18.1.0), the frames that come back for 24, 30, 36, 42:
#   open groups:   read in order [24, 30, 36, 42]  get_batch [27, 33, 39, 45]
#   closed groups: read in order [24, 30, 36, 42]  get_batch [24, 30, 36, 42]
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q decord==0.6.0 av==18.1.0 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import decord
import numpy as np

FRAMES, ASKED = 60, [24, 30, 36, 42]


def write(path, extra):
    params = "log-level=error:keyint=12:min-keyint=12:scenecut=0:bframes=3" + extra
    with av.open(path, "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": params})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame(128, 96, "yuv420p")
            for plane, value in zip(frame.planes, (20 + 3 * number, 128, 128)):
                np.frombuffer(plane, np.uint8)[:] = value
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def level(picture):
    return float(picture[..., 0].mean())


found = {}
for name, extra in (("open", ""), ("closed", ":open-gop=0")):
    write(f"{name}.mp4", extra)
    reader = decord.VideoReader(f"{name}.mp4")
    levels = np.array([level(reader[number].asnumpy()) for number in range(FRAMES)])
    assert len(reader) == FRAMES and (np.diff(levels) > 2).all()

    def numbers(pictures):
        return [int(np.abs(levels - level(picture)).argmin()) for picture in pictures]

    whole = decord.VideoReader(f"{name}.mp4")
    in_order = numbers(picture for number in range(FRAMES) for picture in [whole.next().asnumpy()] if number in ASKED)
    batch = numbers(decord.VideoReader(f"{name}.mp4").get_batch(ASKED).asnumpy())
    print(f"{name} groups:".ljust(14), "read in order", in_order, " get_batch", batch)
    found[name] = in_order == ASKED, batch == ASKED
sys.exit(0 if found == {"open": (True, False), "closed": (True, True)} else 1)
PY
