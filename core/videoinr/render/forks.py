"""Forks of a process that has opened a video, such as the workers of a DataLoader: threads do not come along.

Whoever waits there for a thread of the parent, or for the lock that one holds, waits for ever: workers of the tiles,
the decoder's threads, those of OpenMP. So an open video cannot be used in a fork, and one that is opened there is
computed on one thread, for which OpenMP needs no others.
"""

from __future__ import annotations

import os
import threading
from typing import NoReturn

from videoinr.errors import UsageError


class OwnLock:
    """A lock (see :class:`threading.RLock`) of one process; entering it in a fork raises UsageError."""

    def __init__(self) -> None:
        self._lock, self._process = threading.RLock(), os.getpid()

    @property
    def is_own(self) -> bool:
        """Whether this is the process that made the lock."""
        return self._process == os.getpid()

    def __reduce__(self) -> NoReturn:
        raise UsageError(
            "An open video can be neither copied nor sent to another process.",
            hint="Give its path, and open it there: in a worker of a DataLoader, when the first item is asked for.",
        )

    def __enter__(self) -> None:
        if not self.is_own:
            raise UsageError(
                "The video was opened in another process, of which this one is a fork.",
                hint="Open it again here. In a worker of a DataLoader, open it when the first item is asked for.",
            )
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class _FirstProcess:
    """Remembers in which process a device was used first; its forks have a copy of that."""

    def __init__(self) -> None:
        self._process: int | None = None

    def is_parent(self) -> bool:
        """Note this process if it is the first; return whether another one was."""
        if self._process is None:
            self._process = os.getpid()
        return self._process != os.getpid()


_FIRST = _FirstProcess()


def fit_for_forks() -> None:
    """To be called before anything is computed: in a fork of a process that has done so, use one thread from now on."""
    if _FIRST.is_parent():
        import torch  # Not at the top: the command line refuses wrong arguments before it imports torch.

        torch.set_num_threads(1)
