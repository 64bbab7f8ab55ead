"""SeenFiles: what a window knows of the project files that it opened or saved, to replace no newer one. No Qt."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path


class SeenFiles:
    """The content of each project file as the window last saw it. Used on one thread."""

    def __init__(self) -> None:
        self._seen: dict[Path, str | None] = {}

    def note(self, path: Path) -> None:
        """The window reads or has written ``path``."""
        self._seen[path.absolute()] = _digest(path)

    def note_origin(self, path: Path, before: datetime) -> None:
        """The window shows a state of ``path`` that was written at ``before``: what the file got later is not in it."""
        try:
            is_newer = datetime.fromtimestamp(path.stat().st_mtime) > before
        except OSError:
            is_newer = False
        if is_newer:
            self._seen[path.absolute()] = ""
        else:
            self.note(path)

    def is_changed(self, path: Path) -> bool:
        """Return whether somebody else has changed ``path`` since then. A file that is gone is not."""
        seen = self._seen.get(path.absolute())
        return seen is not None and _digest(path) not in (seen, None)


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
