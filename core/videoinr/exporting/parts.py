"""The parts of an export: runs of frames that are encoded by themselves. Each can be made, kept and joined alone."""

from __future__ import annotations

from dataclasses import dataclass

from videoinr.errors import UsageError
from videoinr.text.phrases import format_count

_PIXELS = 200_000_000
"""About as many pixels are in a part: a minute or two of a CPU's work."""
_LEAST, _SHORT, _MOST = 48, 6, 240
"""Frames of a part of large pictures, of a short export, and of small pictures: x264 starts a new group after 250."""
_PARTS_OF_SHORT = 4
"""A short export has this many parts, so that it can be shared as well."""
_PARTS_OF_MEDIUM = 16
"""A longer export has so many parts, as far as they are not too short for that: near its ends only the first and last
parts are encoded, by few cores."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """An export of ``total`` frames in parts of ``length`` frames; the last one may be shorter."""

    total: int
    length: int

    @property
    def count(self) -> int:
        """The number of parts."""
        return -(-self.total // self.length)

    def frames(self, part: int) -> range:
        """Return the frames of part ``part``, counted from 0."""
        return range(part * self.length, min((part + 1) * self.length, self.total))

    def part_of(self, frame: int) -> int:
        """Return the part that holds ``frame``."""
        return frame // self.length


@dataclass(frozen=True, slots=True)
class Share:
    """The share ``number`` (1 ... ``count``) of an export that several machines make."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise UsageError(
                f"There is no part {self.number}/{self.count}.", hint="Give a part such as 2/4: the second of four."
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def parts(self, plan: PartPlan) -> range:
        """Return the parts of ``plan`` that belong to this share: as many as to any other, or one more.

        Raises:
            UsageError: the export has fewer parts than there are shares.
        """
        if self.count > plan.count:
            raise UsageError(
                f"The export has {format_count(plan.total, 'frame')}, in {format_count(plan.count, 'part')} of at most "
                f"{format_count(plan.length, 'frame')}: too few for {self.count} shares.",
                hint=f"Use at most {format_count(plan.count, 'share')}.",
            )
        return range((self.number - 1) * plan.count // self.count, self.number * plan.count // self.count)


WHOLE = Share(1, 1)


def plan_parts(total: int, width: int, height: int) -> PartPlan:
    """Return the parts of an export of ``total`` frames of ``width`` x ``height`` pixels.

    They depend on nothing else: a resumed export, and one shared by several machines, has the parts of an unbroken one.
    """
    length = min(max(_PIXELS // (width * height), _LEAST), _MOST, max(_LEAST, -(-total // _PARTS_OF_MEDIUM)))
    return PartPlan(total, min(length, max(_SHORT, -(-total // _PARTS_OF_SHORT))))


def share_from_text(text: str) -> Share:
    """Return the share that ``text`` names: "2/4". Raises UsageError."""
    number, slash, count = text.partition("/")
    if not (slash and number.strip().isdecimal() and count.strip().isdecimal() and len(text) < 20):
        raise UsageError(f"'{text}' is not a part of an export.", hint="Give a part such as 2/4: the second of four.")
    return Share(int(number), int(count))
