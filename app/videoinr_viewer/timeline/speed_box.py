"""The playback speed: a drop-down of the usual ones."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from videoinr_viewer.player import SPEEDS


def format_speed(speed: Fraction) -> str:
    """``1/16×`` ... ``4×``."""
    return f"{speed}×"


class SpeedBox(QComboBox):
    """Shows and chooses a speed."""

    chosen = Signal(object)
    """Fraction: the speed that the person picked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Playback speed")
        self.setToolTip("Playback speed ( [ slower, ] faster )")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addItems([format_speed(speed) for speed in SPEEDS])
        self.show_speed(Fraction(1))
        self.activated.connect(self._choose)

    def show_speed(self, speed: Fraction) -> None:
        """The present speed."""
        self.setCurrentIndex(SPEEDS.index(speed))

    @Slot(int)
    def _choose(self, index: int) -> None:
        self.chosen.emit(SPEEDS[index])
