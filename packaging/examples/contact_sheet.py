"""Shows how one region changes between two frames: twelve instants of it side by side in one picture.

python packaging/examples/contact_sheet.py [CLIP] [-o sheet.png]
"""

import argparse

import av
import numpy as np

import videoinr
import videoinr_resources

COLUMNS, ROWS = 4, 3

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip", nargs="?", default=videoinr_resources.path("demo/demo.mp4"))
parser.add_argument("-o", "--out", default="sheet.png")
parser.add_argument("--pair", type=int, default=12)
parser.add_argument("--scale", type=float, default=4)
parser.add_argument("--region", type=int, nargs=4, default=(400, 200, 256, 192), help="x y width height, scaled pixels")
options = parser.parse_args()

x, y, width, height = options.region
phases = np.linspace(0, 1, COLUMNS * ROWS)
with videoinr.open(options.clip) as video:
    pair = video.encode(options.pair)  # once for all twelve
    pictures = [pair.decode(t=t, scale=options.scale, region=(x, y, width, height)) for t in phases]

rows = [np.hstack(pictures[start : start + COLUMNS]) for start in range(0, len(pictures), COLUMNS)]
av.VideoFrame.from_ndarray(np.vstack(rows), format="rgb24").save(options.out)
print(f"Saved {options.out}: t = {', '.join(f'{t:.2f}' for t in phases)}")
