"""The protocol "clips": windows of T frames of clean clips, degraded, and restored in space and time.

LR = antialiased bicubic x 1/scale, 8 bits; inputs frames 0 and T of each window, stride T; outputs at t = k/T,
k = 0 ... T-1; PSNR-Y of the clamped float prediction, no border cut off, mean over frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.evaluation.metrics import psnr_y
from videoinr.geometry import Grid
from videoinr.images import enlarge_bicubic, shrink
from videoinr.model.video_inr import VideoINR
from videoinr.training.readers import read_frames

Restorer = Callable[[Tensor, Grid, Sequence[float]], list[Tensor]]
"""(LR pair [2, 3, h, w], output grid, times 0 ... 1) -> pictures [3, H, W], one for each time."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """Space scale and time scale T, and the multiple that clips are cut down to (from the top left)."""

    space_scale: float
    time_scale: int
    cut_to: int = 16

    def __str__(self) -> str:
        window = self.time_scale
        return (
            f"space x{self.space_scale:g}, time x{window}: LR = antialiased bicubic, 8 bits; inputs are frames 0 and "
            f"{window} of each window, stride {window}; outputs at t = k/{window}, k = 0 ... {window - 1}; PSNR on "
            f"BT.601 Y of the float prediction, clamped, not rounded, no border cut; frames cut to multiples of "
            f"{self.cut_to}; mean over frames"
        )


@dataclass(frozen=True, slots=True)
class FrameScore:
    """PSNR-Y (dB) of one output frame; ``number`` k of the window, 0 being the input instant."""

    clip: str
    method: str
    number: int
    psnr_db: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean PSNR-Y (dB) over all outputs, over input instants (k = 0) and over those between."""

    average_db: float
    input_db: float
    between_db: float
    frames: int


def blend_bicubic(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """The baseline: (1 - t) I0 + t I1, enlarged bicubically."""
    mixed = torch.stack([(1 - t) * low[0] + t * low[1] for t in times])
    return list(enlarge_bicubic(mixed, height=grid.height, width=grid.width))


def restorer_from_model(model: VideoINR) -> Restorer:
    """A model as a restorer."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        features = model.encode(low[None])
        return [model.render(features, grid, [low.new_tensor([t])])[0][0].clamp(0, 1) for t in times]

    return restore


@torch.inference_mode()
def score_clip(frames: Tensor, name: str, protocol: Protocol, methods: dict[str, Restorer]) -> list[FrameScore]:
    """Scores of every output frame of every method on one clip, ``frames`` [T, 3, H, W] in 0 ... 1."""
    window, scale = protocol.time_scale, protocol.space_scale
    height, width = (side // protocol.cut_to * protocol.cut_to for side in frames.shape[-2:])
    frames = frames[..., :height, :width]
    low = shrink(frames, height=round(height / scale), width=round(width / scale)) if scale != 1 else frames
    scores = []
    for start in range(0, len(frames) - window, window):
        pair, times = low[[start, start + window]], [k / window for k in range(window)]
        for method, restore in methods.items():
            for k, picture in enumerate(restore(pair, Grid(width, height), times)):
                scores.append(FrameScore(name, method, k, psnr_y(picture, frames[start + k])))
    return scores


def score_folder(
    clips: Sequence[Path], protocol: Protocol, methods: dict[str, Restorer], device: torch.device
) -> list[FrameScore]:
    """Scores over several clips. Raises UsageError if no clip is long enough for one window."""
    scores = []
    for path in clips:
        frames = torch.from_numpy(read_frames(path)).to(device).permute(0, 3, 1, 2).float() / 255
        scores += score_clip(frames, path.name, protocol, methods)
    if not scores:
        raise UsageError(f"No clip has the {protocol.time_scale + 1} frames that one window needs.")
    return scores


def summarise(scores: Sequence[FrameScore]) -> Summary:
    """Means over some frames' scores."""
    at_inputs = [score.psnr_db for score in scores if score.number == 0]
    between = [score.psnr_db for score in scores if score.number > 0]
    return Summary(_mean([*at_inputs, *between]), _mean(at_inputs), _mean(between), len(scores))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
