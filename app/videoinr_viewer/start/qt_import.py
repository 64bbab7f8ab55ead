"""Imports Qt without what PySide6 adds to every later import."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_replaced: list[Any] = []
"""PySide6's ``__import__``, once it was replaced."""


def import_qt() -> None:
    """Import Qt, and give Python its own ``__import__`` back, which PySide6 replaces.

    PySide6's reads the source of every module that is imported after it, to see whether names in the style of Python
    are wanted there (``from __feature__ import``). Nobody here wants them, and torch's sources are many: 0.15 s of each
    start and 40 MB, which ``linecache`` keeps.
    """
    own = builtins.__import__
    import PySide6.QtCore  # noqa: F401

    _replaced[:] = [builtins.__import__]
    builtins.__import__ = own


@contextmanager
def pysides_import() -> Iterator[None]:
    """Import by PySide6's ``__import__`` while the block runs: ``from PySide6.X import *``, as in qtpy, needs it."""
    own = builtins.__import__
    builtins.__import__ = _replaced[0] if _replaced else own
    try:
        yield
    finally:
        builtins.__import__ = own
