#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): x264 encodes the same frames into different bytes within one process.
#
# Sixty frames of 320x192 are encoded a hundred times by new encoders of one process, constant quality, preset medium,
# all options at their defaults but for the number of threads. x264 is documented to give the same bytes unless
# `non-deterministic` is set. Without the macroblock tree (mbtree=0) all are equal. Debian 12's ffmpeg (5.1), a process
# for each run, gives one result. Whoever compares hashes of encoded files, or publishes scores on coded clips, sees it.
#
# Output seen (2026-11-29, PyAV 18.1.0, two cores; the counts vary):
#   threads 1, defaults: 1 different results of 100 (4 in another run)
#   threads 4, defaults: 6 different results of 100
#   threads 1, mbtree=0: 1 different results of 100
#   threads 4, mbtree=0: 1 different results of 100
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import hashlib
import sys
from fractions import Fraction

import av
import numpy as np

WIDTH, HEIGHT, FRAMES, MOST_RUNS = 320, 192, 60, 100
x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))


def planes(number):
    luma = (128 + 90 * np.sin((x + 2 * number) / 5) * np.cos((y + number) / 4)).astype(np.uint8)
    chroma = np.resize(luma[::2, ::2] // 2 + 64, (HEIGHT // 2, WIDTH))
    return np.concatenate([luma, chroma])


pictures = [planes(number) for number in range(FRAMES)]


def encoded(threads, options):
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, 30), Fraction(30), 250
    encoder.thread_count, encoder.options = threads, {"crf": "30", "preset": "medium", **options}
    data = hashlib.sha256()
    for number, picture in enumerate([*pictures, None]):
        frame = picture if picture is None else av.VideoFrame.from_ndarray(picture, "yuv420p")
        if frame is not None:
            frame.pts = number
        for packet in encoder.encode(frame):
            data.update(bytes(packet))
    return data.hexdigest()


kinds = {}
for options in ({}, {"mbtree": "0"}):
    for threads in (1, 4):
        results = {encoded(threads, options) for _ in range(MOST_RUNS)}
        name = "mbtree=0" if options else "defaults"
        print(f"threads {threads}, {name}: {len(results)} different results of {MOST_RUNS}")
        kinds[name] = max(kinds.get(name, 0), len(results))
sys.exit(0 if kinds["defaults"] > 1 == kinds["mbtree=0"] else 1)
PY
