"""Saves the settings on a thread: a disk may take 50 ms and more to keep them, and the window never waits for it."""

from __future__ import annotations

from pathlib import Path

from videoinr_viewer.start.settings import Settings, save_text
from videoinr_viewer.threads.in_turn import InTurn


class SettingsWriter:
    """Saves ``settings`` in the file at ``path``, as they are at each :meth:`save`."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings, self._path = settings, path
        self._disk = InTurn("videoinr-settings")

    def save(self) -> None:
        """Save the present settings, after those of earlier calls; returns at once."""
        text, path = self._settings.text(), self._path
        self._disk.submit(lambda: save_text(text, path))

    def close(self) -> None:
        """Wait until all is saved, and end the thread."""
        self._disk.close()
