"""Settings of the C library's heap, for work that allocates and frees the same blocks again and again.

A tile of a picture needs some dozens of blocks of one to eight megabytes. By default glibc decides from the order of
earlier calls, which differs from process to process, whether it keeps such blocks or returns them to the system. Where
it returns them, each instant takes tens of thousands of page faults: 5 to 15 % of its time. Fixed thresholds end that.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""The names of mallopt(3)."""

_LARGEST_BLOCK = 32 << 20
"""Larger blocks are mapped, and so returned when they are freed; the most that glibc allows."""

_SMALL_BLOCK = 1 << 20
_KEPT_BYTES = 64 << 20
"""How much free memory the heap keeps at its end: what two tiles in work need."""


@cache
def keep_freed_blocks() -> bool:
    """Let the heap of this process keep freed blocks of up to 32 MiB, 64 MiB in all, and share them among threads.

    Called once, before the work begins; later calls do nothing. One arena for all threads: the arenas of threads are
    unmapped and mapped as their blocks come and go.

    Returns:
        Whether the C library took the settings; only glibc has them.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    options = ((_MMAP_THRESHOLD, _LARGEST_BLOCK), (_TRIM_THRESHOLD, _KEPT_BYTES), (_ARENA_MAX, 1))
    mallopt = ctypes.CDLL(None).mallopt
    taken = [bool(mallopt(name, value)) for name, value in options]
    return all(taken)


def return_freed_blocks() -> None:
    """Let the heap return blocks of 1 MiB and more to the system from now on, as memory is short.

    Freed blocks inside a heap take address space, which larger blocks cannot use. Pictures take some percent longer.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _SMALL_BLOCK)
        mallopt(_ARENA_MAX, 1)
