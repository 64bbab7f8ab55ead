"""A context manager that ends a QPainter with its ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtGui import QPainter

_Painter = TypeVar("_Painter", bound=QPainter)


@contextmanager
def painting(painter: _Painter) -> Iterator[_Painter]:
    """Yield ``painter`` and end it afterwards.

    Qt requires the end of the painter before the end of the paint event, but Python may keep the object for longer.
    """
    try:
        yield painter
    finally:
        painter.end()
