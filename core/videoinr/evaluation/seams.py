"""Measure seams: the visible change at a source frame where one pair ends and the next begins.

Pairs are half-open (``timeline.py``): the viewer shows a pair's t = 1 only at the clip's end. A seam is therefore the
change from just before t = 1 of pair k to t = 0 of pair k + 1. It is measured as the mean difference of those two.
No path bends at t = 0 or 1, so the frames beside a pair change nothing here, and no model gets them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.errors import ClipError
from videoinr.evaluation.clips import Method, open_windows, window_starts
from videoinr.evaluation.footage import Footage, Frames
from videoinr.evaluation.metrics import psnr
from videoinr.evaluation.progress import Say
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import unreadable, why_left_out
from videoinr.geometry import Grid
from videoinr.images import upsample_bicubic

SEAM_WORDS = (
    "pairs are frames 0 and T of each window, stride T, degraded as above; seam = mean |difference| over pixels and "
    "colours between pair k at t = 1 and pair k + 1 at t = 0, float, clamped, in 8-bit steps; motion = the same "
    "between the true frame there and the true frame before it; ends = PSNR on BT.601 Y of t = 0 and t = 1 against "
    "the truth, beside bicubic upsampling of that LR frame"
)


@dataclass(frozen=True, slots=True)
class Seam:
    """The border between two pairs at source frame ``frame``. ``step`` and ``motion`` are in 8-bit levels."""

    clip: str
    frame: int
    step: float
    motion: float


@dataclass(frozen=True, slots=True)
class End:
    """A pair's output at a source frame: its PSNR-Y in dB, and that of the bicubic baseline. ``phase`` is 0 or 1."""

    clip: str
    frame: int
    phase: int
    psnr_db: float
    bicubic_db: float

    @property
    def gain_db(self) -> float:
        """PSNR over the bicubic baseline, dB."""
        return self.psnr_db - self.bicubic_db if self.psnr_db != self.bicubic_db else 0.0


@dataclass(frozen=True, eq=False)
class SeamReport:
    """All seams and ends of a method's pairs. ``left_out``: reasons why clips were not evaluated, by clip name."""

    protocol: Protocol
    method: str
    seams: list[Seam]
    ends: list[End]
    left_out: dict[str, str]

    @property
    def clips(self) -> list[str]:
        """Names of the evaluated clips, in order."""
        return list(dict.fromkeys(end.clip for end in self.ends))

    @property
    def below(self) -> list[End]:
        """Ends with a lower PSNR than the bicubic baseline."""
        return [end for end in self.ends if end.gain_db < 0]


def measure_seams(
    footage: Sequence[Footage],
    protocol: Protocol,
    name: str,
    method: Method,
    device: torch.device,
    *,
    say: Say = lambda line: None,
) -> SeamReport:
    """Measure all seams and ends of all clips that are long enough for one pair.

    Args:
        footage: The clips.
        protocol: The protocol for all of them.
        name: The method's name.
        method: The method.
        device: Where frames are compared.
        say: Called with a line of progress for each clip.

    Returns:
        The seams and ends, and the clips that were left out.

    Raises:
        DeviceError: A frame does not fit into the device's memory.
    """
    report = SeamReport(protocol, name, [], [], {})
    for clip in footage:
        try:
            with clip.open(device) as frames:
                reason = why_left_out(frames, protocol)
                if reason is not None:
                    report.left_out[clip.name] = reason
                    continue
                say(f"{name}, {protocol.setting}: {clip.name}")
                seams, ends = seams_of_clip(frames, clip.name, protocol, method)
        except ClipError as error:
            report.left_out[clip.name] = unreadable(error)
            continue
        report.seams.extend(seams)
        report.ends.extend(ends)
    return report


@torch.inference_mode()
def seams_of_clip(frames: Frames, name: str, protocol: Protocol, method: Method) -> tuple[list[Seam], list[End]]:
    """Return the seams between consecutive pairs of one clip, and both ends of every pair."""
    with open_windows(frames, protocol) as window_at:
        return _seams(name, protocol, method, window_at, window_starts(len(frames), protocol.time_scale))


def _seams(
    name: str, protocol: Protocol, method: Method, window_at: Callable[[int], tuple[Tensor, Tensor]], starts: range
) -> tuple[list[Seam], list[End]]:
    seams, ends = list[Seam](), list[End]()
    last: tuple[Tensor, Tensor] | None = None
    for start in starts:
        truth, low = window_at(start)
        height, width = truth.shape[-2:]
        first, second = (picture.clamp(0, 1) for picture in method(low, Grid(width, height), [0.0, 1.0]))
        enlarged = upsample_bicubic(low, height=height, width=width)
        if last is not None:
            before, its_last = last
            seams.append(Seam(name, start, _steps(its_last, first), _steps(before, truth[0])))
        for phase, picture in ((0, first), (1, second)):
            scores = psnr(picture, truth[-phase]), psnr(enlarged[phase], truth[-phase])
            ends.append(End(name, start + phase * protocol.time_scale, phase, *scores))
        last = truth[-2], second
    return seams, ends


def _steps(first: Tensor, second: Tensor) -> float:
    """Return the mean absolute difference in 8-bit levels."""
    return float((first - second).abs().mean()) * 255
