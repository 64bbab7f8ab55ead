"""Seams: what happens where one pair ends and the next begins, at a source frame that both of them restore.

The viewer never shows a pair's t = 1 but at a clip's end (``timeline.py``: pairs are half-open), so what can be seen
to pop is the change from just before t = 1 of pair k to t = 0 of pair k + 1. Its measure is their mean difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videoinr.evaluation.clips import Method, read_window, window_starts
from videoinr.evaluation.footage import Footage, Frames
from videoinr.evaluation.metrics import psnr
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import Say, why_left_out
from videoinr.geometry import Grid
from videoinr.images import enlarge_bicubic

SEAM_WORDS = (
    "pairs are frames 0 and T of each window, stride T, degraded as above; seam = mean |difference| over pixels and "
    "colours between pair k at t = 1 and pair k + 1 at t = 0, float, clamped, in 8-bit steps; motion = the same "
    "between the true frame there and the true frame before it; ends = PSNR on BT.601 Y of t = 0 and t = 1 against "
    "the truth, beside that low-resolution frame enlarged bicubically"
)


@dataclass(frozen=True, slots=True)
class Seam:
    """The border between two pairs at source frame ``frame``: ``step`` and ``motion`` in 8-bit steps."""

    clip: str
    frame: int
    step: float
    motion: float


@dataclass(frozen=True, slots=True)
class End:
    """A pair's restored source frame: PSNR-Y in dB of it, and of its bicubic enlargement. ``phase`` is 0 or 1."""

    clip: str
    frame: int
    phase: int
    psnr_db: float
    bicubic_db: float

    @property
    def gain_db(self) -> float:
        """How much better than the enlargement, dB."""
        return self.psnr_db - self.bicubic_db if self.psnr_db != self.bicubic_db else 0.0


@dataclass(frozen=True, eq=False)
class SeamReport:
    """Every seam and every end of a method's pairs. ``left_out``: clips that could not take part, and why."""

    protocol: Protocol
    method: str
    seams: list[Seam]
    ends: list[End]
    left_out: dict[str, str]

    @property
    def clips(self) -> list[str]:
        """The clips that took part, in order."""
        return list(dict.fromkeys(end.clip for end in self.ends))

    @property
    def below(self) -> list[End]:
        """Ends that are worse than enlarging the frame by itself."""
        return [end for end in self.ends if end.gain_db < 0]


def measure_seams(
    footage: Sequence[Footage],
    protocol: Protocol,
    method: str,
    restore: Method,
    device: torch.device,
    *,
    say: Say = lambda line: None,
) -> SeamReport:
    """All seams and ends of all clips that are long enough for one pair."""
    report = SeamReport(protocol, method, [], [], {})
    for clip in footage:
        with clip.open(device) as frames:
            reason = why_left_out(frames, protocol)
            if reason is not None:
                report.left_out[clip.name] = reason
                continue
            say(f"{method}, {protocol.setting}: {clip.name}")
            seams, ends = seams_of_clip(frames, clip.name, protocol, restore)
            report.seams.extend(seams)
            report.ends.extend(ends)
    return report


@torch.inference_mode()
def seams_of_clip(frames: Frames, name: str, protocol: Protocol, restore: Method) -> tuple[list[Seam], list[End]]:
    """The seams between successive pairs of one clip, and both ends of every pair."""
    seams, ends, last = [], [], None
    for start in window_starts(len(frames), protocol.time_scale):
        truth, low = read_window(frames, start, protocol)
        height, width = truth.shape[-2:]
        first, second = (picture.clamp(0, 1) for picture in restore(low, Grid(width, height), [0.0, 1.0]))
        enlarged = enlarge_bicubic(low, height=height, width=width)
        if last is not None:
            before, its_last = last
            seams.append(Seam(name, start, _steps(its_last, first), _steps(before, truth[0])))
        for phase, picture in ((0, first), (1, second)):
            scores = psnr(picture, truth[-phase]), psnr(enlarged[phase], truth[-phase])
            ends.append(End(name, start + phase * protocol.time_scale, phase, *scores))
        last = truth[-2], second
    return seams, ends


def _steps(first: Tensor, second: Tensor) -> float:
    """Mean absolute difference in 8-bit steps."""
    return float((first - second).abs().mean()) * 255
