"""The settings that the program keeps between runs: recent clips, the window's geometry, the theme."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from videoinr.text.plain import is_plain_line
from videoinr_viewer.style.theme_choice import Theme

SCHEMA = 1
"""The version of the keys. Settings with another version are ignored."""
MAX_RECENT = 10
_MAX_BYTES = 1 << 20
_MAX_NAME_CHARS, _MAX_KEY_CHARS = 4096, 60
_ACTION_ID = re.compile(r"[a-z0-9-]{1,40}")
_OBJECT = re.compile(rb"@Variant|@DateTime|@[VD]?[A-Za-z]*\\|\\x0*40(?![0-9A-Fa-f])|\\0*100")
"""A serialised object in an ini file of Qt's, or a beginning of one that is written with escapes."""


@dataclass
class Settings:
    """The settings in memory. :meth:`load` reads them, :meth:`save` writes them.

    ``recent``: clips and projects. ``recent_actions``: ids of actions. Both have the newest first. ``shortcuts``: those
    that the user chose, by the id of the action, in Qt's portable words.
    """

    recent: list[Path] = field(default_factory=list)
    theme: Theme = Theme.SYSTEM
    geometry: QByteArray | None = None
    recent_actions: list[str] = field(default_factory=list)
    shortcuts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return the settings of the ini file at ``path``; the defaults if it is missing, foreign or damaged."""
        if not _may_be_parsed(path):
            return cls()
        store = _store(path)
        if str(store.value("schema", "")) != str(SCHEMA):
            return cls()
        geometry = store.value("geometry")
        return cls(
            recent=_paths(store.value("recent", [])),
            theme=_theme(str(store.value("theme", ""))),
            geometry=geometry if isinstance(geometry, QByteArray) else None,
            recent_actions=_action_ids(store.value("recent_actions", [])),
            shortcuts=_shortcuts(str(store.value("shortcuts", ""))),
        )

    def save(self, path: Path) -> None:
        """Write the ini file at ``path``. Where that is impossible, the settings are lost without an error."""
        store = _store(path)
        store.setValue("schema", SCHEMA)
        store.setValue("recent", [str(clip) for clip in self.recent])
        store.setValue("recent_actions", self.recent_actions)
        store.setValue("shortcuts", json.dumps(self.shortcuts))
        store.setValue("theme", self.theme.value)
        if self.geometry is not None:
            store.setValue("geometry", self.geometry)
        store.sync()

    def add_recent(self, path: Path) -> None:
        """Put ``path`` first in the list of recent clips."""
        path = path.absolute()
        self.recent = [path, *(other for other in self.recent if other != path)][:MAX_RECENT]

    def remove_recent(self, path: Path) -> None:
        """Remove ``path`` from the list of recent clips."""
        self.recent = [other for other in self.recent if other != path.absolute()]


def _store(path: Path) -> QSettings:
    return QSettings(str(path), QSettings.Format.IniFormat)


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


def _names(stored: object) -> list[str]:
    # QSettings returns a list of one entry as a plain string.
    names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
    return [name for name in map(str, names) if _is_plain_name(name)][:MAX_RECENT]


def _paths(stored: object) -> list[Path]:
    return [Path(name) for name in _names(stored)]


def _action_ids(stored: object) -> list[str]:
    return [name for name in _names(stored) if _ACTION_ID.fullmatch(name)]


def _shortcuts(text: str) -> dict[str, list[str]]:
    """Return the shortcuts in ``text``, a JSON object; those that are no lists of short texts are left out."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: keys for name, keys in pairs if _ACTION_ID.fullmatch(name) and _are_keys(keys)}


def _are_keys(keys: object) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) and 0 < len(key) <= _MAX_KEY_CHARS for key in keys)


def _is_plain_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME_CHARS and is_plain_line(name)


def _theme(name: str) -> Theme:
    return Theme(name) if name in {theme.value for theme in Theme} else Theme.SYSTEM
