"""Keeps the window of an unattended run off the screen, and waits until its picture is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from videoinr.types import RenderedRegion
from videoinr_viewer.viewer import Viewer

CALM_MSECS = 250
"""How long the picture must be complete: a window manager may resize a window right after it is shown."""


class StillWindow(QObject):
    """The window of ``viewer``, which it keeps from the screen: there it would take the user's input."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._then: Callable[[], None] = lambda: None
        viewer.window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the dialogs that actions open from the screen too, until the viewer is shut down."""
        if event.type() == QEvent.Type.Polish and isinstance(watched, QDialog) and not self._viewer.is_shut_down:
            watched.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        return super().eventFilter(watched, event)

    def when_complete(self, then: Callable[[], None], *, calm_msecs: int = CALM_MSECS) -> None:
        """Call ``then`` once the full picture and all that lies over it are there, and have been for a while."""
        self._then, self._calm_msecs = then, calm_msecs
        if self._viewer.session.clip is None:
            QTimer.singleShot(calm_msecs, self, self._end)
        else:
            self._wait()

    def do(self, names: Sequence[str]) -> str:
        """Do actions of the menus, by their ids. Return why that is impossible; empty if it is done."""
        by_id = self._viewer.window.actions_by_id
        if unknown := [name for name in names if name not in by_id]:
            return f"There is no action {unknown[0]}. There are: {', '.join(by_id)}."
        for name in names:
            by_id[name].trigger()
        return ""

    @property
    def shown(self) -> QWidget:
        """The dialog that is open, or else the window."""
        dialogs = [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()]
        return dialogs[0] if dialogs else self._viewer.window

    @Slot()
    def _wait(self) -> None:
        self._viewer.window.taker.take(self._calm_down)

    def _calm_down(self, _region: RenderedRegion) -> None:
        QTimer.singleShot(self._calm_msecs, self, self._end_if_complete)

    @Slot()
    def _end_if_complete(self) -> None:
        window = self._viewer.window
        view = window.frame_view
        if view.full_for(self._viewer.session.last_query) is None:
            self._wait()
        elif not all(part.is_complete for part in (view.comparison, window.inspections, window.slicing)):
            QTimer.singleShot(self._calm_msecs, self, self._end_if_complete)
        else:
            self._end()

    @Slot()
    def _end(self) -> None:
        self._then()
