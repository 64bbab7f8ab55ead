"""Checks of plain values that another process wrote: each returns the value, or raises ValueError."""

from __future__ import annotations

import re

_TIMECODE = re.compile(r"[0-9:;]{0,16}")
_NAME = re.compile(r"[A-Za-z0-9_+.-]{1,64}")
_MOST_SENTENCES, _MOST_CHARS = 100, 2000


def integer(value: object) -> int:
    """Return ``value``, which is a whole number of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
        raise ValueError("not a whole number")
    return value


def yes_or_no(value: object) -> bool:
    """Return ``value``, which is true or false."""
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def name_or_none(value: object) -> str | None:
    """Return ``value``, which is a name of FFmpeg's or None."""
    if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
        raise ValueError("not a name")
    return value


def timecode_or_empty(value: object) -> str:
    """Return ``value``, which is a timecode or empty."""
    if not isinstance(value, str) or not _TIMECODE.fullmatch(value):
        raise ValueError("not a timecode")
    return value


def sentences(value: object) -> tuple[str, ...]:
    """Return ``value``, a list of sentences, as a tuple."""
    if not isinstance(value, list) or len(value) > _MOST_SENTENCES:
        raise ValueError("not a list of sentences")
    if not all(isinstance(one, str) and len(one) <= _MOST_CHARS for one in value):
        raise ValueError("not a sentence")
    return tuple(value)
