"""SeenFiles: what a window knows of the project files that it opened or saved, to replace no newer one. No Qt."""

from __future__ import annotations

import hashlib
from pathlib import Path


class SeenFiles:
    """The content of each project file as the window last saw it. Used on one thread."""

    def __init__(self) -> None:
        self._seen: dict[Path, str] = {}

    def note(self, path: Path, digest: str) -> None:
        """The window shows or has written ``path``, whose :func:`digest_of` was ``digest``; empty: nothing is known."""
        self._seen[path.absolute()] = digest

    def digest(self, path: Path) -> str:
        """Return what was noted of ``path``; empty if nothing was."""
        return self._seen.get(path.absolute(), "")

    def is_changed(self, path: Path) -> bool:
        """Return whether somebody else has changed ``path`` since then. A file that is gone is not."""
        seen = self.digest(path)
        return bool(seen) and digest_of(path) not in (seen, "")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
