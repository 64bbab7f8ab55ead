"""Writes half a second of a clip four times slower, at 60 frames per second and twice the size.

python packaging/examples/slow_motion.py [CLIP] [-o slow.mp4]
"""

import argparse

import videoinr
import videoinr_resources

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip", nargs="?", default=videoinr_resources.path("demo/demo.mp4"))
parser.add_argument("-o", "--out", default="slow.mp4")
parser.add_argument("--start", type=float, default=0.5, help="second of the clip")
parser.add_argument("--end", type=float, default=1.0, help="second of the clip")
parser.add_argument("--scale", type=float, default=2)
options = parser.parse_args()

path = videoinr.export(
    options.clip,
    options.out,
    start=options.start,
    end=options.end,
    fps=60,
    speed=0.25,
    scale=options.scale,
    overwrite=True,
    progress=lambda progress: print(f"\r{progress.done} of {progress.total} frames", end=""),
)
print(f"\nSaved {path}")
