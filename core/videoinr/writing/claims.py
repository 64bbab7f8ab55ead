"""Locks on unfinished outputs: a lock shows that the process that writes one is alive. The system drops it at its end.

Each export locks its own unfinished file, so there are no lock files that a killed process could leave.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from videoinr.errors import ExportError
from videoinr.writing.names import partials_of

try:
    import fcntl
except ImportError:  # Windows: two exports then still write files of their own, and neither replaces the other's.
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

_TRIES = 5
_PAUSE_SECS = 0.2
_LOCKED_BYTE = 0x7FFF0000
"""The byte that Windows locks: nobody else can read or write a locked one, so it lies after the end of the file."""


class _Partial(Protocol):
    @property
    def path(self) -> Path: ...

    def discard(self) -> None: ...


P = TypeVar("P", bound=_Partial)


def has_locks() -> bool:
    """Return whether this system has locks under which a file can be moved, and which end with their process."""
    return fcntl is not None


def lock(descriptor: int) -> None:
    """Lock an open unfinished output until it is closed. Does nothing where the file system has no locks."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_now(descriptor: int) -> bool:
    """Lock an open file that nothing is written to, until it is closed; on Windows too.

    Return False if it was opened and locked elsewhere, in this process or another.
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def claim(target: Path, begin: Callable[[Path], P]) -> P:
    """Begin an output, unless another export writes ``target`` at the same time.

    Args:
        target: the name that the output will get.
        begin: makes and locks the unfinished output.

    Raises:
        ExportError: another export is writing ``target``; the message names its process.
        OSError: the output cannot be begun.
    """
    for _ in range(_TRIES):
        _refuse(_writer_of(target, besides=None), target)
        partial = begin(target)
        if _writer_of(target, besides=partial.path) is None:
            return partial
        # Both began at once, and both step back; a random pause lets one of them go first.
        partial.discard()
        time.sleep(_PAUSE_SECS * random.random())
    _refuse(os.getpid(), target)
    raise AssertionError


def left_over(target: Path) -> list[Path]:
    """Return the unfinished outputs for ``target`` that a killed or stopped export has left, the newest first."""
    # Without locks, one of this process may be of an export that still runs.
    own = None if has_locks() else os.getpid()
    return newest_first(path for path, process in partials_of(target) if process != own and not _is_locked(path))


def newest_first(paths: Iterable[Path]) -> list[Path]:
    """Return those of ``paths`` that are still there, the newest first: other processes finish and remove some."""
    times: dict[Path, float] = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime
    return sorted(times, key=times.__getitem__, reverse=True)


def _refuse(process: int | None, target: Path) -> None:
    if process is not None:
        raise ExportError(
            f"{target} is being written by another export (process {process}).",
            hint="Wait until it ends, or give another name.",
        )


def _writer_of(target: Path, *, besides: Path | None) -> int | None:
    """Return the process that is writing ``target`` now, None if there is none."""
    return next((process for path, process in partials_of(target) if path != besides and _is_locked(path)), None)


def _is_locked(path: Path) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False
