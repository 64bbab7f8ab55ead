"""RetimeCurve: an exact map of output time to clip time, of straight pieces and smooth ramps between them.

The curve is a polyline through points (output second, clip second). A point may have a ramp: around it, for so many
output seconds, the speed changes evenly from that of the line before to that of the line after. In a ramp the clip time
is therefore a quadratic function of the output time. It touches both lines, so the curve has no kink there, and all
other points keep their times. A level line freezes the picture; a falling one plays the clip backwards.

All times are fractions. For any fraction t, ``first_shown(time(t)) == t`` exactly where the curve rises: the equation
then has a rational root, and the square root in its solution is that of a square.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import isqrt

from videoinr.errors import UsageError
from videoinr.journey.even_frames import EvenFrames
from videoinr.text.clip_time import ClipTime, clip_seconds, clip_time
from videoinr.text.plain import printable
from videoinr.types import Segment

MOST_POINTS = 200
MOST_DENOMINATOR = 10**9
"""Of the times of points: those of the window come from mouse positions."""
_FINE = 10**15
"""Square roots that are no fractions are rounded down to this part of a second at least."""

Place = Callable[[ClipTime], Fraction]
"""Returns the seconds of a time of a clip; UsageError if the clip has no such time."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a curve: at ``out_secs`` of the output, ``clip_secs`` of the clip is shown.

    ``ramp_secs`` is the length of the ramp around it, output seconds; with one, the curve passes by near the point.
    """

    out_secs: Fraction
    clip_secs: Fraction
    ramp_secs: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a curve of ``length_secs`` from ``out_secs`` on; the speed runs from ``speed`` to ``end_speed``."""

    out_secs: Fraction
    length_secs: Fraction
    clip_secs: Fraction
    speed: Fraction
    end_speed: Fraction

    @property
    def bend(self) -> Fraction:
        """Half of the change of the speed per output second."""
        return (self.end_speed - self.speed) / (2 * self.length_secs)

    def time(self, out_secs: Fraction) -> Fraction:
        """Return the clip time at ``out_secs``."""
        into = out_secs - self.out_secs
        return self.clip_secs + into * (self.speed + self.bend * into)

    def first_shown(self, clip_secs: Fraction) -> Fraction | None:
        """Return the first output time in this piece at which ``clip_secs`` is shown; None if it is not."""
        inside = [into for into in self._roots(clip_secs - self.clip_secs) if 0 <= into <= self.length_secs]
        return self.out_secs + min(inside) if inside else None

    @property
    def extremes(self) -> tuple[Fraction, ...]:
        """The clip times at both ends, and where the piece turns around."""
        ends = (self.time(self.out_secs), self.time(self.out_secs + self.length_secs))
        turns = self.speed * self.end_speed < 0
        return (*ends, self.time(self.out_secs - self.speed / (2 * self.bend))) if turns else ends

    def _roots(self, rise: Fraction) -> tuple[Fraction, ...]:
        if not self.bend:
            if not self.speed:
                return (Fraction(0),) if not rise else ()
            return (rise / self.speed,)
        square = self.speed**2 + 4 * self.bend * rise
        if square < 0:
            return ()
        root = _root(square)
        return tuple((sign * root - self.speed) / (2 * self.bend) for sign in (1, -1))


@dataclass(frozen=True)
class RetimeCurve:
    """A curve through ``points``, in the order of their output times; the first one is at 0.

    Raises:
        UsageError: the points make no curve; the message says why.
    """

    points: tuple[CurvePoint, ...]

    def __post_init__(self) -> None:
        points = self.points
        if not 2 <= len(points) <= MOST_POINTS:
            raise _wrong(f"it has {len(points)} points", f"Give 2 to {MOST_POINTS}.")
        if points[0].out_secs != 0:
            raise _wrong("its first point is not at output time 0", "Start with 0=CLIP.")
        for before, after in pairwise(points):
            gap = after.out_secs - before.out_secs
            if gap <= 0:
                raise _wrong(f"output time {_secs(after.out_secs)} does not come after the one before it", "Sort it.")
            if before.ramp_secs + after.ramp_secs > 2 * gap:
                raise _wrong(
                    f"the ramps at {_secs(before.out_secs)} and {_secs(after.out_secs)} overlap", "Make them shorter."
                )
        if any(point.ramp_secs < 0 or point.clip_secs < 0 for point in points):
            raise _wrong("a clip time or a ramp is below 0", "Clip times count from the clip's start.")
        if points[0].ramp_secs or points[-1].ramp_secs:
            raise _wrong("its first or last point has a ramp", "A ramp lies between two lines.")
        lowest, highest = self._extent
        if lowest == highest:
            raise _wrong("it shows one moment only", "Let it pass through more of the clip.")

    @property
    def duration_secs(self) -> Fraction:
        """The length of the output, seconds."""
        return self.points[-1].out_secs

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The straight pieces and the ramps, in order."""
        return tuple(_pieces(self.points))

    @cached_property
    def _starts(self) -> list[Fraction]:
        return [piece.out_secs for piece in self.pieces]

    @property
    def extent(self) -> Segment:
        """The part of the clip that is shown."""
        return Segment(*self._extent)

    @property
    def speeds(self) -> tuple[Fraction, Fraction]:
        """The lowest and the highest speed, clip seconds for each output second."""
        speeds = [speed for piece in self.pieces for speed in (piece.speed, piece.end_speed)]
        return min(speeds), max(speeds)

    def time(self, out_secs: Fraction) -> Fraction:
        """Return the clip time at an output time; before the start and after the end, that of the start or end."""
        inside = min(max(out_secs, Fraction(0)), self.duration_secs)
        return self.pieces[max(0, bisect_right(self._starts, inside) - 1)].time(inside)

    def first_shown(self, clip_secs: Fraction) -> Fraction | None:
        """Return the first output time at which ``clip_secs`` is shown, or None.

        It is exact where it is a fraction, and otherwise rounded down by less than 1e-15 s, divided by the speed.
        """
        found = (piece.first_shown(clip_secs) for piece in self.pieces)
        return next((time for time in found if time is not None), None)

    @property
    def _extent(self) -> tuple[Fraction, Fraction]:
        times = [time for piece in self.pieces for time in piece.extremes]
        return min(times), max(times)

    def __str__(self) -> str:
        """Return the curve as it is written: ``0=0 1=1~1/2 3=3/2``."""
        return " ".join(
            f"{point.out_secs}={point.clip_secs}" + (f"~{point.ramp_secs}" if point.ramp_secs else "")
            for point in self.points
        )


@dataclass(frozen=True, slots=True)
class CurveRate(EvenFrames):
    """Plays a clip along ``curve`` at ``fps`` frames per second; the counterpart of ConstantRate."""

    curve: RetimeCurve
    fps: Fraction

    @property
    def wanted_secs(self) -> Fraction:
        """The curve's duration."""
        return self.curve.duration_secs

    def time(self, index: int | Fraction) -> Fraction:
        """Return the second of the clip that output frame ``index`` shows; a fraction lies between two frames."""
        return self.curve.time(index / self.fps)


