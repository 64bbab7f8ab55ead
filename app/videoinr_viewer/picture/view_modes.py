"""The modes of the picture: full screen, and the comparison with the source."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from videoinr_viewer.picture.frame_view import Compare, FrameView


class ViewModes(QObject):
    """Turns the modes of ``window`` and its ``frame_view`` on and off."""

    full_screen_changed = Signal(bool)
    """Whether the picture is about to have the whole screen to itself."""
    escaped = Signal()
    """The user pressed Escape while no mode was on."""

    def __init__(self, window: QWidget, frame_view: FrameView) -> None:
        super().__init__(window)
        self._window, self._frame_view = window, frame_view

    def toggle_compare(self) -> None:
        """Turn the comparison on, as a wipe in the middle, or off."""
        is_off = self._frame_view.compare is Compare.OFF
        self._frame_view.set_compare(Compare.WIPE if is_off else Compare.OFF)

    def toggle_wipe_follows(self) -> None:
        """Let the wipe follow the mouse, or keep it in the middle."""
        follows = self._frame_view.compare is Compare.WIPE_FOLLOWS
        self._frame_view.set_compare(Compare.WIPE if follows else Compare.WIPE_FOLLOWS)

    def toggle_full_screen(self) -> None:
        """Show the picture alone on the whole screen, or go back to the window."""
        self._set_full_screen(not self._window.isFullScreen())

    def leave(self) -> None:
        """Leave full screen, or else the comparison; with neither, emit ``escaped``."""
        if self._window.isFullScreen():
            self._set_full_screen(False)
        elif self._frame_view.compare is not Compare.OFF:
            self._frame_view.set_compare(Compare.OFF)
        else:
            self.escaped.emit()

    def _set_full_screen(self, is_full: bool) -> None:
        self.full_screen_changed.emit(is_full)
        if is_full:
            self._window.showFullScreen()
        else:
            self._window.showNormal()
