"""Sizes of texts that are larger or smaller than the system's: they keep their proportion to it."""

from __future__ import annotations

import re

from PySide6.QtGui import QFontInfo, QGuiApplication

USUAL_PX = 12
"""The height of the system's font for which sizes are given, logical pixels."""


def from_system(px: int) -> int:
    """Return the size of a text, logical pixels, that has ``px`` where the system's font has USUAL_PX, 1 at least."""
    return max(1, round(px * QFontInfo(QGuiApplication.font()).pixelSize() / USUAL_PX))


def with_system_sizes(sheet: str) -> str:
    """Return the style ``sheet`` with its sizes of fonts as :func:`from_system` gives them."""
    return re.sub(r"(font-size: )(\d+)(px)", lambda found: f"{found[1]}{from_system(int(found[2]))}{found[3]}", sheet)
