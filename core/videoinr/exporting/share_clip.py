"""The clip that the shares of an export were made of: found again, from which the joined file takes its sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from videoinr.errors import UsageError
from videoinr.exporting.facts import content_print

_WHERE = "clip"
"""The fact that differs where machines have the clip in folders of their own."""


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of the facts in which the exports of two shares differ. Where the clip lies is none."""
    return sorted(name for name in {*one, *other} - {_WHERE} if one.get(name) != other.get(name))


def clip_of(shares: Iterable[Mapping[str, Any]], given: Path | None) -> Path | None:
    """Return the path of the clip of some ``shares``, by their facts; None if it is at none of their places.

    Args:
        shares: the facts of each.
        given: where the user says that it is.

    Raises:
        UsageError: ``given`` is not there, or another clip.
    """
    facts = list(shares)
    places = [given] if given is not None else list(dict.fromkeys(Path(str(each[_WHERE])) for each in facts))
    for place in places:
        if _holds_pictures(place) or (place.is_file() and content_print(place) == facts[0].get("content")):
            return place
    if given is not None:
        raise UsageError(f"{given} is not the clip of these shares.", hint="Give the file that they were made of.")
    return None


def _holds_pictures(place: Path) -> bool:
    """Return whether a clip of pictures is there, which has nothing but pictures: they are not read."""
    return place.is_dir() or (
        place.parent.is_dir() and any(mark in place.name for mark in "%*?[") and not place.exists()
    )
