"""Watches the clip of an export: whether its files change, and how many of its frames had to be replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from videoinr.errors import ClipError
from videoinr.text.phrases import format_count
from videoinr.types import Instant

MOST_STAND_INS = 0.25
"""The share of the source frames that may be replaced because they cannot be decoded. Above it an export fails."""

_RANGES_SHOWN = 5


class WatchedClip(Protocol):
    """The part of :class:`videoinr.clip.Clip` that is watched."""

    @property
    def stand_ins(self) -> Mapping[int, int]:
        """The frames read so far that cannot be decoded, and which frame was returned instead of each."""

    def check_source(self, index: int | None = None) -> None:
        """Raise ClipError if a file has changed since the clip was opened."""


class SourceWatch:
    """Watches ``clip`` (None: a clip without files) during an export that reads the source frames ``frames``."""

    def __init__(self, clip: WatchedClip | None, frames: range) -> None:
        self._clip, self._frames = clip, frames
        self._lost: list[int] = []
        self._seen = 0

    def is_sound(self, instant: Instant) -> bool:
        """Return whether the picture at ``instant``, just decoded, was made of the clip's own frames.

        Raises:
            ClipError: a file of the clip has changed, or too many frames had to be replaced.
        """
        if self._clip is None:
            return True
        self._clip.check_source(instant.pair)
        stand_ins = self._clip.stand_ins
        if len(stand_ins) != self._seen:
            self._seen = len(stand_ins)
            self._lost = sorted(index for index in stand_ins if index in self._frames)
        if len(self._lost) > MOST_STAND_INS * len(self._frames):
            raise ClipError(
                f"The clip is too damaged: {len(self._lost)} of {format_count(len(self._frames), 'frame')} cannot be "
                f"decoded ({format_ranges(self._lost)}).",
                hint="Copy the file again, or export the parts that can be read.",
            )
        return instant.pair not in stand_ins and instant.pair + 1 not in stand_ins

    def check(self) -> None:
        """Raise ClipError if any file of the clip has changed since it was opened."""
        if self._clip is not None:
            self._clip.check_source()

    @property
    def notice(self) -> str:
        """A sentence that names the frames that had to be replaced; empty if there were none."""
        return f"Replaced frames of the clip: {format_ranges(self._lost)}." if self._lost else ""


def format_ranges(numbers: Sequence[int]) -> str:
    """Return the sorted ``numbers`` as ranges: ``3, 7-9``; after a few ranges ``...``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges[:_RANGES_SHOWN]]
    return ", ".join(shown) + (", ..." if len(ranges) > _RANGES_SHOWN else "")
