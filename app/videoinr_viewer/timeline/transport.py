"""The row below the sliders: time field, transport buttons, mark buttons, loop and speed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from videoinr_viewer.panels.labels import ShrinkingLabel
from videoinr_viewer.style.glyphs import Glyph, GlyphButton
from videoinr_viewer.timeline.speed_box import SpeedBox
from videoinr_viewer.timeline.time_field import TimeField

_MIDDLE = (
    ("start", Glyph.TO_START),
    ("previous-frame", Glyph.PREVIOUS_FRAME),
    ("play", Glyph.PLAY),
    ("next-frame", Glyph.NEXT_FRAME),
    ("end", Glyph.TO_END),
)
_RIGHT = (
    ("mark-in", Glyph.MARK_IN),
    ("mark-out", Glyph.MARK_OUT),
    ("clear-marks", Glyph.CLEAR_MARKS),
    ("loop", Glyph.LOOP),
    ("mute", Glyph.SOUND),
)


class Transport(QWidget):
    """The buttons are the window's actions, with the same text, state and shortcut."""

    def __init__(self, time_field: TimeField, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.time_field = time_field
        self.duration = ShrinkingLabel()
        self.duration.setProperty("class", "quiet")
        self.speed_box = SpeedBox()
        self._buttons = {name: self._button(actions[name], glyph) for name, glyph in (*_MIDDLE, *_RIGHT)}
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(0, 1)
        layout.setColumnStretch(2, 1)
        layout.addLayout(self._row(self.time_field, self.duration), 0, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._row(*(self._buttons[name] for name, _ in _MIDDLE)), 0, 1)
        layout.addLayout(
            self._row(*(self._buttons[name] for name, _ in _RIGHT), self.speed_box), 0, 2, Qt.AlignmentFlag.AlignRight
        )

    def show_playing(self, is_playing: bool) -> None:
        """Show on the play button what a press does: pause while playing, otherwise play."""
        self._buttons["play"].set_glyph(Glyph.PAUSE if is_playing else Glyph.PLAY)

    def show_muted(self, is_muted: bool) -> None:
        """Show on the sound button whether sound can be heard."""
        self._buttons["mute"].set_glyph(Glyph.MUTED if is_muted else Glyph.SOUND)

    def _button(self, action: QAction, glyph: Glyph) -> GlyphButton:
        button = GlyphButton(glyph, self)
        button.setDefaultAction(action)
        button.setAccessibleName(action.text().replace("&", ""))
        return button

    @staticmethod
    def _row(*widgets: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        for widget in widgets:
            row.addWidget(widget)
        return row
