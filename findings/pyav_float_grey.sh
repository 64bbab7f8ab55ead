#!/bin/sh
# PyAV 18.1.0 (FFmpeg 8.1): grey floating-point pictures lose their darks and lights on the way to RGB or to 16-bit grey.
#
# Depth maps, mattes and luminance are kept as grey floats: "Pf" files, OpenEXR with the channel Y. swscale takes 1/16 for
# their black and 0.92 for their white, as if they had the limited range, whatever range it is told: a level of 0.06 becomes
# 0, one of 0.9 becomes 0.978. To 8-bit grey it is right, and so are RGB floats to all formats. Viewers, thumbnails
# and data sets that go through RGB or 16 bits get a harder picture; nothing warns.
#
# Output seen (2026-11-30, PyAV 18.1.0), what 0.06, 0.25, 0.5, 0.75 and 0.9 become, in 0 ... 1, told that it is full range:
#   grey floats to gray:     0.06 0.25 0.50 0.75 0.90
#   grey floats to gray16le: 0.00 0.22 0.51 0.80 0.98
#   grey floats to rgb24:    0.00 0.22 0.51 0.80 0.98
#   grey floats to rgb48le:  0.00 0.22 0.51 0.80 0.98
#   RGB floats to rgb24:     0.06 0.25 0.50 0.75 0.90
#   RGB floats to rgb48le:   0.06 0.25 0.50 0.75 0.90
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

LEVELS, FULL = np.float32([0.06, 0.25, 0.5, 0.75, 0.9]), ColorRange.JPEG
grey = np.ascontiguousarray(np.broadcast_to(LEVELS.repeat(16), (16, 80)))
rgb = np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))

errors = {}
for name, stored, form, targets in (
    ("grey floats", grey, "grayf32le", ("gray", "gray16le", "rgb24", "rgb48le")),
    ("RGB floats", rgb, "gbrpf32le", ("rgb24", "rgb48le")),
):
    for target in targets:
        frame = av.VideoFrame.from_ndarray(stored, format=form)
        frame.color_range = FULL
        made = VideoReformatter().reformat(frame, format=target, src_color_range=FULL, dst_color_range=FULL).to_ndarray()
        row = (made if made.ndim == 2 else made[..., 0])[8, 8::16] / np.iinfo(made.dtype).max
        errors[name, target] = float(np.abs(row - LEVELS).max())
        print(f"{name} to {target}:".ljust(24), " ".join(f"{level:.2f}" for level in row))
wrong = {pair for pair, error in errors.items() if error > 0.05}
right = {pair for pair, error in errors.items() if error < 0.003}
expected = {("grey floats", target) for target in ("gray16le", "rgb24", "rgb48le")}
sys.exit(0 if wrong == expected and right == errors.keys() - expected else 1)
PY
