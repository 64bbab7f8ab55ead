"""Rank the expected error (decode/failure.py) and other candidates by how well they foretell the true error.

    python tests/benchmarks/rank_failure.py --data VAL --model lite --time-scale 4 --time-scale 8

Pairs are frames 0 and T of each window, at the clips' own size. Prints, for each candidate, Spearman's rank correlation
with the true error of the middle instant: *pixel* over the cells of a pair (mean over pairs, and the least one), and
*pair* over all pairs, between the root mean square of the candidate and the true mean squared error. Then, for each
pair, the true and the expected PSNR, and the area under the ROC curve by which candidates tell cuts (a frame of one
clip, and one of another) from pairs of one scene. Needs scipy.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor

from videoinr.clip.cuts import proxy_of, scene_change
from videoinr.decode.failure import NEAR_PX, PATH_SHARE, STILL_PX, measure_failure
from videoinr.evaluation.clips import cut, window_starts
from videoinr.evaluation.footage import find_footage
from videoinr.evaluation.metrics import luma
from videoinr.geometry import Grid
from videoinr.model.features import PairFeatures
from videoinr.model.ops import warp
from videoinr.model.representation import Representation
from videoinr.model.weights import load_model

BIG_MOTION_PX = 15.0
"""Mean motion of a pair, clip pixels, that counts as large."""


@dataclass(frozen=True)
class Measured:
    """One pair: the candidates' maps, and the true error (None for a cut)."""

    name: str
    maps: dict[str, Tensor]
    truth: Tensor | None
    true_db: float
    motion_px: float
    scene_change: float


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--model", default="lite")
    asked.add_argument("--time-scale", type=int, action="append")
    options = asked.parse_args()
    model = load_model(options.model).model
    scenes: list[Measured] = []
    for time_scale in options.time_scale or [4, 8]:
        pairs = [pair for each in _scenes(options.data, time_scale) for pair in _measured(model, *each)]
        if pairs:
            _print_ranks(time_scale, pairs)
            scenes += pairs
    _print_cuts(scenes, [pair for each in _cuts(options.data) for pair in _measured(model, *each)])


def _scenes(data: Path, time_scale: int) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Yield (name, both frames [2, 3, H, W], the true middle frame [3, H, W]) of every window."""
    for clip in find_footage(data):
        with clip.open(torch.device("cpu")) as frames:
            for start in window_starts(len(frames), time_scale):
                taken = [cut(frames[start + k], 16) for k in (0, time_scale, time_scale // 2)]
                yield f"{clip.name} {start}", torch.stack(taken[:2]), taken[2]


def _cuts(data: Path) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    clips = find_footage(data)
    for first, second in zip(clips, clips[3:] + clips[:3], strict=True):
        with first.open(torch.device("cpu")) as one, second.open(torch.device("cpu")) as other:
            frames = [cut(one[len(one) // 2], 16), cut(other[0], 16)]
        height, width = (min(frame.shape[side] for frame in frames) for side in (1, 2))
        yield f"{first.name} | {second.name}", torch.stack([frame[:, :height, :width] for frame in frames]), None


@torch.inference_mode()
def _measured(model: Representation, name: str, frames: Tensor, middle: Tensor | None) -> Iterator[Measured]:
    features = model.encode(frames[None])
    assert isinstance(features, PairFeatures)
    found = measure_failure(features)
    maps = {"expected error": found.error, **_candidates(features, found.cell_px)}
    levels = [(frame.permute(1, 2, 0) * 255).round().byte().numpy() for frame in frames]
    truth, true_db = None, math.nan
    if middle is not None:
        (picture,) = features.render(Grid(frames.shape[-1], frames.shape[-2]), [torch.tensor([0.5])])
        error = luma(picture[0].clamp(0, 1)) - luma(middle)
        truth = _near(F.avg_pool2d(error.abs()[None], found.cell_px)[0], 3)
        true_db = -10 * math.log10(float(error.square().mean()))
    motion_px = float(maps["motion"].mean()) * found.cell_px
    change = scene_change(*(proxy_of(frame) for frame in levels))
    yield Measured(name, maps, truth, true_db, motion_px, change)


def _candidates(features: PairFeatures, cell_px: int) -> dict[str, Tensor]:
    """Return the candidates' maps, [rows, columns]."""
    small = F.avg_pool2d(features.frames[0], cell_px)
    flow = F.avg_pool2d(features.prior.permute(0, 3, 1, 2), cell_px) / cell_px
    first, second = warp(small[:1], flow[:, :2]), warp(small[1:], flow[:, 2:])
    both = torch.cat((first, second))
    difference = (first - second).abs().mean((0, 1))
    slope = _slopes(both).norm(dim=2)
    gradient = _near(slope.mean((0, 1)))
    spread = _near(both.square(), 7) - _near(both, 7).square()
    contrast = spread.clamp(min=0).sqrt().mean((0, 1))
    motion = flow[:, 2:] - flow[:, :2]
    px = motion.norm(dim=1)[0]
    returned = motion - warp(motion, motion)
    turned = _slopes(flow)[0]
    stretch = [(1 + turned[k, 0]) * (1 + turned[k + 1, 1]) - turned[k, 1] * turned[k + 1, 0] for k in (0, 2)]
    one, other = luma(first[0]), luma(second[0])
    means = _near(one), _near(other)
    common = _near(one * other) - means[0] * means[1]
    powers = [_near(each * each) - mean * mean for each, mean in zip((one, other), means, strict=True)]
    disagreement = _near(difference)
    return {
        "frames' difference, no model": (small[0] - small[1]).abs().mean(0),
        "D: disagreement of the warped frames": disagreement,
        "D over local contrast": disagreement / (contrast + 4 / 255),
        "D beyond 1/4 px of gradient": _near((difference - 0.25 * gradient).clamp(min=0)),
        "1 - correlation of the warped frames": 1 - (common + 1e-4) / ((powers[0] + 1e-4) * (powers[1] + 1e-4)).sqrt(),
        "forward-backward inconsistency": returned.norm(dim=1)[0],
        "folds: |determinant - 1|": _near(sum(((each - 1).abs() for each in stretch), torch.zeros(1)) / 2),
        "asymmetry of the two flows": (flow[:, :2] + flow[:, 2:]).norm(dim=1)[0],
        "motion": px,
        "G: local gradient": gradient,
        "D + 0.1 G": disagreement + 0.1 * gradient,
        "D + 0.1 G + inconsistency": disagreement + gradient * (0.1 + 0.05 * returned.norm(dim=1)[0].clamp(max=12)),
        "D + G (0.05 + 0.1 M)": disagreement + gradient * (STILL_PX + PATH_SHARE / 2 * px),
        "D + min(G (0.05 + 0.4 M), S)": disagreement
        + torch.minimum(gradient * (STILL_PX + 2 * PATH_SHARE * px), contrast),
    }


