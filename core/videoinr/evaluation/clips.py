"""Evaluation of one clip under a protocol: degrade its windows of T frames, restore them and compare with the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.errors import DeviceError, is_out_of_memory
from videoinr.evaluation.footage import Frames
from videoinr.evaluation.metrics import psnr, ssim
from videoinr.evaluation.optical_flow import flow_difference, optical_flow
from videoinr.evaluation.perceptual import Distance, perceptual_distance
from videoinr.evaluation.protocols import Protocol
from videoinr.geometry import Grid
from videoinr.images import downsample, upsample_bicubic
from videoinr.model.encoders.path_bend import Outer
from videoinr.model.representation import Features, Representation
from videoinr.model.video_inr import VideoINR

Method = Callable[[Tensor, Grid, Sequence[float]], list[Tensor]]
"""A space-time super-resolution method: (LR pair float32 [2, 3, h, w] in 0 ... 1, output grid, times 0 ... 1) -> frames
[3, H, W], one for each time."""

OnWindow = Callable[[int, int], None]
"""Called with the number of windows that are scored, and of all windows of the clip."""

OnPicture = Callable[[str, int, Tensor], None]
"""Called with every output: (method name, frame number in the clip, frame [3, H, W])."""


@dataclass(frozen=True, slots=True)
class FrameScore:
    """The scores of one output frame.

    ``frame``: its number in the clip. ``number``: its number k in the window; k = 0 is an input instant.
    ``flow_error_px``: tOF of the step from the previous frame to this one, None where it is not measured. ``secs``:
    the time that the method took for the window, divided by the window's outputs. ``lpips``: the perceptual distance,
    None where it is not measured.
    """

    clip: str
    method: str
    frame: int
    number: int
    psnr_db: float
    ssim: float
    flow_error_px: float | None
    secs: float
    lpips: float | None = None


def blend_bicubic(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """Return (1 - t) I0 + t I1, upsampled bicubically: the default baseline (see :data:`Method`)."""
    mixed = torch.stack([(1 - t) * low[0] + t * low[1] for t in times])
    return list(upsample_bicubic(mixed, height=grid.height, width=grid.width))


@dataclass(frozen=True, eq=False)
class BentModel:
    """A model whose paths bend by the frames beside a pair, as a method. Without ``outer`` it reads the pair alone."""

    model: VideoINR

    def __call__(self, low: Tensor, grid: Grid, times: Sequence[float], outer: Outer | None = None) -> list[Tensor]:
        """Restore frames; see :data:`Method`. ``outer``: the LR frames beside the pair, each [1, 3, h, w]."""
        return _rendered(self.model.encode(low[None], outer=outer), grid, times)


def method_from_model(model: Representation, *, neighbours: bool = True) -> Method:
    """Return a method that runs ``model``. It encodes each pair once and decodes all its times from those features.

    Args:
        model: The model.
        neighbours: Whether a model whose paths bend by the frames beside a pair gets those, too, as in the program.
    """
    if neighbours and isinstance(model, VideoINR) and model.bends_paths:
        return BentModel(model)

    def restore(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        return _rendered(model.encode(low[None]), grid, times)

    return restore


@torch.inference_mode()
def score_clip(
    frames: Frames,
    name: str,
    protocol: Protocol,
    methods: Mapping[str, Method],
    *,
    on_picture: OnPicture = lambda method, frame, picture: None,
    on_window: OnWindow = lambda done, count: None,
) -> list[FrameScore]:
    """Score every output frame of every method on one clip.

    Memory holds one window at a time, or two if a method reads the frames beside a pair.

    Args:
        frames: The clip's frames, each float32 [3, H, W] in 0 ... 1, on the device to compute on.
        name: The clip's name, for the scores.
        protocol: Scales, channel and metrics.
        methods: The methods by name.
        on_picture: Called with every output frame, clamped to 0 ... 1.
        on_window: Called after each window.

    Returns:
        One score per window, method and output frame, in that order.

    Raises:
        DeviceError: A model's frame does not fit into the device's memory.
        BaselineFailedError: An external baseline failed.
        ExportError: The protocol's encoder does not work.
        UsageError: The protocol measures LPIPS, and that cannot be done.
    """
    with open_windows(frames, protocol) as window_at:
        return _scores(frames, name, protocol, methods, window_at, on_picture, on_window)


def _scores(
    frames: Frames,
    name: str,
    protocol: Protocol,
    methods: Mapping[str, Method],
    window_at: Callable[[int], tuple[Tensor, Tensor]],
    on_picture: OnPicture,
    on_window: OnWindow,
) -> list[FrameScore]:
    scores, trails = [], {method_name: _FlowTrail(protocol.flicker) for method_name in methods}
    true_trail, times = _FlowTrail(protocol.flicker), [k / protocol.time_scale for k in range(protocol.time_scale)]
    starts, distance = window_starts(len(frames), protocol.time_scale), _distance(frames, protocol)
    beside = any(isinstance(method, BentModel) for method in methods.values())
    for window, (start, truth, low, outer) in enumerate(_read_windows(window_at, starts, beside=beside)):
        true_flows = true_trail.flows(list(truth[:-1]))
        for method_name, method in methods.items():
            pictures, secs = _timed(method, low, outer, Grid(truth.shape[-1], truth.shape[-2]), times)
            flows = trails[method_name].flows(pictures)
            for k, picture in enumerate(pictures):
                on_picture(method_name, start + k, picture)
                made, true = (_as_scored(each, protocol) for each in (picture, truth[k]))
                quality = (psnr(made, true, protocol.channel), ssim(made, true, protocol.channel))
                flicker = _flow_error(flows[k], true_flows[k])
                lpips = None if distance is None else distance(made, true)
                scores.append(FrameScore(name, method_name, start + k, k, *quality, flicker, secs, lpips))
        on_window(window + 1, len(starts))
    return scores


def window_starts(frame_count: int, time_scale: int) -> range:
    """Return the first frame numbers of the windows in a clip of ``frame_count`` frames."""
    return range(0, frame_count - time_scale, time_scale)


@contextmanager
def open_windows(frames: Frames, protocol: Protocol) -> Iterator[Callable[[int], tuple[Tensor, Tensor]]]:
    """Open the windows of a clip. If the protocol codes LR clips, the whole LR clip is coded first.

    Yields:
        A function of a window's first frame number that returns its true frames [T + 1, 3, H, W] and its LR input
        [2, 3, h, w]: the first and last, degraded.
    """

    def truth(start: int) -> Tensor:
        return torch.stack([cut(frames[start + k], protocol.cut_to) for k in range(protocol.time_scale + 1)])

    def plain(start: int) -> tuple[Tensor, Tensor]:
        whole = truth(start)
        return whole, degraded(whole[[0, -1]], protocol.space_scale)

    if protocol.coding is None:
        yield plain
        return
    from videoinr.evaluation.coded import coded_clip

    def small(number: int) -> Tensor:
        return degraded(cut(frames[number], protocol.cut_to)[None], protocol.space_scale)[0]

    with coded_clip(small, len(frames), protocol.coding, frames[0].device) as low:
        yield lambda start: (truth(start), torch.stack([low(start), low(start + protocol.time_scale)]))


def _read_windows(
    window_at: Callable[[int], tuple[Tensor, Tensor]], starts: range, *, beside: bool
) -> Iterator[tuple[int, Tensor, Tensor, Outer]]:
    """Yield each window's first frame number, truth, LR input and, if ``beside``, the LR frames beside the input.

    Those are the first of the window before and the last of the window after, so that each window is read once.
    """
    before, following = None, None
    for start in starts:
        truth, low = following or window_at(start)
        following = window_at(start + starts.step) if beside and start + starts.step in starts else None
        yield start, truth, low, Outer(before, None if following is None else following[1][1:])
        before = low[:1] if beside else None


def _distance(frames: Frames, protocol: Protocol) -> Distance | None:
    return perceptual_distance(frames[0].device) if protocol.lpips else None


def _as_scored(picture: Tensor, protocol: Protocol) -> Tensor:
    return picture if protocol.scoring == "float" else (picture * 255).round() / 255


def cut(frame: Tensor, multiple: int) -> Tensor:
    """Crop a frame [3, H, W] at the right and bottom, so that its sides are multiples of ``multiple`` pixels."""
    height, width = (side // multiple * multiple for side in frame.shape[-2:])
    return frame[..., :height, :width]


def degraded(frames: Tensor, space_scale: float) -> Tensor:
    """Downsample frames [B, 3, H, W] by ``space_scale``, sides rounded. At x1, return the frames themselves."""
    if space_scale == 1:
        return frames
    height, width = (max(1, round(side / space_scale)) for side in frames.shape[-2:])
    return downsample(frames, height=height, width=width)


class _FlowTrail:
    """Optical flow between consecutive frames of a clip, also from one window's last frame to the next one's first."""

    def __init__(self, active: bool) -> None:
        self._active = active
        self._last: Tensor | None = None

    def flows(self, pictures: Sequence[Tensor]) -> list[Tensor | None]:
        """Return the flow from the previous frame to each frame: None for the clip's first frame and where inactive."""
        if not self._active:
            return [None] * len(pictures)
        before, self._last = [self._last, *pictures[:-1]], pictures[-1]
        return [None if a is None else optical_flow(a, b) for a, b in zip(before, pictures, strict=True)]


