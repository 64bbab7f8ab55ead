"""Measures a model of your own, and a method written here, beside the usual baseline: PSNR in dB.

python packaging/examples/own_model_psnr.py [FOLDER_OF_CLIPS] [--model runs/mine/finetune.safetensors]
"""

import argparse
from collections.abc import Sequence

import torch
import torch.nn.functional as F

import videoinr
import videoinr_resources
from videoinr.geometry import Grid


def nearest_in_time(low: torch.Tensor, grid: Grid, times: Sequence[float]) -> list[torch.Tensor]:
    """Bicubic upsampling of the nearer frame: ``low`` [2, 3, h, w] in 0 ... 1 -> one [3, H, W] for each time."""
    high = F.interpolate(low, (grid.height, grid.width), mode="bicubic", align_corners=False).clamp(0, 1)
    return [high[round(t)] for t in times]


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data", nargs="?", default=videoinr_resources.path("demo"))
parser.add_argument("--model", default="lite", help="a weights file (NAME.safetensors), or a shipped model")
parser.add_argument("--scale", type=float, default=4)
parser.add_argument("--time-scale", type=int, default=4)
options = parser.parse_args()

model = videoinr.load_model(options.model)
run = videoinr.evaluate(
    options.data,
    models=[model],
    baselines=["bicubic-blend"],
    methods={"nearest in time": nearest_in_time},
    scale=options.scale,
    time_scale=options.time_scale,
)
for name in ("bicubic-blend", model.card.name, "nearest in time"):
    summary = run.summary(name)
    print(f"{name:16} {summary.average.psnr_db:6.2f} dB, between the frames {summary.between.psnr_db:6.2f} dB")
print(run.protocol)
