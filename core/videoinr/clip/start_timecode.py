"""What a file calls its first frame: the timecode of cameras and editing programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from videoinr.text.timecode import FrameNames, can_drop, timecode
from videoinr.types import StartTimecode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

TAG = "timecode"
"""FFmpeg's name of it, in large letters in Matroska. MP4 and MOV have it in a stream of its own (tmcd) as well."""


def is_timecode(name: str) -> bool:
    """Return whether ``name`` is that of the tag."""
    return name.lower() == TAG


def timecode_tag(container: InputContainer, stream: Stream) -> str:
    """Return the timecode of the first frame of ``stream`` as the file writes it; empty if it has none."""
    return next(timecode_tags(container, (stream, *container.streams.data)), "")


def timecode_tags(container: InputContainer, streams: Iterable[Stream]) -> Iterator[str]:
    """Yield the timecodes of ``streams`` and that of the file."""
    for metadata in (*(stream.metadata for stream in streams), container.metadata):
        yield from (value for name, value in metadata.items() if is_timecode(name) and value)


def start_timecode(tag: str, fps: Fraction, *, skipped: int = 0) -> StartTimecode | None:
    """Return what ``tag`` says of a clip of ``fps`` frames per second; None if it names no frame of such a clip.

    ``skipped``: how many frames lie between the frame that has this name and the clip's first, which is shown after it;
    negative: before it.
    """
    named = timecode(tag)
    base = max(1, round(fps))
    if named is None or named.between or named.frames >= base or (named.drops and not can_drop(fps)):
        return None
    names = FrameNames(base, drops=named.drops)
    number = named.secs * base + named.frames
    if names.is_dropped(number):
        return None
    return StartTimecode((names.frame(number) + skipped) % names.day, named.drops)