def _flow_error(flow: Tensor | None, true_flow: Tensor | None) -> float | None:
    return None if flow is None or true_flow is None else flow_difference(flow, true_flow)


def _timed(method: Method, low: Tensor, outer: Outer, grid: Grid, times: Sequence[float]) -> tuple[list[Tensor], float]:
    """Return the method's frames, clamped to 0 ... 1, and the seconds that each took on average."""
    start = time.perf_counter()
    made = method(low, grid, times, outer) if isinstance(method, BentModel) else method(low, grid, times)
    pictures = [picture.to(low.device).clamp(0, 1) for picture in made]
    if low.device.type == "cuda":
        torch.cuda.synchronize(low.device)
    return pictures, (time.perf_counter() - start) / len(times)


def _rendered(features: Features, grid: Grid, times: Sequence[float]) -> list[Tensor]:
    """Decode all ``times`` at once. On out-of-memory, decode them in halves; a single time then raises DeviceError."""
    try:
        rendered = features.render(grid, [features.frames.new_tensor([t]) for t in times])
        return [picture[0].clamp(0, 1) for picture in rendered]
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(times) == 1:
            raise DeviceError(
                f"There is not enough memory to render a whole frame of {grid}.",
                hint="Choose a smaller scale or model, or --device cpu.",
            ) from error
    half = len(times) // 2
    return _rendered(features, grid, times[:half]) + _rendered(features, grid, times[half:])
