"""Times of a clip as Python gives them: numbers of seconds, or as people type them."""

from __future__ import annotations

from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.render.arguments import Number, exact
from videoinr.text.clip_time import ClipTime, clip_time
from videoinr.text.timecode import Timecode
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo

TypedTime = Number | str | ClipTime | Timecode
"""A time of a clip: seconds, or as it is typed: ``"1:02.5"``, ``"00:01:02:12"``, ``"f31"`` or ``"50%"``."""


def typed_time(time: TypedTime, name: str) -> ClipTime:
    """Return a time before there is a clip.

    Args:
        time: the argument of a public function.
        name: the argument's name, for the message.

    Raises:
        UsageError: it is no time.
    """
    if isinstance(time, ClipTime):
        return time
    if isinstance(time, str):
        return clip_time(time)
    return ClipTime(time if isinstance(time, Timecode) else exact(time, name))


def time_secs(time: TypedTime, name: str, timeline: Timeline, info: ClipInfo) -> Fraction:
    """Return the second of the clip that ``time`` is; ``name`` and the errors are those of :func:`typed_time`.

    Raises:
        UsageError: it is a timecode that the clip does not have, too.
    """
    return typed_time(time, name).time_on(timeline, info)


def optional_secs(time: TypedTime | None, name: str, timeline: Timeline, info: ClipInfo) -> Fraction | None:
    """Return what :func:`time_secs` returns, or None if ``time`` is None."""
    return None if time is None else time_secs(time, name, timeline, info)


def check_output_time(time: TypedTime, retime: object) -> None:
    """Raise UsageError if a time of the output of a retime curve is given as a place in the clip.

    Args:
        time: the time of a picture.
        retime: the curve; None if there is none: the output's times are the clip's then.
    """
    if retime is not None and typed_time(time, "time").secs is None:
        raise UsageError(
            "With a retime curve, the time of a picture is one of the output.", hint="Give it in seconds, such as 1.25."
        )
