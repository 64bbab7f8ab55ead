"""What the first frames of a video say, as plain values, and back, with the types and limits of each checked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from videoinr.clip.head import FrameFacts, HeadFacts
from videoinr.colour import ColourTags
from videoinr.isolation.values import integer, name_or_none, sentences, timecode_or_empty, yes_or_no

_MOST_FRAMES = 64
_MAX_SIDE, _MAX_PIXELS = 1 << 16, 1 << 26


def values_from_head(facts: HeadFacts) -> dict[str, Any]:
    """Return ``facts`` as JSON holds them."""
    return asdict(facts)


def head_from_values(values: dict[str, Any]) -> HeadFacts:
    """Return the facts in ``values``.

    Raises:
        ValueError, TypeError, KeyError: they are not of the types or within the limits.
    """
    frames, pts, turns = values["frames"], values["pts"], values["turns"]
    if not 0 < len(frames) <= len(pts) <= _MOST_FRAMES:
        raise ValueError("no such number of frames")
    return HeadFacts(
        pts=tuple(None if each is None else integer(each) for each in pts),
        errors=integer(values["errors"]),
        frames=tuple(_frame(each) for each in frames),
        format=_pixel_format(values["format"]),
        tags=ColourTags(**{name: name_or_none(tag) for name, tag in values["tags"].items()}),
        turns=None if turns is None else (integer(turns[0]) % 4, yes_or_no(turns[1])),
        is_interlaced=yes_or_no(values["is_interlaced"]),
        field_order=integer(values["field_order"]),
        siting=name_or_none(values["siting"]),
        notes=sentences(values["notes"]),
        timecodes=tuple(timecode_or_empty(each) for each in values["timecodes"]),
    )


def _frame(values: dict[str, Any]) -> FrameFacts:
    pts, width, height = values["pts"], integer(values["width"]), integer(values["height"])
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and width * height <= _MAX_PIXELS):
        raise ValueError("no such size")
    return FrameFacts(None if pts is None else integer(pts), width, height, yes_or_no(values["is_corrupt"]))


def _pixel_format(name: object) -> str:
    import av  # loaded only when a clip is opened

    known = name_or_none(name)
    if known is None:
        raise ValueError("no pixel format")
    av.VideoFormat(known, 16, 16)
    return known
