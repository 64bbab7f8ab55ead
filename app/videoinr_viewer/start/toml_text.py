"""Writes TOML. Python reads it (tomllib) but does not write it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(values: Mapping[str, object]) -> str:
    """Return ``values``, anything that tomllib returns, as TOML: single values first, then tables.

    Raises:
        TypeError: there is a value that TOML has no form for.
    """
    return "\n".join(_lines(values, ())).strip() + "\n"


def _lines(values: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: one for key, one in values.items() if isinstance(one, Mapping)}
    if path and (len(tables) < len(values) or not values):
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, one in values.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(one)}"
    for key, table in tables.items():
        yield from _lines(table, (*path, key))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ("nan" if math.isnan(value) else "inf" if value > 0 else "-inf")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + "}"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    # JSON's strings are TOML's, but for the delete character, and for pairs of escapes beyond the first plane.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