def _slopes(maps: Tensor) -> Tensor:
    """Return central differences along x and y: [B, C, H, W] -> [B, C, 2, H, W]."""
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return torch.stack((dx, dy), 2)


def _near(maps: Tensor, side: int = NEAR_PX) -> Tensor:
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    return F.avg_pool2d(flat, side, 1, side // 2, count_include_pad=False).reshape(maps.shape)


def _rms(pair: Measured, candidate: str) -> float:
    return float(pair.maps[candidate].square().mean().sqrt())


def _rank(first: object, second: object) -> float:
    return float(spearmanr(first, second)[0])


def _print_ranks(time_scale: int, pairs: list[Measured]) -> None:
    print(f"x1, T = {time_scale}: {len(pairs)} pairs\n\n| candidate | pixel | least | pair |\n|---|---:|---:|---:|")
    true = [10 ** (-pair.true_db / 10) for pair in pairs]
    for candidate in pairs[0].maps:
        within = [
            _rank(pair.maps[candidate].flatten(), pair.truth.flatten()) for pair in pairs if pair.truth is not None
        ]
        across = _rank([_rms(pair, candidate) for pair in pairs], true)
        print(f"| {candidate} | {np.nanmean(within):.3f} | {np.nanmin(within):.2f} | {across:.3f} |")
    print("\n| pair | motion, px | true PSNR | expected |\n|---|---:|---:|---:|")
    for pair in pairs:
        expected_db = -20 * math.log10(_rms(pair, "expected error"))
        print(f"| {pair.name} | {pair.motion_px:.1f} | {pair.true_db:.1f} | {expected_db:.1f} |", flush=True)
    print()


def _print_cuts(scenes: list[Measured], cuts: list[Measured]) -> None:
    far = [pair for pair in scenes if pair.motion_px > BIG_MOTION_PX]
    print(f"{len(cuts)} cuts against {len(scenes)} pairs of one scene, {len(far)} of them with large motion: AUC\n")
    for candidate in cuts[0].maps:
        values = [[_rms(pair, candidate) for pair in group] for group in (cuts, scenes, far)]
        print(f"{candidate}: {_auc(values[0], values[1]):.3f}, {_auc(values[0], values[2]):.3f}")
    values = [[pair.scene_change for pair in group] for group in (cuts, scenes, far)]
    print(f"scene change (clip/cuts.py): {_auc(values[0], values[1]):.3f}, {_auc(values[0], values[2]):.3f}")


def _auc(higher: list[float], lower: list[float]) -> float:
    return float(np.mean([(a > b) + 0.5 * (a == b) for a in higher for b in lower])) if higher and lower else math.nan


if __name__ == "__main__":
    main()