def curve_from_text(text: str, place: Place | None = None) -> RetimeCurve:
    """Return the curve that ``text`` describes: points OUT=CLIP or OUT=CLIP~RAMP, separated by spaces.

    OUT and RAMP are seconds; CLIP is any time of a clip, such as ``f12``, ``50%`` or a timecode.

    Args:
        text: the points.
        place: returns the seconds of a clip's time; None: only seconds are taken.

    Raises:
        UsageError: it describes none, or a time that the clip does not have.
    """
    return RetimeCurve(tuple(_point(word, place or _without_clip) for word in text.split()))


def depends_on_clip(text: str) -> bool:
    """Return whether :func:`curve_from_text` needs the clip for ``text``: its clip times are not all seconds.

    Raises:
        UsageError: a word of it is no point.
    """
    points = [_typed(word) for word in text.split()]  # Each word is checked.
    return any(typed.secs is None for _, typed, _ in points)


def identity(segment: Segment, speed: Fraction = Fraction(1)) -> RetimeCurve:
    """Return the curve that plays ``segment`` of a clip at one speed."""
    end = segment.duration_secs / speed
    return RetimeCurve((CurvePoint(Fraction(0), segment.start_secs), CurvePoint(end, segment.end_secs)))


def _point(word: str, place: Place) -> CurvePoint:
    out, clip, ramp = _typed(word)
    return CurvePoint(*(secs.limit_denominator(MOST_DENOMINATOR) for secs in (out, place(clip), ramp)))


def _without_clip(time: ClipTime) -> Fraction:
    if time.secs is None:
        raise _wrong("a clip time is not in seconds", "Give seconds, such as 2=1~1/2.")
    return time.secs


def _typed(word: str) -> tuple[Fraction, ClipTime, Fraction]:
    """Return the time in the output, the time in the clip and the ramp of a point as it is typed."""
    out, equals, rest = word.partition("=")
    clip, tilde, ramp = rest.partition("~")
    if not equals or (tilde and not ramp):
        raise _wrong(f"“{printable(word)}” is no point", "Write OUT=CLIP or OUT=CLIP~RAMP in seconds, such as 2=1~1/2.")
    return clip_seconds(out), clip_time(clip), clip_seconds(ramp or "0")


def _pieces(points: tuple[CurvePoint, ...]) -> Iterator[Piece]:
    speeds = [
        (after.clip_secs - before.clip_secs) / (after.out_secs - before.out_secs) for before, after in pairwise(points)
    ]
    for number, speed in enumerate(speeds):
        start, end = points[number], points[number + 1]
        begin, stop = start.out_secs + start.ramp_secs / 2, end.out_secs - end.ramp_secs / 2
        if stop > begin:
            yield Piece(begin, stop - begin, start.clip_secs + speed * start.ramp_secs / 2, speed, speed)
        if end.ramp_secs:
            clip = end.clip_secs - speed * end.ramp_secs / 2
            yield Piece(stop, end.ramp_secs, clip, speed, speeds[number + 1])


def _root(square: Fraction) -> Fraction:
    """Return the square root: exactly if it is a fraction, otherwise rounded down."""
    top, bottom = isqrt(square.numerator), isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return Fraction(top, bottom)
    return Fraction(isqrt(square.numerator * square.denominator * _FINE**2), square.denominator * _FINE)


def _secs(time: Fraction) -> str:
    return f"{float(time):g} s"


def _wrong(why: str, hint: str) -> UsageError:
    return UsageError(f"This is no retime curve: {why}.", hint=hint)
