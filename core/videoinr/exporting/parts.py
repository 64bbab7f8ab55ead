"""The parts of an export: runs of frames that are encoded by themselves. Each can be made, kept and joined alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from videoinr.errors import UsageError
from videoinr.text.phrases import format_count

_PIXELS = 233_000_000
"""About as many pixels are in a part: a minute or two of a CPU's work."""
_LEAST, _SHORT, _MOST = 56, 6, 240
"""Frames of a part of large pictures, of a short export, and of small pictures: x264 starts a new group after 250."""
_PARTS_OF_SHORT = 4
"""A short export has this many parts, so that it can be shared as well."""
_PARTS_OF_MEDIUM = 14
"""The parts of a longer export are an equal share of it, so many as this, as far as they are not too short for that:
near its ends only the first and last parts are encoded, by few cores."""
_RAMP = 32
"""Frames of the first and of the last part of a longer export."""
_GROWTH = 6, 5
"""Each part is longer than the one before by this ratio, until they are of full length, and they end in the same way.
An encoder takes some six times as long for a part as a GPU for its frames. So parts, each of which is shorter by a
sixth than the one before it, are encoded until the same time."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """An export of ``total`` frames in parts of at most ``length`` frames.

    Attributes:
        total: how many frames there are.
        length: the most frames of a part.
        ramp: the frames of the first part and of the last one, if the parts grow from there to ``length`` and shrink
            again; None, or too few frames for that, if all have ``length`` frames, and the last one may be shorter.
    """

    total: int
    length: int
    ramp: int | None = None

    @property
    def count(self) -> int:
        """The number of parts."""
        return len(_starts(self.total, self.length, self.ramp)) - 1

    def frames(self, part: int) -> range:
        """Return the frames of part ``part``, counted from 0."""
        starts = _starts(self.total, self.length, self.ramp)
        return range(starts[part], starts[part + 1])

    def part_of(self, frame: int) -> int:
        """Return the part that holds ``frame``."""
        return bisect_right(_starts(self.total, self.length, self.ramp), frame) - 1

    def nearest_start(self, frame: int) -> int:
        """Return the part that starts nearest to ``frame``; the number of parts, if that is nearer to the end."""
        starts = _starts(self.total, self.length, self.ramp)
        return min(range(len(starts)), key=lambda part: abs(starts[part] - frame))


@lru_cache(maxsize=16)  # Every frame asks for it.
def _starts(total: int, length: int, ramp: int | None) -> tuple[int, ...]:
    """Return the first frame of each part, and ``total``."""
    ends, left, size = list[int](), total, ramp or length
    # As long as some parts of full length are left between them: each part more costs the bytes of a key frame.
    while size < length and left - 2 * size >= 4 * length:
        ends.append(size)
        left -= 2 * size
        size = -(-size * _GROWTH[0] // _GROWTH[1])
    if not ends:
        return (*range(0, total, length), total)
    count = -(-left // length)
    between = [left * (part + 1) // count - left * part // count for part in range(count)]
    return (0, *accumulate([*ends, *between, *reversed(ends)]))


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
        """Return the parts of ``plan`` that belong to this share: about as many frames as to any other.

        Raises:
            UsageError: the export has fewer parts than there are shares.
        """
        if self.count > plan.count:
            raise UsageError(
                f"The export has {format_count(plan.total, 'frame')}, in {format_count(plan.count, 'part')} of at most "
                f"{format_count(plan.length, 'frame')}: too few for {self.count} shares.",
                hint=f"Use at most {format_count(plan.count, 'share')}.",
            )
        ends = [0]
        for number in range(1, self.number + 1):
            nearest = plan.nearest_start(number * plan.total // self.count)
            # Each share has a part, also those that follow.
            ends.append(max(ends[-1] + 1, min(nearest, plan.count - (self.count - number))))
        return range(*ends[-2:])


WHOLE = Share(1, 1)


def plan_parts(total: int, width: int, height: int) -> PartPlan:
    """Return the parts of an export of ``total`` frames of ``width`` x ``height`` pixels.

    They depend on nothing else: a resumed export, and one shared by several machines, has the parts of an unbroken one.
    """
    length = min(max(_PIXELS // (width * height), _LEAST), _MOST, max(_LEAST, -(-total // _PARTS_OF_MEDIUM)))
    return PartPlan(total, min(length, max(_SHORT, -(-total // _PARTS_OF_SHORT))), _RAMP)


def plan_facts(plan: PartPlan) -> dict[str, Any]:
    """Return ``plan`` as it is among the facts of an export, besides the number of its frames."""
    # Absent from those of before there were ramps.
    return {"part_frames": plan.length, **({"ramp_frames": plan.ramp} if plan.ramp else {})}


PLAN_FACTS = frozenset(("part_frames", "ramp_frames"))
"""The names of the facts by :func:`plan_facts`."""


def plan_from_facts(facts: Mapping[str, Any]) -> PartPlan | None:
    """Return the plan that the facts of an export, read from a file, name; None if they name none that can be."""
    total, length, ramp = facts.get("frames"), facts.get("part_frames"), facts.get("ramp_frames")
    if any(type(value) is not int or value < 1 for value in (total, length, 1 if ramp is None else ramp)):
        return None
    assert isinstance(total, int)
    assert isinstance(length, int)
    return PartPlan(total, length, ramp)


def share_from_text(text: str) -> Share:
    """Return the share that ``text`` names: "2/4". Raises UsageError."""
    number, slash, count = text.partition("/")
    if not (slash and number.strip().isdecimal() and count.strip().isdecimal() and len(text) < 20):
        raise UsageError(f"'{text}' is not a part of an export.", hint="Give a part such as 2/4: the second of four.")
    return Share(int(number), int(count))
