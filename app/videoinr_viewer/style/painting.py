"""Painters that end when their block does, whoever still holds a reference to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtGui import QPainter

_Painter = TypeVar("_Painter", bound=QPainter)


@contextmanager
def painting(painter: _Painter) -> Iterator[_Painter]:
    """Use ``painter`` and end it: Qt wants it gone before the paint event is over, Python may keep it for longer."""
    try:
        yield painter
    finally:
        painter.end()
