"""What bounds the pictures that wait to be encoded."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

_LEAST_BYTES, _MOST_BYTES, _MEMORY_SHARE = 64 << 20, 2 << 30, 16
_GROUPS = Path("/sys/fs/cgroup")
PATIENCE_SECS = 0.1
"""How long a thread waits before it looks whether the export was cancelled, or has failed."""


def memory_bytes(groups: Path = _GROUPS) -> int:
    """Return how many bytes of memory this process may use; 0 if the machine does not say.

    Args:
        groups: the folder of Linux's control groups, whose limit counts too: a container, or a job of a scheduler.
    """
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
    limits = [machine]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # No such file, or "max": no limit.
            limits.append(int((groups / name).read_text(encoding="ascii")))
    return min(limits)


def waiting_bytes() -> int:
    """Return how many bytes of pictures may wait to be encoded: a small share of the machine's memory."""
    return min(max(memory_bytes() // _MEMORY_SHARE, _LEAST_BYTES), _MOST_BYTES)


class ByteBudget:
    """Bounds the bytes that several threads hold. One request larger than all of it is granted when nothing is held."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return self._held

    def take(self, count: int, check: Callable[[], None]) -> None:
        """Wait until ``count`` bytes are free, and hold them. ``check`` is called meanwhile, and may raise."""
        with self._changed:
            while self._held and self._held + count > self._most:
                self._changed.wait(PATIENCE_SECS)
                check()
            self._held += count

    def give_back(self, count: int) -> None:
        """Hold ``count`` bytes less."""
        with self._changed:
            self._held -= count
            self._changed.notify_all()
