#!/bin/sh
# erqa 1.1.2: two equal pictures without edges have the score 0, the worst there is.
#
# ERQA compares the edges that a super-resolution model restored with the true ones: 1 is a perfect restoration. Where there are
# none to find, as in a fade to black, a title card's ground, sky or fog, it divides nothing by nothing and returns 0. A clip's
# mean over its frames is pulled down by frames that are restored to the bit, and two models cannot be told apart there.
# So does a picture whose edges are too soft for its Canny detector.
#
# Output seen (2026-11-30, erqa 1.1.2), each picture compared with itself:
#   noise           1.0
#   grey            0
#   black           0
#   a soft ramp     0
#   a clip of four frames that fades to black, mean 0.5
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q erqa==1.1.2 opencv-python-headless==4.11.0.86 numpy==2.4.6
venv/bin/python - <<'PY'
import sys

import erqa
import numpy as np

score = erqa.ERQA()
noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
ramp = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 3, 2).repeat(64, 0)
found = {}
for name, picture in (
    ("noise", noise), ("grey", np.full_like(noise, 128)), ("black", np.zeros_like(noise)), ("a soft ramp", ramp),
):
    found[name] = score(picture.copy(), picture)
    print(f"{name:15s} {found[name]}")
clip = [(noise * share).astype(np.uint8) for share in (1, 0.5, 0.05, 0)]
mean = np.mean([score(frame.copy(), frame) for frame in clip])
print("a clip of four frames that fades to black, mean", mean)
sys.exit(0 if list(found.values()) == [1, 0, 0, 0] and mean == 0.5 else 1)
PY
