"""Timecode, HH:MM:SS:FF: the name of a frame of a clip with a constant rate, as editing programs show it.

The first frame of a clip is 00:00:00:00, unless its file says otherwise (:attr:`videoinr.types.ClipInfo.timecode`).

Drop-frame timecode, HH:MM:SS;FF, is that of 30000/1001 and 60000/1001 frames per second. It leaves out the first two
(four) names of each minute that is no multiple of ten, so that the names keep up with the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from videoinr.errors import UsageError

if TYPE_CHECKING:
    from videoinr.types import ClipInfo

_TIMECODE = re.compile(r"(\d{1,3})([:;])([0-5]?\d)([:;])([0-5]?\d)([:;])(\d{1,4})(?:\s*\+\s*(\d{0,9}[.,]\d{1,18}))?")
_DAY_SECS = 86400
_DROPS_BASE = 30


@dataclass(frozen=True, slots=True)
class FrameNames:
    """The timecodes of consecutive frames.

    A timecode is counted as a *number* here: its seconds times ``base``, plus its frames.

    Attributes:
        base: the frames of a second of timecode.
        first: the frame that is called 00:00:00:00 is this many before the clip's first.
        drops: whether names are left out (drop-frame).
        is_own: whether the file says what its first frame is called. Names start anew after a day then.
    """

    base: int
    first: int = 0
    drops: bool = False
    is_own: bool = False

    def text(self, frame: int) -> str:
        """Return the timecode of a frame of the clip."""
        return self.text_of_number(self.number(frame))

    def number(self, frame: int) -> int:
        """Return the number of a frame; it goes on after a day."""
        count = self.first + frame
        if not self.drops:
            return count
        tens, rest = divmod(count, self._ten_minutes)
        dropped = max(0, (rest - self._dropped) // (self.base * 60 - self._dropped))
        return count + self._dropped * (9 * tens + dropped)

    def frame(self, number: int) -> int:
        """Return the frame of a number; of one that is dropped, the next frame."""
        if not self.drops:
            return number - self.first
        minutes = number // (self.base * 60)
        next_number = max(number, minutes * self.base * 60 + self._dropped) if self.is_dropped(number) else number
        return next_number - self._dropped * (minutes - minutes // 10) - self.first

    def is_dropped(self, number: int) -> bool:
        """Return whether no frame has this number."""
        minutes, rest = divmod(number, self.base * 60)
        return self.drops and bool(minutes % 10) and rest < self._dropped

    def text_of_number(self, number: int) -> str:
        """Return a number as HH:MM:SS:FF, or HH:MM:SS;FF; :func:`timecode` reads it."""
        secs, frames = divmod(number, self.base)
        if self.is_own:
            secs %= _DAY_SECS
        minutes, secs = divmod(secs, 60)
        hours, minutes = divmod(minutes, 60)
        mark = ";" if self.drops else ":"
        return f"{hours:02}:{minutes:02}:{secs:02}{mark}{frames:0{max(2, len(str(self.base - 1)))}}"

    @property
    def day(self) -> int:
        """How many frames a day of timecode has."""
        return _DAY_SECS // 600 * self._ten_minutes if self.drops else _DAY_SECS * self.base

    @property
    def _dropped(self) -> int:
        return 2 * self.base // _DROPS_BASE

    @property
    def _ten_minutes(self) -> int:
        return 600 * self.base - 9 * self._dropped


def frame_names(info: ClipInfo) -> FrameNames:
    """Return the timecodes of the frames of a clip."""
    base, own = frames_per_second(info), info.timecode
    return FrameNames(base) if own is None else FrameNames(base, own.frame, own.drops, is_own=True)


@dataclass(frozen=True, slots=True)
class Timecode:
    """A frame, by its name.

    Attributes:
        secs: The whole seconds of the name. With a rate such as 24000/1001 they are longer than seconds.
        frames: The frames after them.
        between: How far the time lies on the way to the next frame: ``00:00:01:06 + 0.25``, as the window shows it.
        drops: Whether it is written as drop-frame timecode.
    """

    secs: int
    frames: int
    between: Fraction = Fraction(0)
    drops: bool = False

    def frame(self, info: ClipInfo) -> int:
        """Return the number of the frame in the clip ``info``.

        Raises:
            UsageError: The clip's rate is not constant, or a second has fewer frames. Or the clip's own timecode does
                not get so far, leaves that name out (drop-frame), or is not drop-frame.
        """
        if not has_timecode(info):
            raise UsageError(
                "The clip has a variable frame rate, so that its frames have no timecode.",
                hint="Give the time in seconds, such as 1.25.",
            )
        names = self._names(info)
        if self.frames >= names.base:
            raise UsageError(
                f"A second of the clip has no frame {self.frames}.", hint=f"The last number is 0 to {names.base - 1}."
            )
        number = self.secs * names.base + self.frames
        if names.is_dropped(number):
            raise UsageError(
                f"Drop-frame timecode leaves out {names.text_of_number(number)}.",
                hint=f"The next frame is {names.text(names.frame(number))}.",
            )
        frame = names.frame(number)
        if frame < 0:
            frame += names.day  # After midnight.
        if names.is_own and frame > info.frames:
            first, end = names.text(0), names.text(info.frames)
            raise UsageError(
                f"{names.text_of_number(number)} is outside the clip, whose timecode runs from {first} to {end}.",
                hint="Give a timecode between them, or seconds, which count from the clip's start.",
            )
        return frame

    def position(self, info: ClipInfo) -> Fraction:
        """Return the place in frames, see :attr:`videoinr.types.Instant.position`; the rest is as for :meth:`frame`."""
        return self.frame(info) + self.between

    def _names(self, info: ClipInfo) -> FrameNames:
        """Return the names among which this one is looked up."""
        names = frame_names(info)
        if not self.drops or names.drops:
            return names
        if names.is_own:
            raise UsageError(
                "The clip's own timecode is not drop-frame.", hint=f"Write it with colons: {names.text(0)}."
            )
        if not can_drop(info.fps):
            raise UsageError(
                "Drop-frame timecode is for 29.97 and 59.94 frames per second, which the clip does not have.",
                hint="Write it with colons (HH:MM:SS:FF), or give the time in seconds.",
            )
        return FrameNames(names.base, drops=True)


def has_timecode(info: ClipInfo) -> bool:
    """Return whether the frames of the clip have timecode: whether its rate is constant."""
    return not info.vfr


def can_drop(fps: Fraction) -> bool:
    """Return whether there is drop-frame timecode for a rate: 30000/1001 frames per second, or a multiple."""
    base = round(fps)
    # Files that round times to milliseconds give rates near it.
    return base > 0 and base % _DROPS_BASE == 0 and abs(fps * 1001 / 1000 - base) < Fraction(1, 200)


def frames_per_second(info: ClipInfo) -> int:
    """Return how many frames a second of timecode has: the nearest whole number to the clip's rate."""
    return max(1, round(info.fps))


def timecode_of(frame: int, info: ClipInfo) -> str:
    """Return the timecode of a frame, HH:MM:SS:FF; :func:`timecode` reads it."""
    return frame_names(info).text(frame)


def length_of(count: int, info: ClipInfo) -> str:
    """Return how long ``count`` frames are, as timecode."""
    names = frame_names(info)
    return FrameNames(names.base, drops=names.drops).text(count)


def timecode(text: str) -> Timecode | None:
    """Return the timecode that ``text`` is, None if it is none. Drop-frame timecode has a semicolon."""
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, secs, frames = (int(found[number]) for number in (1, 3, 5, 7))
    between = Fraction((found[8] or "0").replace(",", "."))
    return Timecode(hours * 3600 + minutes * 60 + secs, frames, between, ";" in (found[2], found[4], found[6]))
