#!/bin/sh
# imageio-ffmpeg 0.8.1: of a clip with a variable rate, read_frames repeats some frames and drops others, at a rate it does not tell.
#
# Phones and screen recorders make such clips; this one has 8 frames in 1.08 s. FFmpeg brings them to a constant rate that it
# guesses (here 50), while meta["fps"] gives the mean rate: 54 frames are read where count_frames_and_secs counts 8, and one
# of the 8 is not among them. Whoever takes frame i for the time i / fps, or trains on neighbours, has other frames than
# those of the file. With output_params=["-fps_mode", "passthrough"] they are the file's, without their times.
#
# Output seen (2026-11-29, imageio-ffmpeg 0.8.1, PyAV 18.1.0):
#   counted: 8   told: 11.43 frames per second   read: 54   with passthrough: 8
#   times that each frame comes: [2, 2, 20, 22, 0, 3, 3, 2]
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy as np

TIMES_MSECS = (0, 40, 80, 500, 540, 580, 1000, 1040)

with av.open("a.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000)
    for number, time in enumerate(TIMES_MSECS):
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane, level in zip(frame.planes, (30 + 25 * number, 128, 128)):
            plane.update(bytes([level]) * plane.buffer_size)
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def frames(**options):
    reader = imageio_ffmpeg.read_frames("a.mp4", **options)
    meta = next(reader)
    return meta["fps"], [round(float(np.frombuffer(each, np.uint8).mean())) for each in reader]


counted = imageio_ffmpeg.count_frames_and_secs("a.mp4")[0]
rate, read = frames()
_, passed = frames(output_params=["-fps_mode", "passthrough"])
repeats = [read.count(level) for level in passed]
print(f"counted: {counted}   told: {rate} frames per second   read: {len(read)}   with passthrough: {len(passed)}")
print(f"times that each frame comes: {repeats}")
sys.exit(0 if counted == len(passed) == 8 and len(read) > 3 * counted and 0 in repeats else 1)
PY
