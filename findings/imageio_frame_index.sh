#!/bin/sh
# imageio 2.38.1 with its PyAV plugin: imread(clip, index=n) returns other frames than frame n, at a constant frame rate too.
#
# The index is turned into a time by the rate alone. A clip that begins after 0 (trimmed, recorded, MPEG-TS) is counted as if it
# began at 0: all indices up to there give frame 0. Where the container rounds times (29.97 in Matroska) or gives only those
# of decoding (AVI), the frame beside it comes back. There is no warning; its notes doubt only clips with B-frames, which these
# have not. Data sets of frame pairs that are read by index get wrong neighbours. In order (imiter) all frames are right, and
# so they are with constant_framerate=False, which decodes from the start each time.
#
# Output seen (2026-12-01, imageio 2.38.1, PyAV 18.1.0), clips of 60 frames, the frames that come back:
#   asked for                      0  5 12 24 37 48
#   MP4, 25 per second             0  5 12 24 37 48
#   MP4 that begins at 1.2 s       0  0  0  0  7 18
#   MPEG-TS, 25 per second         0  8 16 24 40 48
#   AVI, 25 per second             0  4 11 24 36 48
#   VP9 in Matroska, 29.97         0  5 13 25 38 49
#   the last two in order, and with constant_framerate=False: right
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q imageio==2.38.1 av==18.1.0 numpy==2.4.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import imageio.v3 as iio
import numpy as np

ASKED = (0, 5, 12, 24, 37, 48)
X264 = {"preset": "veryfast", "bf": "0", "g": "12"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "12"}


def write(name, codec, options, rate=Fraction(25), first=0):
    """Sixty frames that show their number as six bars, white for 1."""
    with av.open(name, "w") as clip:
        stream = clip.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(60):
            bars = [235 if number >> bit & 1 else 16 for bit in range(6)]
            picture = np.repeat(np.repeat(np.uint8(bars), 16)[None], 64, 0)
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = first + number, 1 / rate
            clip.mux(stream.encode(frame))
        clip.mux(stream.encode(None))


def shown(picture):
    return sum(int(picture[16:48, 16 * bit + 4 : 16 * bit + 12].mean() > 120) << bit for bit in range(6))


def by_index(name, **more):
    return [shown(iio.imread(name, plugin="pyav", index=number, **more)) for number in ASKED]


write("a.mp4", "libx264", X264)
write("late.mp4", "libx264", X264, first=30)
write("a.ts", "libx264", X264)
write("a.avi", "libx264", X264)
write("a.mkv", "libvpx-vp9", VP9, rate=Fraction(30000, 1001))
clips = {
    "MP4, 25 per second": "a.mp4", "MP4 that begins at 1.2 s": "late.mp4", "MPEG-TS, 25 per second": "a.ts",
    "AVI, 25 per second": "a.avi", "VP9 in Matroska, 29.97": "a.mkv",
}
found = []
print(f"{'asked for':30s}", *(f"{number:2d}" for number in ASKED))
for label, name in clips.items():
    found.append(by_index(name))
    print(f"{label:30s}", *(f"{number:2d}" for number in found[-1]))
right = True
for name in ("a.avi", "a.mkv"):
    right &= [shown(picture) for picture in iio.imiter(name, plugin="pyav")] == list(range(60))
    right &= by_index(name, constant_framerate=False) == list(ASKED)
print("the last two in order, and with constant_framerate=False:", "right" if right else "wrong")
expected = [
    list(ASKED), [0, 0, 0, 0, 7, 18], [0, 8, 16, 24, 40, 48], [0, 4, 11, 24, 36, 48], [0, 5, 13, 25, 38, 49],
]
sys.exit(0 if found == expected and right else 1)
PY
