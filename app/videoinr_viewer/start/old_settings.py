"""Reads the settings of earlier builds, an ini file of Qt's; nobody writes it any more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from videoinr_viewer.start.setting_values import actions_in, names_in, shortcuts_in, theme_named

SCHEMA = 1
"""The version of the keys. Settings with another version are ignored."""
_MAX_BYTES = 1 << 20
_OBJECT = re.compile(rb"@Variant|@DateTime|@[VD]?[A-Za-z]*\\|\\x0*40(?![0-9A-Fa-f])|\\0*100")
"""A serialised object in an ini file of Qt's, or a beginning of one that is written with escapes."""


def load_old(path: Path) -> dict[str, Any]:
    """Return the values of the ini file at ``path``, by their names in Settings; none if it is missing or damaged."""
    if not _may_be_parsed(path):
        return {}
    store = QSettings(str(path), QSettings.Format.IniFormat)
    if str(store.value("schema", "")) != str(SCHEMA):
        return {}
    geometry = store.value("geometry")
    return {
        "recent": [Path(name) for name in names_in(_listed(store.value("recent", [])))],
        "theme": theme_named(str(store.value("theme", ""))),
        "geometry": geometry if isinstance(geometry, QByteArray) else None,
        "recent_actions": actions_in(_listed(store.value("recent_actions", []))),
        "shortcuts": _shortcuts(str(store.value("shortcuts", ""))),
    }


def _may_be_parsed(path: Path) -> bool:
    """Return whether ``path`` is a file of moderate size that holds no serialised objects.

    Qt ends the process while it reads a damaged object. The settings hold strings and bytes only.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return False
        return _OBJECT.search(path.read_bytes().replace(rb"\\", b"")) is None
    except (OSError, ValueError):
        return False


def _listed(stored: object) -> list[str]:
    # QSettings returns a list of one entry as a plain string.
    return [stored] if isinstance(stored, str) else [str(one) for one in stored] if isinstance(stored, list) else []


def _shortcuts(text: str) -> dict[str, list[str]]:
    try:
        return shortcuts_in(json.loads(text))
    except (ValueError, RecursionError):
        return {}
