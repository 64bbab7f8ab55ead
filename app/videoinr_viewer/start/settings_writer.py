"""Saves the settings on a thread: a disk may take 50 ms and more to keep them, and the window never waits for it."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from videoinr_viewer.start.setting_values import MAX_RECENT
from videoinr_viewer.start.settings import Settings, save_text
from videoinr_viewer.threads.in_turn import InTurn


class SettingsWriter:
    """Saves ``settings`` in the file at ``path``, as they are at each :meth:`save`.

    Several windows of the program share the file: each writes what was changed in it since it last wrote, and leaves
    the rest as it is in the file.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings, self._path = settings, path
        self._written = _copy(settings)
        self._disk = InTurn("videoinr-settings")

    def save(self) -> None:
        """Save what has changed, after earlier calls have saved theirs; returns at once."""
        now = _copy(self._settings)
        self._disk.submit(lambda: self._write(now))

    def close(self) -> None:
        """Wait until all is saved, and end the thread."""
        self._disk.close()

    def _write(self, now: Settings) -> None:
        before, self._written = self._written, now
        found = Settings.found_at(self._path)
        save_text((now if found is None else merged(before, now, found)).text(), self._path)


def merged(before: Settings, now: Settings, found: Settings) -> Settings:
    """Return the settings ``found`` in the file with what has changed from ``before`` to ``now``.

    Of the recent clips, the window's come first, then those of other windows.
    """
    changed = {
        one.name: getattr(now, one.name)
        for one in fields(Settings)
        if getattr(now, one.name) != getattr(before, one.name)
    }
    if "recent" in changed:
        gone = {*before.recent, *now.recent}
        changed["recent"] = [*now.recent, *(path for path in found.recent if path not in gone)][:MAX_RECENT]
    return replace(found, **changed)


def _copy(settings: Settings) -> Settings:
    return replace(
        settings, recent=[*settings.recent], recent_actions=[*settings.recent_actions],
        shortcuts={**settings.shortcuts}, unknown={**settings.unknown},
    )  # fmt: skip
