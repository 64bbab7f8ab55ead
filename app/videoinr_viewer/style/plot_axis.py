"""The axes of plots: their numbers have the decimal sign of the language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg

from videoinr_viewer.style.language import decimal


class PlotAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis whose numbers are never shortened by a prefix such as k or m, also those of short clips.

    Args:
        side: left, right, top or bottom.
        how: what :class:`pyqtgraph.AxisItem` takes by name.
    """

    def __init__(self, side: str, **how: Any) -> None:
        super().__init__(side, **how)
        self.enableAutoSIPrefix(False)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks, without zeros at the end: whole numbers come apart, and have none."""
        texts = super().tickStrings(values, scale, spacing)
        return [decimal(text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text) for text in texts]
