"""One clip under a protocol: windows of T frames, degraded, restored in space and time, and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from videoinr.devices import is_out_of_memory
from videoinr.errors import DeviceError
from videoinr.evaluation.footage import Frames
from videoinr.evaluation.metrics import psnr, ssim
from videoinr.evaluation.optical_flow import flow_difference, optical_flow
from videoinr.evaluation.protocols import Protocol
from videoinr.geometry import Grid
from videoinr.images import downsample, enlarge_bicubic
from videoinr.model.representation import Representation

Method = Callable[[Tensor, Grid, Sequence[float]], list[Tensor]]
"""(LR pair [2, 3, h, w], output grid, times 0 ... 1) -> pictures [3, H, W], one for each time."""

OnPicture = Callable[[str, int, Tensor], None]
"""Told of every output: (method, frame of the clip, picture [3, H, W])."""


@dataclass(frozen=True, slots=True)
class FrameScore:
    """What one output frame is worth.

    ``frame``: its index in the clip; ``number``: k of its window, 0 being the input instant. ``flow_error_px``: tOF
    of the step from the frame before to this one, None where it is not measured. ``secs``: its share of the time
    that its window took to restore.
    """

    clip: str
    method: str
    frame: int
    number: int
    psnr_db: float
    ssim: float
    flow_error_px: float | None
    secs: float


def blend_bicubic(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """The baseline: (1 - t) I0 + t I1, enlarged bicubically."""
    mixed = torch.stack([(1 - t) * low[0] + t * low[1] for t in times])
    return list(enlarge_bicubic(mixed, height=grid.height, width=grid.width))


def method_from_model(model: Representation) -> Method:
    """A model as a restorer: one encoding and one spatial feature for all times of a pair."""

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        return _rendered(model, model.encode(low[None]), grid, times)

    return restore


@torch.inference_mode()
def score_clip(
    frames: Frames,
    name: str,
    protocol: Protocol,
    methods: Mapping[str, Method],
    *,
    on_picture: OnPicture = lambda method, frame, picture: None,
) -> list[FrameScore]:
    """Scores of every output frame of every method on one clip; one window at a time is held in memory."""
    scores, trails = [], {method: _Trail(protocol.flicker) for method in methods}
    true_trail, times = _Trail(protocol.flicker), [k / protocol.time_scale for k in range(protocol.time_scale)]
    for start in window_starts(len(frames), protocol.time_scale):
        truth, low = read_window(frames, start, protocol)
        true_flows = true_trail.flows(list(truth[:-1]))
        for method, restore in methods.items():
            pictures, secs = _timed(restore, low, Grid(truth.shape[-1], truth.shape[-2]), times)
            flows = trails[method].flows(pictures)
            for k, picture in enumerate(pictures):
                on_picture(method, start + k, picture)
                quality = (psnr(picture, truth[k], protocol.channel), ssim(picture, truth[k], protocol.channel))
                flicker = _flow_error(flows[k], true_flows[k])
                scores.append(FrameScore(name, method, start + k, k, *quality, flicker, secs))
    return scores


def window_starts(frame_count: int, time_scale: int) -> range:
    """The first frames of the windows that a clip of ``frame_count`` frames has."""
    return range(0, frame_count - time_scale, time_scale)


def read_window(frames: Frames, start: int, protocol: Protocol) -> tuple[Tensor, Tensor]:
    """The true frames [T + 1, 3, H, W] of a window, and its input: the first and last, degraded, [2, 3, h, w]."""
    truth = torch.stack([cut(frames[start + k], protocol.cut_to) for k in range(protocol.time_scale + 1)])
    return truth, degraded(truth[[0, -1]], protocol.space_scale)


def cut(frame: Tensor, multiple: int) -> Tensor:
    """[3, H, W] -> the same, cut from the top left to multiples of ``multiple`` pixels."""
    height, width = (side // multiple * multiple for side in frame.shape[-2:])
    return frame[..., :height, :width]


def degraded(frames: Tensor, space_scale: float) -> Tensor:
    """[B, 3, H, W] -> the low-resolution input, sides rounded; at x1 the frames themselves."""
    if space_scale == 1:
        return frames
    height, width = (max(1, round(side / space_scale)) for side in frames.shape[-2:])
    return downsample(frames, height=height, width=width)


class _Trail:
    """The optical flow from each picture to the next, also from a window's last one to the next window's first."""

    def __init__(self, active: bool) -> None:
        self._active = active
        self._last: Tensor | None = None

    def flows(self, pictures: Sequence[Tensor]) -> list[Tensor | None]:
        """The flow that leads to each picture; None for a clip's first one, and for all where nobody wants any."""
        if not self._active:
            return [None] * len(pictures)
        before, self._last = [self._last, *pictures[:-1]], pictures[-1]
        return [None if a is None else optical_flow(a, b) for a, b in zip(before, pictures, strict=True)]


def _flow_error(flow: Tensor | None, true_flow: Tensor | None) -> float | None:
    return None if flow is None or true_flow is None else flow_difference(flow, true_flow)


def _timed(restore: Method, low: Tensor, grid: Grid, times: Sequence[float]) -> tuple[list[Tensor], float]:
    """What ``restore`` makes, clamped, and the seconds it took for each picture."""
    start = time.perf_counter()
    pictures = [picture.to(low.device).clamp(0, 1) for picture in restore(low, grid, times)]
    if low.device.type == "cuda":
        torch.cuda.synchronize(low.device)
    return pictures, (time.perf_counter() - start) / len(times)


def _rendered(model: Representation, features: Any, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """All ``times`` at once, or where the memory does not suffice, in halves."""
    try:
        rendered = model.render(features, grid, [features.frames.new_tensor([t]) for t in times])
        return [picture[0].clamp(0, 1) for picture in rendered]
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(times) == 1:
            raise DeviceError(
                f"The memory does not suffice to render a whole frame of {grid}.",
                hint="Choose a smaller scale or model, or --device cpu.",
            ) from error
    half = len(times) // 2
    return _rendered(model, features, grid, times[:half]) + _rendered(model, features, grid, times[half:])
