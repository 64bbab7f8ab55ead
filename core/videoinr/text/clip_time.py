"""Times as people type them, in every place: seconds, clock, percent, timecode or frame. The only parser of times.

What a time is in seconds may depend on the clip, so that a :class:`ClipTime` is what was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from videoinr.errors import UsageError
from videoinr.text import parsing
from videoinr.text.plain import printable
from videoinr.text.timecode import Timecode, timecode

if TYPE_CHECKING:
    from videoinr.timeline import Timeline
    from videoinr.types import ClipInfo

_CLOCK = re.compile(r"(?:(?:(\d{1,9}):)?(\d{1,9}):)?(\d{1,18}(?:[.,]\d{0,18})?|[.,]\d{1,18})\s*s?")
_FRAME_ALONE = re.compile(r"(\d{1,12})\s*\+\s*(\d{0,9}[.,]\d{1,18})")
_FRAME = re.compile(
    r"(?:f|#|frame|bild)\s*(\d{1,12}(?:[.,]\d{1,18})?)(?:\s*\+\s*(\d{0,9}[.,]\d{1,18}))?", re.IGNORECASE
)
_PERCENT = re.compile(r"(\d{1,18}(?:[.,]\d{0,18})?)\s*%")


@dataclass(frozen=True, slots=True)
class FramePlace:
    """A place in frames, see :attr:`videoinr.types.Instant.position`: ``f 29.5`` is between frames 29 and 30."""

    position: Fraction


@dataclass(frozen=True, slots=True)
class ClipShare:
    """A share of the clip's duration: 0 is its start, 1 its end."""

    share: Fraction


@dataclass(frozen=True, slots=True)
class ClipTime:
    """A time as it is typed: what it is in seconds depends on the clip, but for seconds."""

    typed: Fraction | Timecode | FramePlace | ClipShare

    @property
    def secs(self) -> Fraction | None:
        """The seconds, where they do not depend on the clip."""
        return self.typed if isinstance(self.typed, Fraction) else None

    def time_on(self, timeline: Timeline, info: ClipInfo) -> Fraction:
        """Return the seconds in a clip.

        A frame starts when the file says; many files round that to milliseconds. A place within the last frame divides
        its duration. After the clip's end, frames go on at its rate.

        Raises:
            UsageError: it is a timecode that the clip does not have; see :meth:`Timecode.frame`.
        """
        typed = self.typed
        if isinstance(typed, Fraction):
            return typed
        if isinstance(typed, ClipShare):
            return typed.share * timeline.duration_secs
        position = typed.position(info) if isinstance(typed, Timecode) else typed.position
        if position <= timeline.last_frame:
            return timeline.time_from_instant(timeline.instant_from_position(position))
        beyond = position - timeline.frame_count
        if beyond < 0:
            last_secs = timeline.frame_time(timeline.last_frame)
            return timeline.duration_secs + beyond * (timeline.duration_secs - last_secs)
        return timeline.duration_secs + beyond / info.fps


def clock_time(text: str) -> Fraction | None:
    """Return the seconds that ``text`` names as clocks do: ``1.5``, ``7 s``, ``1:02.5`` or ``1:02:03``; or None."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None or not found[3]:
        return None
    hours, minutes, secs = (Fraction((digits or "0").replace(",", ".")) for digits in found.groups())
    return hours * 3600 + minutes * 60 + secs


def clip_time(text: str) -> ClipTime:
    """Return the time that ``text`` names: ``1.25``, ``5/4``, ``1:02.5``, ``00:00:01:06``, ``f 29.5`` or ``50%``.

    Raises:
        UsageError: it names none.
    """
    plain = text.strip()
    if match := _FRAME.fullmatch(plain) or _FRAME_ALONE.fullmatch(plain):
        return ClipTime(FramePlace(sum((_decimal(digits) for digits in match.groups()), Fraction(0))))
    if match := _PERCENT.fullmatch(plain):
        return ClipTime(ClipShare(_decimal(match[1]) / 100))
    if (named := timecode(plain)) is not None:
        return ClipTime(named)
    if (secs := clock_time(plain)) is not None:
        return ClipTime(secs)
    try:
        return ClipTime(parsing.number(plain))
    except UsageError:
        raise UsageError(
            f"'{printable(text)}' is not a time.",
            hint="Write seconds as 1.25 or 5/4, minutes as 1:02.5, timecode as 00:01:02:12, a frame as f31, or 50%.",
        ) from None


def clip_seconds(text: str) -> Fraction:
    """Return the seconds that ``text`` names without a clip: ``1.25``, ``5/4`` or ``1:02.5``. Raises UsageError."""
    secs = clip_time(text).secs
    if secs is None:
        raise UsageError(f"'{printable(text)}' is not a time in seconds.", hint="Write 1.25, 5/4 or 1:02.5.")
    return secs


def length(text: str) -> Fraction:
    """Return a length of time above 0, in seconds: ``90``, ``1:30`` or ``8:00:00``. Raises UsageError."""
    secs = clip_seconds(text)
    if secs <= 0:
        raise UsageError(f"'{printable(text)}' is not above 0.", hint="Give a time above 0.")
    return secs


def _decimal(digits: str | None) -> Fraction:
    return Fraction((digits or "0").replace(",", "."))
