"""The unfinished outputs of this process: a process that must end at once removes them first."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

_naming = threading.RLock()
_unfinished: dict[int, Discardable] = {}
_resumable: set[int] = set()


class Discardable(Protocol):
    """An unfinished file or folder."""

    def discard(self) -> None:
        """Remove it. Never raises."""


def remember(partial: Discardable, *, is_resumable: bool = False) -> None:
    """Remember ``partial`` until :func:`forget`; ``is_resumable``: a later run can go on with it."""
    _unfinished[id(partial)] = partial
    if is_resumable:
        _resumable.add(id(partial))


def forget(partial: Discardable) -> None:
    """Forget ``partial``: it was removed, or it has its name."""
    _unfinished.pop(id(partial), None)
    _resumable.discard(id(partial))


@contextmanager
def naming() -> Iterator[None]:
    """Give outputs their names inside this block: :func:`end_process` waits for its end."""
    with _naming:
        yield


def end_process(code: int, report: Callable[[], None], *, leaves: bool = False) -> NoReturn:
    """Remove all unfinished outputs, call ``report`` and end the process at once, from whatever thread.

    ``leaves``: those that a later run can go on with stay.
    """
    with _naming:
        for partial in [each for key, each in _unfinished.items() if not (leaves and key in _resumable)]:
            partial.discard()
        try:
            report()
        finally:
            os._exit(code)
