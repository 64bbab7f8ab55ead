"""The drop-down list of playback speeds."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from videoinr_viewer.player import SPEEDS
from videoinr_viewer.style.language import tr


def format_speed(speed: Fraction) -> str:
    """Return ``1/16 speed``, ``Normal`` or ``4× speed``: a narrow window has no room for more."""
    if speed == 1:
        return tr("Normal")
    return tr("{speed} speed", speed=speed if speed < 1 else f"{speed}×")


class SpeedBox(QComboBox):
    """Shows the playback speed and lets the user choose one."""

    chosen = Signal(object)
    """Fraction: the speed that the user chose."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Playback speed"))
        self.setToolTip(tr("Playback speed ([ slower, ] faster)"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addItems([format_speed(speed) for speed in SPEEDS])
        self.show_speed(Fraction(1))
        self.activated.connect(self._choose)

    def show_speed(self, speed: Fraction) -> None:
        """Show ``speed``, one of :data:`videoinr_viewer.player.SPEEDS`."""
        self.setCurrentIndex(SPEEDS.index(speed))

    @Slot(int)
    def _choose(self, index: int) -> None:
        self.chosen.emit(SPEEDS[index])
