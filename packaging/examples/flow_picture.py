"""Paints the motion from an instant to the next frame: the hue is its direction, the brightness its length.

python packaging/examples/flow_picture.py [CLIP] [-o flow.png]
"""

import argparse

import av
import numpy as np

import videoinr
import videoinr_resources

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip", nargs="?", default=videoinr_resources.path("demo/demo.mp4"))
parser.add_argument("-o", "--out", default="flow.png")
parser.add_argument("--pair", type=int, default=12)
parser.add_argument("-t", type=float, default=0.5, help="0 is the first frame, 1 the second")
options = parser.parse_args()

with videoinr.open(options.clip) as video:
    flow = video.encode(options.pair).flow(t=options.t)

to_second = flow[1]  # [height, width, 2]: x to the right and y down, in pixels of the clip
length = np.hypot(to_second[..., 0], to_second[..., 1])
angle = np.arctan2(to_second[..., 1], to_second[..., 0])
hue = 0.5 + 0.5 * np.cos(angle[..., None] - np.array([0, 2, 4]) * np.pi / 3)
picture = np.round(255 * hue * (length / max(float(length.max()), 1e-6))[..., None]).astype(np.uint8)

av.VideoFrame.from_ndarray(picture, format="rgb24").save(options.out)
print(f"Saved {options.out}: {length.mean():.2f} pixels on average, {length.max():.2f} at most")
