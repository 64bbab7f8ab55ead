"""Timecode, HH:MM:SS:FF: the name of a frame of a clip with a constant rate, as editing programs show it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from videoinr.errors import UsageError
from videoinr.text import parsing

if TYPE_CHECKING:
    from videoinr.timeline import Timeline
    from videoinr.types import ClipInfo

_TIMECODE = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)([:;])(\d{1,4})(?:\s*\+\s*(\d{0,9}[.,]\d{1,18}))?")

_CLOCK = re.compile(r"(?:(?:(\d{1,9}):)?(\d{1,9}):)?(\d{1,18}(?:[.,]\d{0,18})?|[.,]\d{1,18})\s*s?")


@dataclass(frozen=True, slots=True)
class Timecode:
    """A frame, counted from the clip's first, which is 00:00:00:00.

    Attributes:
        secs: The whole seconds of the name. With a rate such as 24000/1001 they are longer than seconds.
        frames: The frames after them.
        between: How far the time lies on the way to the next frame: ``00:00:01:06 + 0.25``, as the window shows it.
    """

    secs: int
    frames: int
    between: Fraction = Fraction(0)

    def frame(self, info: ClipInfo) -> int:
        """Return the number of the frame in the clip ``info``.

        Raises:
            UsageError: The clip's rate is not constant, or a second has fewer frames.
        """
        if not has_timecode(info):
            raise UsageError(
                "The clip has a variable frame rate, so that its frames have no timecode.",
                hint="Give the time in seconds, such as 1.25.",
            )
        base = frames_per_second(info)
        if self.frames >= base:
            raise UsageError(
                f"A second of the clip has no frame {self.frames}.", hint=f"The last number is 0 to {base - 1}."
            )
        return self.secs * base + self.frames

    def time_secs(self, info: ClipInfo) -> Fraction:
        """Return the time in seconds; the argument and errors are those of :meth:`frame`."""
        return self.position(info) / info.fps

    def position(self, info: ClipInfo) -> Fraction:
        """Return the place in frames, see :attr:`videoinr.types.Instant.position`; the rest is as for :meth:`frame`."""
        return self.frame(info) + self.between


def has_timecode(info: ClipInfo) -> bool:
    """Return whether the frames of the clip have timecode: whether its rate is constant."""
    return not info.vfr


def frames_per_second(info: ClipInfo) -> int:
    """Return how many frames a second of timecode has: the nearest whole number to the clip's rate."""
    return max(1, round(info.fps))


def timecode_of(frame: int, info: ClipInfo) -> str:
    """Return the timecode of a frame, HH:MM:SS:FF; :func:`timecode` reads it."""
    base = frames_per_second(info)
    secs, frames = divmod(frame, base)
    minutes, secs = divmod(secs, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{secs:02}:{frames:0{max(2, len(str(base - 1)))}}"


def timecode(text: str) -> Timecode | None:
    """Return the timecode that ``text`` is, None if it is none.

    Raises:
        UsageError: It is a drop-frame timecode (HH:MM:SS;FF).
    """
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        return None
    if found[4] == ";":
        raise UsageError(
            f"'{text.strip()}' is a drop-frame timecode, which is not read.",
            hint="Give it without dropped numbers (HH:MM:SS:FF), or the time in seconds.",
        )
    hours, minutes, secs, frames = (int(found[number]) for number in (1, 2, 3, 5))
    between = Fraction((found[6] or "0").replace(",", "."))
    return Timecode(hours * 3600 + minutes * 60 + secs, frames, between)


@dataclass(frozen=True, slots=True)
class ClipTime:
    """A time as it is typed: seconds, or a timecode, whose seconds depend on the clip."""

    typed: Fraction | Timecode

    def time_secs(self, info: ClipInfo) -> Fraction:
        """Return the seconds in a clip; the argument and errors are those of :meth:`Timecode.frame`."""
        return self.typed.time_secs(info) if isinstance(self.typed, Timecode) else self.typed

    def time_on(self, timeline: Timeline, info: ClipInfo) -> Fraction:
        """Return the same, but when the file says that the frame starts: many files round times to milliseconds."""
        if isinstance(self.typed, Timecode):
            position = self.typed.position(info)
            if position <= timeline.last_frame:
                return timeline.time_from_instant(timeline.instant_from_position(position))
        return self.time_secs(info)


def clock_time(text: str) -> Fraction | None:
    """Return the seconds that ``text`` names as clocks do: ``1.5``, ``7 s``, ``1:02.5`` or ``1:02:03``; or None."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None or not found[3]:
        return None
    hours, minutes, secs = (Fraction((digits or "0").replace(",", ".")) for digits in found.groups())
    return hours * 3600 + minutes * 60 + secs


def clip_time(text: str) -> ClipTime:
    """Return the time that ``text`` names: ``1.25``, ``5/4``, ``1:02.5`` or ``00:00:01:06``. Raises UsageError."""
    if (named := timecode(text)) is not None:
        return ClipTime(named)
    if (secs := clock_time(text)) is not None:
        return ClipTime(secs)
    try:
        return ClipTime(parsing.number(text))
    except UsageError:
        hint = "Write seconds such as 1.25 or 5/4, minutes as 1:02.5, or timecode as 00:01:02:12."
        raise UsageError(f"'{text}' is not a time.", hint=hint) from None
