#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): FFVHUFF, a lossless codec, does not store the last chroma column or row of pictures of odd size.
#
# FFmpeg's variant of HuffYUV takes 8 to 16 bits, and is used for intermediates and archives. Of subsampled pictures whose width
# or height is odd, as crops and phone clips have it, the encoder leaves out the last chroma samples: two pictures that
# differ there alone give the same bytes, and what comes back there is arbitrary, often 0, a green edge. 8-bit 4:2:0 and 4:2:2
# without alpha are right, or refused where the width is odd; the others are taken without an error or a warning. FFV1 keeps all.
#
# Output seen (2026-12-01, PyAV 18.1.0), noise, whether each plane comes back, and whether the last chroma sample is stored:
#   ffvhuff yuv420p10le 64x48: Y True  Cb True  Cr True   stored True
#   ffvhuff yuv420p10le 65x48: Y True  Cb False Cr False  stored False
#   ffvhuff yuv420p10le 64x49: Y True  Cb False Cr False  stored False
#   ffvhuff yuv422p10le 65x48: Y True  Cb False Cr False  stored False
#   ffvhuff yuva420p    65x49: Y True  Cb False Cr False  stored False
#   ffvhuff yuv444p10le 65x49: Y True  Cb True  Cr True   stored True
#   ffvhuff yuv420p     65x48: ArgumentError
#   ffv1    yuv420p10le 65x49: Y True  Cb True  Cr True   stored True
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.4.6
venv/bin/python - <<'PY'
import io
import sys
from fractions import Fraction

import av
import numpy as np

av.logging.set_level(av.logging.PANIC)


def frame_of(name, width, height, last):
    """Noise, with ``last`` in the last sample of each chroma plane."""
    frame = av.VideoFrame(width, height, name)
    deep = frame.format.components[0].bits > 8
    rng = np.random.default_rng(0)
    for index, plane in enumerate(frame.planes):
        count = plane.buffer_size // (2 if deep else 1)
        rows = rng.integers(0, 1024 if deep else 256, count, dtype=np.uint16).reshape(-1, plane.line_size // (2 if deep else 1))
        if index in (1, 2):
            rows[plane.height - 1, plane.width - 1] = last
        plane.update(rows.astype(np.uint16 if deep else np.uint8).tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def levels(frame):
    kind = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    size = np.dtype(kind).itemsize
    return [np.frombuffer(plane, kind).reshape(-1, plane.line_size // size)[: plane.height, : plane.width].copy() for plane in frame.planes]


def encode(codec, frame):
    file = io.BytesIO()
    with av.open(file, "w", format="nut") as clip:
        stream = clip.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        packets = [*stream.encode(frame), *stream.encode(None)]
        clip.mux(packets)
        data = b"".join(bytes(packet) for packet in packets)
    file.seek(0)
    return file, data


found = []
for codec, name, width, height in (
    ("ffvhuff", "yuv420p10le", 64, 48), ("ffvhuff", "yuv420p10le", 65, 48), ("ffvhuff", "yuv420p10le", 64, 49),
    ("ffvhuff", "yuv422p10le", 65, 48), ("ffvhuff", "yuva420p", 65, 49), ("ffvhuff", "yuv444p10le", 65, 49),
    ("ffvhuff", "yuv420p", 65, 48), ("ffv1", "yuv420p10le", 65, 49),
):
    label = f"{codec:7s} {name:11s} {width}x{height}:"
    one, two = (frame_of(name, width, height, last) for last in (100, 101))
    try:
        file, first = encode(codec, one)
    except av.error.FFmpegError as error:
        found.append(type(error).__name__)
        print(label, found[-1])
        continue
    with av.open(file) as clip:
        back = next(clip.decode(video=0))
    assert back.format.name == name
    same = [np.array_equal(a, b) for a, b in zip(levels(one), levels(back))]
    stored = first != encode(codec, two)[1]
    print(label, " ".join(f"{plane} {kept!s:5s}" for plane, kept in zip(("Y", "Cb", "Cr"), same)), f" stored {stored}")
    found.append((*same[:3], stored))
kept, lost = (True,) * 4, (True, False, False, False)
sys.exit(0 if found == [kept, lost, lost, lost, lost, kept, "ArgumentError", kept] else 1)
PY
