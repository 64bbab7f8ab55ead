"""Screening of training clips: split them at cuts, leave out damaged, repeated and static frames, and measure motion.

Cuts are those of clip/pair_kinds.py. All else is measured on thumbnails: luma averaged over blocks of 8 x 8 pixels.
They have less noise and fewer compression artefacts, and 64 times fewer pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.clip.footage import Stretch
from videoinr.clip.memory_clip import open_frames
from videoinr.clip.pair_kinds import PairKinds
from videoinr.evaluation.optical_flow import LucasKanade

DOWNSAMPLING = 8
MIN_THUMBNAIL = 8
"""Least side of a thumbnail, pixels. Small frames are downsampled less than by DOWNSAMPLING."""

SAME_LEVELS = 1.0
"""Two frames are the same if no thumbnail pixel changes by this much. Compression artefacts stay below it; camera noise
and small moving objects exceed it."""
STATIC_PAIRS = 4
"""More frames in a row than this without change are static; fewer are repeated frames (24 fps shown at 30 fps)."""
MIN_RUN_FRAMES = 3
"""The shortest window: two input frames and one between them."""

MATCHED_SMOOTH, MATCHED_SLOPE = (0.229879, 0.540242, 0.229879), (-0.425287, 0.0, 0.425287)
"""Farid and Simoncelli's matched filters of three taps: the second is the derivative of the first."""
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Run:
    """Frames of one shot at equal time steps, each different from the previous one.

    ``frames``: their numbers in the clip. ``motion`` float32 [len(frames)]: the 90th percentile of the flow's length
    to the next frame, pixels; the last value repeats the one before it.
    """

    frames: range
    motion: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Screened:
    """A clip's runs. ``frames``: frames in the clip. ``left_out``: how many of them are in no run, by reason."""

    frames: int
    runs: list[Run] = field(default_factory=list)
    cuts: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def screen(stretch: Stretch) -> Screened:
    """Split a clip into runs at cuts, gaps in time, damaged and repeated frames. Leave out what is static or short."""
    thumbnails = thumbnails_of(stretch.pixels)
    scale = stretch.pixels.shape[1] / thumbnails.shape[1]
    change = np.abs(np.diff(thumbnails, axis=0))
    same = change.max((1, 2)) < SAME_LEVELS if len(change) else np.zeros(0, bool)
    cut = _cuts_of(stretch.pixels)
    motion = motion_between(torch.from_numpy(thumbnails)) * scale
    screened = Screened(len(thumbnails), cuts=int(cut.sum()))
    # On both sides of a damaged frame, which then stands alone.
    around = np.zeros(len(cut), bool)
    around[[pair for frame in stretch.damaged for pair in (frame - 1, frame) if 0 <= pair < len(cut)]] = True
    for shot in _split(range(len(thumbnails)), cut | ~stretch.steady | around):
        if shot[0] in stretch.damaged:
            screened.left_out["damaged"] = screened.left_out.get("damaged", 0) + len(shot)
            continue
        for frames in _runs_of(shot, same, screened.left_out):
            between = motion[frames.start : frames[-1]].reshape(len(frames) - 1, frames.step).sum(1)
            screened.runs.append(Run(frames, np.append(between, between[-1]).astype(np.float32)))
    return screened


