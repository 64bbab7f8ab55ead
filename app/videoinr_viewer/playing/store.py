"""Opens the program's play cache: its budgets, and the folder on disk."""

from __future__ import annotations

import threading
from pathlib import Path

from videoinr.playing.cache import PlayCache
from videoinr.playing.picture_folder import PictureFolder, remove_left_over

MEMORY_BYTES = 384 * 2**20
DISK_BYTES = 4 * 2**30
"""At most; never more than half of what is free."""


def open_play_cache(parent: Path) -> PlayCache:
    """Return a cache whose folder will lie in ``parent``. What crashes have left there is removed in the background."""
    threading.Thread(target=remove_left_over, args=(parent,), name="videoinr-play-sweep", daemon=True).start()
    return PlayCache(MEMORY_BYTES, PictureFolder(parent, DISK_BYTES))
