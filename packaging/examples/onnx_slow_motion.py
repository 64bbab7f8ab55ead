"""Slow motion by ONNX Runtime, without torch: the frames between two frames of a clip, as PNG files.

videoinr models export lite --onnx lite-onnx --size 320x180 --scale 2
python packaging/examples/onnx_slow_motion.py lite-onnx [CLIP] [--pair 6] [--count 8]

Any execution provider of ONNX Runtime will do: DirectML, OpenVINO, CoreML, ROCm, CUDA.
"""

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
from av.video.reformatter import Interpolation

import videoinr_resources

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", type=Path, help="the folder that videoinr models export wrote")
parser.add_argument("clip", nargs="?", default=videoinr_resources.path("demo/demo.mp4"))
parser.add_argument("--pair", type=int, default=6, help="number of the first of both frames")
parser.add_argument("--count", type=int, default=8, help="pictures from the first frame to before the second")
parser.add_argument("--out", type=Path, default=Path("onnx"))
options = parser.parse_args()

card = json.loads((options.model / "model.json").read_text())
width, height = card["frames"]
providers = onnxruntime.get_available_providers()
encoder, field, instant = (
    onnxruntime.InferenceSession(options.model / graph["file"], providers=providers) for graph in card["graphs"]
)


def run(session: onnxruntime.InferenceSession, known: dict[str, Any]) -> dict[str, Any]:
    """Run a graph on those of the known arrays that it reads; return its outputs by name."""
    names = [one.name for one in session.get_outputs()]
    return dict(
        zip(names, session.run(names, {one.name: known[one.name] for one in session.get_inputs()}), strict=True)
    )


with av.open(str(options.clip)) as container:
    frames = list(islice(container.decode(video=0), options.pair, options.pair + 2))
# Without the last two, colours are not interpolated at all where the size stays.
smooth = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
pictures = np.stack(
    [frame.to_ndarray(format="rgb24", width=width, height=height, interpolation=smooth) for frame in frames]
)
known = {"frames": np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)[None], np.float32) / 255}
known |= run(encoder, known)
known |= run(field, known)
options.out.mkdir(exist_ok=True)
for index in range(options.count):
    t = np.array([index / options.count], np.float32)
    (picture,) = run(instant, {**known, "t": t}).values()
    rgb = np.ascontiguousarray((picture[0].transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8))
    av.VideoFrame.from_ndarray(rgb, format="rgb24").save(options.out / f"{index:03d}.png")
print(f"{options.count} pictures in {options.out}")
