#!/bin/sh
# webp 0.4.0: load_images(fps=30) of an animation of 30 frames per second repeats some frames and leaves others out.
#
# WebP keeps times in whole milliseconds: at 30 frames per second they are 33, 67, 100 ... The library picks, for each frame
# that is asked for, the one that is shown at its time, and compares 33.3 with 33. So who loads an animation at the rate at
# which the same library saved it gets a wrong frame in every third place, as many frames as there are, and no
# warning: training pairs that do not move, and jumps. Rates whose frames last whole milliseconds (10, 25, 50) are right, and so
# is load_images without fps.
#
# Output seen (2026-11-30, webp 0.4.0, Pillow 13.0.0), which of nine frames come back:
#   25 per second: saved 0 1 2 3 4 5 6 7 8   loaded at 25: 0 1 2 3 4 5 6 7 8   without fps: 0 1 2 3 4 5 6 7 8
#   30 per second: saved 0 1 2 3 4 5 6 7 8   loaded at 30: 0 1 1 3 4 4 6 7 7   without fps: 0 1 2 3 4 5 6 7 8
#   60 per second: saved 0 1 2 3 4 5 6 7 8   loaded at 60: 0 0 2 3 3 5 6 6 8   without fps: 0 1 2 3 4 5 6 7 8
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q webp==0.4.0 pillow==13.0.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import numpy as np
import webp
from PIL import Image

FRAMES = 9


def numbers(pictures):
    return [round(float(np.asarray(picture)[..., :3].mean()) / 25) for picture in pictures]


found = {}
for fps in (25, 30, 60):
    pictures = [Image.fromarray(np.full((32, 32, 3), 25 * number, np.uint8)) for number in range(FRAMES)]
    webp.save_images(pictures, "a.webp", fps=fps, lossless=True)
    with Image.open("a.webp") as saved:
        stored = []
        for number in range(saved.n_frames):
            saved.seek(number)
            stored.append(saved.convert("RGB"))
    lists = numbers(stored), numbers(webp.load_images("a.webp", "RGB", fps=fps)), numbers(webp.load_images("a.webp", "RGB"))
    found[fps] = lists[1]
    words = [" ".join(map(str, each)) for each in lists]
    print(f"{fps} per second: saved {words[0]}   loaded at {fps}: {words[1]}   without fps: {words[2]}")
    assert lists[0] == lists[2] == list(range(FRAMES))
sys.exit(0 if found[25] == list(range(FRAMES)) and found[30] != list(range(FRAMES)) != found[60] else 1)
PY
