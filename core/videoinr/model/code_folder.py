"""The folders in which code is kept that was compiled on this machine, for later processes."""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path


def private_folder(name: str) -> Path:
    """Return a folder in which only this user can write.

    Where the usual one cannot be made or used, or others can write to it, a new one is made for this process.

    Args:
        name: What is kept there; the name of the folder.

    Raises:
        OSError: No folder can be made.
    """
    try:
        folder = _caches() / "videoinr" / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "nt":
            return folder  # Windows lets nobody else write into a user's folder.
        found = folder.stat()
        if found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return folder
    except (OSError, RuntimeError):  # A user without a home: RuntimeError.
        pass
    return _new_folder(name)


def _caches() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"


@cache
def _new_folder(name: str) -> Path:
    """Return a new folder, the same one for each call of this process: it asks for a folder with each kernel."""
    return Path(tempfile.mkdtemp(prefix=f"videoinr-{name}-"))
