"""Checks of values that come from a file of settings."""

from __future__ import annotations

import re

from videoinr.text.plain import is_plain_line
from videoinr_viewer.style.theme_choice import Theme

MAX_RECENT = 10
THEME_NAMES = frozenset(theme.value for theme in Theme)
_MAX_NAME_CHARS, _MAX_KEY_CHARS = 4096, 60
_ACTION_ID = re.compile(r"[a-z0-9-]{1,40}")


def names_in(stored: object) -> list[str]:
    """Return the names of a stored list that may be names of files, MAX_RECENT at most."""
    names = stored if isinstance(stored, list) else []
    return [name for name in names if isinstance(name, str) and is_plain_name(name)][:MAX_RECENT]


def actions_in(stored: object) -> list[str]:
    """Return the names of a stored list that may be ids of actions."""
    return [name for name in names_in(stored) if _ACTION_ID.fullmatch(name)]


def shortcuts_in(stored: object) -> dict[str, list[str]]:
    """Return the shortcuts of a stored table; those that are no lists of short texts are left out."""
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {name: keys for name, keys in pairs if _ACTION_ID.fullmatch(name) and _are_keys(keys)}


def theme_named(name: str) -> Theme:
    """Return the theme of a stored name."""
    return Theme(name) if name in THEME_NAMES else Theme.SYSTEM


def _are_keys(keys: object) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) and 0 < len(key) <= _MAX_KEY_CHARS for key in keys)


def is_plain_name(name: str) -> bool:
    """Return whether ``name`` may be the name of a file or a device: one line of moderate length."""
    return 0 < len(name) <= _MAX_NAME_CHARS and is_plain_line(name)