def thumbnails_of(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return luma thumbnails, float32 [T, h, w] in 0 ... 255, of RGB frames uint8 [T, H, W, 3]: means over blocks."""
    _, height, width, _ = frames.shape
    by = max(1, min(DOWNSAMPLING, min(height, width) // MIN_THUMBNAIL))
    rows, columns = height // by, width // by
    weights = np.array(LUMA, np.float32) / by**2
    thumbnails = np.empty((len(frames), rows, columns), np.float32)
    for number, frame in enumerate(frames):  # One by one, so that the data stays in the CPU's cache.
        whole = frame[: rows * by, : columns * by].reshape(rows, by, -1)
        sums = whole.sum(1, dtype=np.uint16).reshape(rows, columns, by, 3).sum(2, dtype=np.uint32)
        thumbnails[number] = sums @ weights
    return thumbnails


def _cuts_of(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pairs of consecutive frames have a cut between them, bool [T - 1]: as the viewer judges them."""
    cuts = np.zeros(len(frames) - 1, bool)
    with open_frames(frames, fps=Fraction(25)) as clip:
        cuts[list(PairKinds(clip).cut_pairs())] = True
    return cuts


def _split(frames: range, between: NDArray[np.bool_]) -> list[range]:
    """Split ``frames`` at the pairs that ``between`` (numbered as in the clip) marks."""
    if not len(frames):
        return []
    ends = [*(int(pair) + 1 for pair in np.flatnonzero(between[frames[0] : frames[-1]]) + frames[0]), frames[-1] + 1]
    return [range(start, end) for start, end in zip([frames[0], *ends], ends, strict=False)]


def _runs_of(shot: range, same: NDArray[np.bool_], left_out: dict[str, int]) -> list[range]:
    """Return the runs of one shot. Frames in no run are counted in ``left_out``, by reason."""
    holds = _split(shot, ~same)  # Each hold: consecutive equal frames.
    step = _held_for([len(hold) for hold in holds])
    if step > 1:
        run = range(holds[0][-1], holds[-1].stop, step)  # Last frames, as the clip may start inside a hold.
        left_out["repeated"] = left_out.get("repeated", 0) + len(shot) - len(run)
        return [run]
    runs = []
    for run in _split(shot, same):
        if len(run) >= MIN_RUN_FRAMES:
            runs.append(run)
            continue
        static = any(len(hold) > STATIC_PAIRS and run[0] in hold for hold in holds)
        doubled = any(len(hold) > 1 and frame in hold for hold in holds for frame in run)
        reason = "static" if static else "repeated" if doubled else "too short"
        left_out[reason] = left_out.get(reason, 0) + len(run)
    return runs


def _held_for(lengths: list[int]) -> int:
    """Return for how many frames every picture is held (2 or 3 in drawn animation), or 1 if the holds differ."""
    inner = set(lengths[1:-1])
    if len(lengths) < MIN_RUN_FRAMES + 1 or len(inner) != 1:
        return 1
    step = inner.pop()
    return step if 1 < step <= STATIC_PAIRS and max(lengths[0], lengths[-1]) <= step else 1


@torch.no_grad()
def motion_between(thumbnails: Tensor) -> NDArray[np.float32]:
    """Measure the motion between consecutive thumbnails.

    The error is within a third of the motion where there is texture, more often too much than too little. Without
    texture the result is 0. Motion over a fifth of the picture is not found.

    Args:
        thumbnails: Luma float32 [T, h, w], 0 ... 255.

    Returns:
        float32 [T - 1]: the 90th percentile over pixels of the flow's length in each pair, thumbnail pixels.
    """
    if len(thumbnails) < 2:
        return np.zeros(0, np.float32)
    levels = [thumbnails[:, None]]
    while len(levels) < FLOW_LEVELS and min(levels[-1].shape[-2:]) >= 2 * MIN_THUMBNAIL:
        levels.append(F.avg_pool2d(levels[-1], 2))
    flow = FLOW.flow([level[:-1] for level in levels], [level[1:] for level in levels])
    return torch.quantile(flow.square().sum(1).sqrt().flatten(1), 0.9, dim=1).numpy()


def _matched_gradients(first: Tensor, warped: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives along x and y of the mean of two [T, 1, h, w], by Farid and Simoncelli's filters."""
    smooth, slope = _taps(MATCHED_SMOOTH), _taps(MATCHED_SLOPE)
    kernels = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)])[:, None]
    gradients = F.conv2d(_padded((first + warped) / 2), kernels)
    return gradients[:, :1], gradients[:, 1:]


def _matched_difference(first: Tensor, warped: Tensor, inside: Tensor) -> Tensor:
    """``first`` - ``warped``, smoothed as much as the gradients are: otherwise steps would be too long."""
    smooth = _taps(MATCHED_SMOOTH)
    return F.conv2d(_padded(first - warped), torch.outer(smooth, smooth)[None, None])


def _taps(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _padded(images: Tensor) -> Tensor:
    return F.pad(images, (1, 1, 1, 1), mode="replicate")


def _box_window(maps: Tensor) -> Tensor:
    """Mean of [T, C, h, w] over 7 x 7 pixels, at the border over those inside."""
    return F.avg_pool2d(maps, 7, 1, 3, count_include_pad=False)


FLOW_LEVELS = 3
FLOW = LucasKanade(
    gradients=_matched_gradients,
    residual=_matched_difference,
    window=_box_window,
    noise=1.0,
    max_step_px=2.0,
    iterations=1,
    scale=2.0,
)
"""One step per level is enough to tell still frames from moving ones, and a long clip is screened in seconds."""
