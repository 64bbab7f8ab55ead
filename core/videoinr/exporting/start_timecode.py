"""The timecode of an output's first frame, where the clip has one of its own that still holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from videoinr.exporting.job import ExportJob
from videoinr.text.timecode import FrameNames, can_drop, frames_per_second, has_timecode
from videoinr.types import ClipInfo

_ROUNDING_SECS = Fraction(6, 10_000)
"""Matroska rounds times to milliseconds: a frame that starts so near to a segment is the first one of it."""

_SAME_CLOCK = Fraction(1, 10_000)
"""Rates whose seconds of timecode differ by less last equally long. Those of 24 and 24000/1001 differ by ten times."""

_MOST_BASE = 255
"""MP4 and MOV store the frames of a second of timecode in a byte."""


@dataclass(frozen=True, slots=True)
class OutputTimecode:
    """What becomes of a clip's timecode.

    Attributes:
        name: what the output calls its first frame; empty if it says nothing.
        lost: why it is left out, as "which a retime curve does not move"; empty if it is not.
    """

    name: str = ""
    lost: str = ""


NO_TIMECODE = OutputTimecode()


def output_timecode(job: ExportJob, info: ClipInfo) -> OutputTimecode:
    """Return what the output of ``job`` calls its first frame: the clip ``info`` may have a timecode of its own.

    At another rate of the same clock (25 and 50 frames per second, not 24 and 60000/1001) the names go on to be right.
    """
    own = info.timecode
    if own is None:
        return NO_TIMECODE
    lost = _why_lost(job, info)
    if lost:
        return OutputTimecode(lost=lost)
    base, wanted = frames_per_second(info), max(1, round(job.fps))
    count = floor((own.frame + _position(job.segment.start_secs, info.fps)) * Fraction(wanted, base))
    names = FrameNames(wanted, drops=own.drops, is_own=True)
    return OutputTimecode(names.text(count % names.day))


def _why_lost(job: ExportJob, info: ClipInfo) -> str:
    own = info.timecode
    assert own is not None
    if not has_timecode(info):
        return "which needs a constant frame rate"
    if job.curve is not None:
        return "which a retime curve does not move"
    if job.speed != 1:
        return "which holds at the clip's own speed only"
    wanted = max(1, round(job.fps))
    clock = (job.fps / wanted) / (info.fps / frames_per_second(info))
    if abs(clock - 1) > _SAME_CLOCK or (own.drops and not can_drop(job.fps)) or wanted > _MOST_BASE:
        return f"which does not hold at {float(job.fps):g} frames per second"
    return ""


def _position(secs: Fraction, fps: Fraction) -> Fraction:
    """Return where in the clip ``secs`` is, in frames; a whole number where files may have rounded the time of one."""
    position = secs * fps
    near = round(position)
    return Fraction(near) if abs(position - near) <= _ROUNDING_SECS * fps else position
