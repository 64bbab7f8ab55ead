#!/bin/sh
# Animated PNG: PyAV 18.1.0 (FFmpeg 8.1) and Pillow 13.0.0 each show wrong frames, in different cases.
#
# A frame says how it is laid on the canvas (source, over), and what happens to it afterwards (none, background, previous).
# FFmpeg takes a frame of the whole size that is cleared afterwards ("background") for a key frame, and loses what it is
# laid over: it comes out on transparent ground. Pillow does not take frames back that are laid "over" and marked
# "previous": they stay in all later ones. Browsers follow the format. Animations with "none" alone are right in both.
#
# Output seen (2026-11-30, PyAV 18.1.0, Pillow 13.0.0): a blue canvas, two frames laid over it, colours at three places
#   background: wanted blue red blue, then - - green
#                 PyAV - red -, then - - green
#               Pillow blue red blue, then - - green
#   previous:   wanted blue red blue, then blue blue green
#                 PyAV blue red blue, then blue blue green
#               Pillow blue red blue, then blue red green
#
# Exit 0 while that holds, 1 if it changed. Needs python3 with venv, and the package index.
set -e
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install -q av==18.1.0 pillow==13.0.0 numpy==2.2.6
venv/bin/python - <<'PY'
import sys

import av
import numpy as np
from PIL import Image

SIZE = 32, 24
NAMES = {(0, 0, 255, 255): "blue", (255, 0, 0, 255): "red", (0, 255, 0, 255): "green"}
PLACES = (12, 2), (12, 12), (12, 22)


def overlay(colour, left):
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[8:16, left : left + 8] = pixels[0, 0] = pixels[-1, -1] = (*colour, 255)
    return Image.fromarray(pixels)


def colours(picture):
    found = (NAMES.get(tuple(int(value) for value in picture[place])) for place in PLACES)
    return " ".join(name or "-" for name in found)


def by_pyav():
    with av.open("a.png", format="apng") as container:
        return [colours(frame.to_ndarray(format="rgba")) for frame in container.decode(video=0)]


def by_pillow():
    with Image.open("a.png") as picture:
        found = []
        for number in range(picture.n_frames):
            picture.seek(number)
            found.append(colours(np.asarray(picture.convert("RGBA"))))
        return found


right = {"background": ["blue red blue", "- - green"], "previous": ["blue red blue", "blue blue green"]}
readers, found = {"PyAV": by_pyav, "Pillow": by_pillow}, {}
for number, (disposal, wanted) in enumerate(right.items(), 1):
    Image.new("RGBA", SIZE, (0, 0, 255, 255)).save(
        "a.png", save_all=True, append_images=[overlay((255, 0, 0), 8), overlay((0, 255, 0), 18)], duration=100,
        disposal=[0, number, 0], blend=[0, 1, 1],
    )  # fmt: skip
    print(f"{disposal + ':':11s} wanted", ", then ".join(wanted))
    for name, read in readers.items():
        first, *found[disposal, name] = read()
        assert first == "blue blue blue"
        print(f"{name:>18s}", ", then ".join(found[disposal, name]))
wrong = {case for case, shown in found.items() if shown != right[case[0]]}
sys.exit(0 if wrong == {("background", "PyAV"), ("previous", "Pillow")} else 1)
PY
