"""The modes of the picture: full screen, comparisons, and what is drawn over and around it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.frame_view import FrameView

WIPE_STEP = 1 / 50
"""How far a key moves the wipe, as a share of the picture's visible width."""
_CYCLE = (Compare.OFF, Compare.WIPE, Compare.SIDE_BY_SIDE, Compare.DIFFERENCE, Compare.BLINK)


class ViewModes(QObject):
    """Turns the modes of ``window`` and its ``frame_view`` on and off."""

    full_screen_changed = Signal(bool)
    """Whether the picture is about to have the whole screen to itself."""
    escaped = Signal()
    """The user pressed Escape while no mode was on."""

    def __init__(self, window: QWidget, frame_view: FrameView) -> None:
        super().__init__(window)
        self._window, self._frame_view = window, frame_view
        self._has_grid = self._has_checkerboard = False
        self._has_values = self._has_minimap = True

    # ---- comparison ----

    def next_compare(self) -> None:
        """Go to the next comparison: off, wipe, side by side, difference, blink."""
        now = self._frame_view.compare
        index = _CYCLE.index(Compare.WIPE if now is Compare.WIPE_FOLLOWS else now)
        self.set_compare(_CYCLE[(index + 1) % len(_CYCLE)])

    def set_compare(self, compare: Compare) -> None:
        """Turn one comparison on."""
        self._frame_view.comparison.set_mode(compare)

    def set_reference(self, reference: Reference) -> None:
        """Compare with ``reference``; without a comparison, a wipe begins."""
        self._frame_view.comparison.set_kind(reference)
        if self._frame_view.compare is Compare.OFF:
            self.set_compare(Compare.WIPE)

    def set_reference_file(self, path: Path | None) -> None:
        """Compare with the clip at ``path``; None: the user chose none, and all stays as it is."""
        if path is not None:
            self._frame_view.comparison.set_file(path)
        self._frame_view.comparison.changed.emit()

    def compare_with_model(self) -> None:
        """Compare with another model that ships with the program; once more: with the next one."""
        self._frame_view.comparison.next_model()

    def toggle_wipe_follows(self) -> None:
        """Let the wipe follow the mouse, or keep it where it is."""
        follows = self._frame_view.compare is Compare.WIPE_FOLLOWS
        self.set_compare(Compare.WIPE if follows else Compare.WIPE_FOLLOWS)

    def move_wipe(self, steps: int) -> None:
        """Move the wipe by ``steps``, to the right if positive. Without a wipe, one begins."""
        if not self._frame_view.compare.is_wipe:
            self.set_compare(Compare.WIPE)
        self._frame_view.comparison.step_wipe(steps * WIPE_STEP)

    def change_gain(self, steps: int) -> None:
        """Make differences clearer or fainter. Without them, they are shown."""
        if self._frame_view.compare is Compare.DIFFERENCE:
            self._frame_view.comparison.change_gain(steps)
        else:
            self.set_compare(Compare.DIFFERENCE)

    # ---- over and around the picture ----

    def toggle_grid(self) -> None:
        """Show the grid of source pixels, or hide it."""
        self._has_grid = not self._has_grid
        self._frame_view.set_grid(self._has_grid)

    def toggle_checkerboard(self) -> None:
        """Show a checkerboard around the picture, or a plain surface."""
        self._has_checkerboard = not self._has_checkerboard
        self._frame_view.set_checkerboard(self._has_checkerboard)

    def toggle_values(self) -> None:
        """Show the values of the pixel under the mouse, or hide them."""
        self._has_values = not self._has_values
        self._frame_view.overlays.set_values(self._has_values)

    def toggle_minimap(self) -> None:
        """Show the minimap while the view is zoomed, or hide it."""
        self._has_minimap = not self._has_minimap
        self._frame_view.overlays.set_minimap(self._has_minimap)

    # ---- full screen ----

    def toggle_full_screen(self) -> None:
        """Show the picture alone on the whole screen, or go back to the window."""
        self._set_full_screen(not self._window.isFullScreen())

    def leave(self) -> None:
        """Leave full screen, or else the comparison; with neither, emit ``escaped``."""
        if self._window.isFullScreen():
            self._set_full_screen(False)
        elif self._frame_view.compare is not Compare.OFF:
            self.set_compare(Compare.OFF)
        else:
            self.escaped.emit()

    def _set_full_screen(self, is_full: bool) -> None:
        self.full_screen_changed.emit(is_full)
        if is_full:
            self._window.showFullScreen()
        else:
            self._window.showNormal()
