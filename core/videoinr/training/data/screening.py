"""Leaves out of a clip what would teach motion wrongly, and measures how much moves.

Everything is measured on luma shrunk by area to an eighth: noise and coding averaged away, 64 times less to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.clip.footage import Stretch

SHRINK = 8
MIN_THUMBNAIL = 8
"""Pictures too small for an eighth are shrunk less, so that this many pixels remain on the short side."""

CUT_LEVELS = 12.0
"""Mean change (of 255) below which nothing is called a cut: pans and zooms of ordinary footage stay under it."""
CUT_RATIO = 3.0
"""A cut changes the picture this many times more than the pairs around it do; fast motion lasts, and does not."""
CUT_NEIGHBOURS = 4
"""Pairs looked at on either side."""

SAME_LEVELS = 1.0
"""Where no thumbnail pixel (64 pixels' mean) changes by this much, nothing has moved: coding alone stays below it,
the noise of a camera and the smallest moving thing above it."""
STATIC_PAIRS = 4
"""So many pairs without change are a static stretch; fewer are frames shown twice (24 frames a second on 30)."""
MIN_RUN_FRAMES = 3
"""The shortest window takes two frames and one between."""

MATCHED_LEVEL, MATCHED_SLOPE = (0.229879, 0.540242, 0.229879), (-0.425287, 0.0, 0.425287)
"""Farid and Simoncelli's pair of three taps: the second is the derivative of the first for what the first lets pass."""
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Run:
    """Frames of one shot, equally far apart in time, each different from the last.

    ``frames``: their numbers in the clip. ``motion`` float32 [len(frames)]: how far a tenth of the picture moves at
    least until the next frame, pixels; the last is the one before it.
    """

    frames: range
    motion: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Screened:
    """A clip's runs, and how many of its ``frames`` were ``left_out`` for which reason."""

    frames: int
    runs: list[Run] = field(default_factory=list)
    cuts: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def screen(stretch: Stretch) -> Screened:
    """Split a clip at cuts, gaps in time, and frames shown twice; leave out what is static or too short."""
    thumbnails = thumbnails_of(stretch.pixels)
    scale = stretch.pixels.shape[1] / thumbnails.shape[1]
    change = np.abs(np.diff(thumbnails, axis=0))
    same = change.max((1, 2)) < SAME_LEVELS if len(change) else np.zeros(0, bool)
    cut = find_cuts(change.mean((1, 2)) if len(change) else np.zeros(0), same)
    motion = motion_between(torch.from_numpy(thumbnails)) * scale
    screened = Screened(len(thumbnails), cuts=int(cut.sum()))
    for shot in _split(range(len(thumbnails)), cut | ~stretch.steady):
        for frames in _runs_of(shot, same, screened.left_out):
            between = motion[frames.start : frames[-1]].reshape(len(frames) - 1, frames.step).sum(1)
            screened.runs.append(Run(frames, np.append(between, between[-1]).astype(np.float32)))
    return screened


def thumbnails_of(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [T, H, W, 3] -> luma, 0 ... 255, shrunk by area: float32 [T, h, w]."""
    _, height, width, _ = frames.shape
    by = max(1, min(SHRINK, min(height, width) // MIN_THUMBNAIL))
    rows, columns = height // by, width // by
    weights = np.array(LUMA, np.float32) / by**2
    thumbnails = np.empty((len(frames), rows, columns), np.float32)
    for number, frame in enumerate(frames):  # One by one: what is worked on stays in the processor's cache.
        whole = frame[: rows * by, : columns * by].reshape(rows, by, -1)
        sums = whole.sum(1, dtype=np.uint16).reshape(rows, columns, by, 3).sum(2, dtype=np.uint32)
        thumbnails[number] = sums @ weights
    return thumbnails


def find_cuts(change: NDArray[np.floating], same: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pairs lie across a cut, from each pair's mean change; ``same``: pairs without any."""
    cuts = np.zeros(len(change), bool)
    for pair in map(int, np.flatnonzero(change > CUT_LEVELS)):
        around = np.arange(max(0, pair - CUT_NEIGHBOURS), min(len(change), pair + CUT_NEIGHBOURS + 1))
        around = around[(around != pair) & ~same[around]]
        usual = float(np.median(change[around])) if len(around) else 0.0
        cuts[pair] = change[pair] > CUT_RATIO * usual
    return cuts


def _split(frames: range, between: NDArray[np.bool_]) -> list[range]:
    """Split at the pairs marked in ``between``, which are numbered as the clip's."""
    if not len(frames):
        return []
    ends = [*(int(pair) + 1 for pair in np.flatnonzero(between[frames[0] : frames[-1]]) + frames[0]), frames[-1] + 1]
    return [range(start, end) for start, end in zip([frames[0], *ends], ends, strict=False)]


def _runs_of(shot: range, same: NDArray[np.bool_], left_out: dict[str, int]) -> list[range]:
    """The runs of one shot; frames in none are counted in ``left_out``."""
    holds = _split(shot, ~same)  # Each: one picture and how long it is held.
    step = _held_for([len(hold) for hold in holds])
    if step > 1:
        run = range(holds[0][-1], holds[-1].stop, step)  # The last frame of each hold: the clip may begin within one.
        left_out["shown twice"] = left_out.get("shown twice", 0) + len(shot) - len(run)
        return [run]
    runs = []
    for run in _split(shot, same):
        if len(run) >= MIN_RUN_FRAMES:
            runs.append(run)
            continue
        static = any(len(hold) > STATIC_PAIRS and run[0] in hold for hold in holds)
        doubled = any(len(hold) > 1 and frame in hold for hold in holds for frame in run)
        reason = "static" if static else "shown twice" if doubled else "too short"
        left_out[reason] = left_out.get(reason, 0) + len(run)
    return runs


def _held_for(lengths: list[int]) -> int:
    """How many frames every picture is held for (drawn animation: 2 or 3); 1 if they are not all held alike."""
    inner = set(lengths[1:-1])
    if len(lengths) < MIN_RUN_FRAMES + 1 or len(inner) != 1:
        return 1
    step = inner.pop()
    return step if 1 < step <= STATIC_PAIRS and max(lengths[0], lengths[-1]) <= step else 1


@torch.no_grad()
def motion_between(thumbnails: Tensor) -> NDArray[np.float32]:
    """[T, h, w] -> float32 [T - 1]: the 90th percentile of how far each pair's points move, thumbnail pixels.

    Least squares on gradients (Lucas and Kanade), coarse to fine on three levels: within a third where there is
    texture, rather too much than too little; where there is none it says 0. Motion over a fifth of the picture is lost.
    """
    if len(thumbnails) < 2:
        return np.zeros(0, np.float32)
    levels = [thumbnails[:, None]]
    while len(levels) < 3 and min(levels[-1].shape[-2:]) >= 2 * MIN_THUMBNAIL:
        levels.append(F.avg_pool2d(levels[-1], 2))
    flow = torch.zeros((len(thumbnails) - 1, 2, *levels[-1].shape[-2:]))
    for level in reversed(levels):
        size = level.shape[-2:]
        if flow.shape[-2:] != size:
            flow = 2 * F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
        flow = _refined(level[:-1], level[1:], flow)
    return torch.quantile(flow.square().sum(1).sqrt().flatten(1), 0.9, dim=1).numpy()


def _refined(first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
    """``flow`` [T, 2, h, w] (x, y, pixels) after one step of least squares in windows of 7 x 7."""
    height, width = first.shape[-2:]
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    where = torch.stack([(xs + flow[:, 0] + 0.5) * 2 / width - 1, (ys + flow[:, 1] + 0.5) * 2 / height - 1], -1)
    moved = F.grid_sample(second, where, padding_mode="border", align_corners=False)
    dx, dy, dt = _slopes(first, moved)
    sums = F.avg_pool2d(torch.cat([dx * dx, dx * dy, dy * dy, dx * dt, dy * dt], 1), 7, 1, 3, count_include_pad=False)
    xx, xy, yy, xt, yt = (sums[:, each : each + 1] for each in range(5))
    # One squared level per pixel: slopes weaker than noise say nothing, and the flow stays as it was.
    xx, yy = xx + 1, yy + 1
    determinant = xx * yy - xy * xy
    step = torch.cat([xy * yt - yy * xt, xy * xt - xx * yt], 1) / determinant
    return flow + step.clamp(-2, 2)


def _slopes(first: Tensor, moved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of [T, 1, h, w], along x, y and time: by filters that see the same blur, or steps would come out too long."""
    level, slope = (torch.tensor(each, dtype=first.dtype) for each in (MATCHED_LEVEL, MATCHED_SLOPE))
    kernels = torch.stack([torch.outer(level, slope), torch.outer(slope, level), torch.outer(level, level)])[:, None]
    still, change = (F.pad(each, (1, 1, 1, 1), mode="replicate") for each in ((first + moved) / 2, moved - first))
    slopes = F.conv2d(still, kernels[:2])
    return slopes[:, :1], slopes[:, 1:], F.conv2d(change, kernels[2:])
