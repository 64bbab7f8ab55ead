"""What the program remembers between two runs: recent clips, the window's place, the theme."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from videoinr_viewer.style.theme_choice import Theme

SCHEMA = 1
"""Raised when the meaning of a key changes; settings of another schema are not read."""
MAX_RECENT = 10


@dataclass
class Settings:
    """Read once with :meth:`load`, changed in memory, written by :meth:`save`. ``recent``: newest first."""

    recent: list[Path] = field(default_factory=list)
    theme: Theme = Theme.SYSTEM
    geometry: QByteArray | None = None

    @classmethod
    def load(cls, path: Path) -> Settings:
        """What the ini file at ``path`` holds; a missing, foreign or damaged one reads as defaults."""
        store = _store(path)
        if str(store.value("schema", "")) != str(SCHEMA):
            return cls()
        geometry = store.value("geometry")
        return cls(
            recent=_paths(store.value("recent", [])),
            theme=_theme(str(store.value("theme", ""))),
            geometry=geometry if isinstance(geometry, QByteArray) else None,
        )

    def save(self, path: Path) -> None:
        """Write the ini file at ``path``; where that is impossible the program forgets, and nothing else."""
        store = _store(path)
        store.setValue("schema", SCHEMA)
        store.setValue("recent", [str(clip) for clip in self.recent])
        store.setValue("theme", self.theme.value)
        if self.geometry is not None:
            store.setValue("geometry", self.geometry)
        store.sync()

    def add_recent(self, path: Path) -> None:
        """``path`` was opened."""
        path = path.absolute()
        self.recent = [path, *(other for other in self.recent if other != path)][:MAX_RECENT]

    def remove_recent(self, path: Path) -> None:
        """``path`` could not be opened."""
        self.recent = [other for other in self.recent if other != path.absolute()]


def _store(path: Path) -> QSettings:
    return QSettings(str(path), QSettings.Format.IniFormat)


def _paths(stored: object) -> list[Path]:
    # An ini file gives a list of one back as a plain string.
    names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
    return [Path(str(name)) for name in names if name][:MAX_RECENT]


def _theme(name: str) -> Theme:
    return Theme(name) if name in {theme.value for theme in Theme} else Theme.SYSTEM
