#!/bin/sh
# flow-vis 0.1: one pixel of unknown flow turns the picture of a whole optical flow white.
#
# Middlebury's .flo format marks unknown flow by numbers above 1e9, and its own colour code leaves such pixels out.
# flow_to_color takes them for motion: it divides all by the greatest length, so that the known flow becomes white, and paints
# the unknown pixel as the fastest. There is no argument or warning for it. NaN, the other usual mark, is an IndexError. Whoever
# draws ground truth of real scenes, where there are always unknown pixels, has to set them to 0 first.
#
# Output seen (2026-11-30, flow-vis 0.1), of a flow that turns about the centre by up to 8 pixels, mean saturation 0 ... 1:
#   all known: 0.55   one unknown: 0.00, itself 1.00   with it set to 0: 0.55   with NaN: IndexError
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q flow-vis==0.1 numpy==2.2.6
venv/bin/python -W ignore - <<'PY'
import sys

import flow_vis
import numpy as np

SIZE, UNKNOWN = 64, 1666666752.0
y, x = (np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2) * (16 / SIZE)
flow = np.stack([-y, x], axis=2).astype(np.float32)


def saturation(picture):
    levels = picture.astype(float)
    return 1 - levels.min(2) / levels.max(2)


def with_corner(value):
    changed = flow.copy()
    changed[0, 0] = value
    return changed


known = saturation(flow_vis.flow_to_color(flow))
marked = saturation(flow_vis.flow_to_color(with_corner(UNKNOWN)))
zero = saturation(flow_vis.flow_to_color(with_corner(0)))
try:
    flow_vis.flow_to_color(with_corner(np.nan))
    nan = "no error"
except Exception as error:
    nan = type(error).__name__
print(f"all known: {known.mean():.2f}   one unknown: {marked[1:].mean():.2f}, itself {marked[0, 0]:.2f}", end="   ")
print(f"with it set to 0: {zero.mean():.2f}   with NaN: {nan}")
sys.exit(0 if known.mean() > 0.4 and zero.mean() > 0.4 and marked[1:].max() < 0.02 and nan == "IndexError" else 1)
PY
