"""The folders in which code is kept that was compiled on this machine, for later processes."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def private_folder(name: str) -> Path:
    """Return a folder in which only this user can write; a fresh one if the usual one can be written by others.

    Args:
        name: What is kept there; the name of the folder.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "videoinr" / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "nt":
            return folder  # Windows lets nobody else write into a user's folder.
        found = folder.stat()
        if found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
    except (OSError, RuntimeError):
        pass
    return Path(tempfile.mkdtemp(prefix=f"videoinr-{name}-"))
