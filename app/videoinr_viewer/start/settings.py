"""The settings that the program keeps between runs: a TOML file with a version, which people may edit.

    version = 1
    theme = "dark"             system, light or dark
    language = "de"            empty: the system's
    device = "cpu"             empty: the fastest
    memory_mib = 2048          0: chosen from the device's memory
    muted = false
    volume = 80
    reduced_motion = false     true: the wheel zooms at once
    times = "seconds"          seconds, timecode, timecode-from-zero or frames
    recent, recent_actions, geometry     what the program remembers by itself
    [shortcuts]
    mark-in = ["I", "Ctrl+X"]

Keys that the program does not know are kept as they are. A file of a newer version is neither read nor replaced.
"""

from __future__ import annotations

import base64
import binascii
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QByteArray

from videoinr.text.plain import printable
from videoinr_viewer.start.old_settings import load_old
from videoinr_viewer.start.setting_values import (
    MAX_RECENT,
    THEME_NAMES,
    actions_in,
    is_plain_name,
    names_in,
    shortcuts_in,
    theme_named,
)
from videoinr_viewer.start.toml_text import toml_text
from videoinr_viewer.style.language import LANGUAGES
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.style.time_form import TIME_FORM_NAMES, TimeForm, time_form_named

log = logging.getLogger(__name__)

VERSION = 1
MOST_MEMORY_MIB = 1 << 20
_MAX_BYTES = 1 << 20
_T = TypeVar("_T")


@dataclass
class Settings:
    """The settings in memory. :meth:`load` reads them, :meth:`save` writes them.

    ``recent``: clips and projects. ``recent_actions``: ids of actions. Both have the newest first. ``shortcuts``: those
    that the user chose, by the id of the action, in Qt's portable words. ``language`` and ``device``: None for the
    system's and the fastest. ``memory_mib``: the budget of the engine's caches; 0: chosen by the device. ``unknown``:
    the keys of the file that this version does not know. ``strange``: values of the file that it does not know, by
    their key; the defaults stand for them.
    """

    recent: list[Path] = field(default_factory=list)
    theme: Theme = Theme.SYSTEM
    geometry: QByteArray | None = None
    recent_actions: list[str] = field(default_factory=list)
    shortcuts: dict[str, list[str]] = field(default_factory=dict)
    language: str | None = None
    device: str | None = None
    memory_mib: int = 0
    muted: bool = False
    volume: int = 100
    reduced_motion: bool = False
    times: TimeForm = TimeForm.SECONDS
    unknown: dict[str, object] = field(default_factory=dict)
    strange: dict[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return the settings of the file at ``path``; the defaults for what is missing or makes no sense.

        Where there is no such file yet, the settings are those of the file that earlier builds wrote beside it.
        """
        try:
            values = _read(path)
        except FileNotFoundError:
            return cls(**load_old(path.with_suffix(".ini")))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("the settings cannot be read: %s", error)
            return cls()
        return cls() if _is_newer(values) else cls._from(values)

    @classmethod
    def found_at(cls, path: Path) -> Settings | None:
        """Return the settings of the file at ``path``; None if there is none that this version can read."""
        try:
            values = _read(path)
        except (OSError, ValueError, RecursionError):
            return None
        return None if _is_newer(values) else cls._from(values)

    @classmethod
    def _from(cls, values: dict[str, object]) -> Settings:
        known = {key: values.pop(key) for key in list(values) if key in _KNOWN}
        theme, language, device = (_typed(known, key, str, "") for key in ("theme", "language", "device"))
        times = _typed(known, "times", str, "")
        wrong = {
            "theme": theme not in THEME_NAMES and theme, "language": language not in LANGUAGES and language,
            "times": times not in TIME_FORM_NAMES and times,
        }  # fmt: skip
        return cls(
            recent=[Path(name) for name in names_in(known.get("recent"))],
            theme=theme_named(theme),
            geometry=_bytes(_typed(known, "geometry", str, "")),
            recent_actions=actions_in(known.get("recent_actions")),
            shortcuts=shortcuts_in(known.get("shortcuts")),
            language=language if language in LANGUAGES else None,
            device=device if device and is_plain_name(device) else None,
            memory_mib=min(max(_typed(known, "memory_mib", int, 0), 0), MOST_MEMORY_MIB),
            muted=_typed(known, "muted", bool, False),
            volume=min(max(_typed(known, "volume", int, 100), 0), 100),
            reduced_motion=_typed(known, "reduced_motion", bool, False),
            times=time_form_named(times),
            unknown=values,
            strange={key: f'"{printable(value)}"' for key, value in wrong.items() if value},
        )

    def text(self) -> str:
        """Return the content of the file."""
        geometry = b"" if self.geometry is None else self.geometry.data()
        values: dict[str, object] = {
            "version": VERSION,
            "theme": self.theme.value,
            "language": self.language or "",
            "device": self.device or "",
            "memory_mib": self.memory_mib,
            "muted": self.muted,
            "volume": self.volume,
            "reduced_motion": self.reduced_motion,
            "times": self.times.value,
            "recent": [name for name in map(str, self.recent) if is_plain_name(name)],
            "recent_actions": self.recent_actions,
            "geometry": base64.b64encode(geometry).decode(),
            "shortcuts": self.shortcuts,
        }
        return toml_text({**self.unknown, **values})

    def save(self, path: Path) -> None:
        """Replace the file at ``path``: see :func:`save_text`."""
        save_text(self.text(), path)

    def add_recent(self, path: Path) -> None:
        """Put ``path`` first in the list of recent clips."""
        path = path.absolute()
        self.recent = [path, *(other for other in self.recent if other != path)][:MAX_RECENT]

    def remove_recent(self, path: Path) -> None:
        """Remove ``path`` from the list of recent clips."""
        self.recent = [other for other in self.recent if other != path.absolute()]


def save_text(text: str, path: Path) -> None:
    """Replace the settings at ``path`` by ``text``, whole or not at all. Where that is impossible, the log says so.

    A file that cannot be read gets the name ``....damaged`` first: a slip in an edited file loses nothing.
    """
    # Imported here: the start of the program does without it.
    from videoinr.errors import VideoInrError
    from videoinr.writing.whole_files import write_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _may_replace(path):
            log.warning("the settings were written by a newer version, and stay as they are")
            return
        write_file(path, text, replace=True)
    except (VideoInrError, OSError) as error:
        log.warning("the settings cannot be saved: %s", error)


_KNOWN = {
    "version", "theme", "language", "device", "memory_mib", "muted", "volume", "reduced_motion", "times", "recent",
    "recent_actions", "geometry", "shortcuts",
}  # fmt: skip


def _read(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ValueError("the file is too long")
    return tomllib.loads(content.decode("utf-8"))


def _is_newer(values: Mapping[str, object]) -> bool:
    version = values.get("version")
    return isinstance(version, int) and version > VERSION


def _may_replace(path: Path) -> bool:
    """Return whether the file at ``path`` may be replaced. One that cannot be read is put aside first."""
    try:
        return not _is_newer(_read(path))
    except FileNotFoundError:
        return True
    except (ValueError, RecursionError):
        path.replace(path.with_name(f"{path.name}.damaged"))
        return True


def _typed(values: Mapping[str, object], key: str, kind: type[_T], default: _T) -> _T:
    value = values.get(key)
    # A bool is an int to Python, but no number in a file.
    return value if isinstance(value, kind) and isinstance(value, bool) == (kind is bool) else default


def _bytes(text: str) -> QByteArray | None:
    try:
        return QByteArray(base64.b64decode(text, validate=True)) if text else None
    except (binascii.Error, ValueError):
        return None
