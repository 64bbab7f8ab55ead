"""The views that the user rested at: back to the last one, and forward again."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QAction

from videoinr.types import ViewState
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session

REST_MSECS = 700
"""A view is kept when it has not changed for this long: the steps of a drag are no places to go back to."""
LIMIT = 200
"""So many views are kept."""


@dataclass(frozen=True)
class Visited:
    """A view; ``fits``: the picture was fitted to the window, whose size may be another one now."""

    view: ViewState
    fits: bool

    def is_at(self, other: Visited) -> bool:
        """Return whether both show the same: fitted views differ in their time alone."""
        if self.fits and other.fits:
            return self.view.time_secs == other.view.time_secs
        return self == other


class ViewHistory(QObject):
    """Keeps the views of the open clip: time, place and zoom. Playback leaves none but the one where it ends."""

    changed = Signal()
    """There is another view to go back or forward to, or none any more."""

    def __init__(self, session: Session, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._player = session, player
        self._views: list[Visited] = []
        self._index = -1
        self._rests = QTimer(self, singleShot=True)
        self._rests.setInterval(REST_MSECS)
        self._rests.timeout.connect(self.note)
        session.view_changed.connect(self._rests.start)
        session.taken.connect(self._take_clip)
        player.changed.connect(self._rests.start)

    @property
    def can_go_back(self) -> bool:
        """Whether there is an earlier view."""
        return self._index > 0 or (self._index == 0 and not self._views[0].is_at(self._present()))

    @property
    def can_go_forward(self) -> bool:
        """Whether the user went back from a later view."""
        return self._index < len(self._views) - 1

    def show_on(self, back: QAction, forward: QAction) -> None:
        """Let both actions be enabled while there is a view that they lead to."""

        def show() -> None:
            back.setEnabled(self.can_go_back)
            forward.setEnabled(self.can_go_forward)

        self.changed.connect(show)
        self._session.view_changed.connect(show)

    @Slot()
    def note(self) -> None:
        """Keep the present view, unless the clip plays; later ones are forgotten if it is a new one."""
        if self._session.clip is None or self._player.is_playing:
            return
        self._rests.stop()
        now = self._present()
        if self._index >= 0 and self._views[self._index].is_at(now):
            return
        self._views = [*self._views[: self._index + 1], now][-LIMIT:]
        self._index = len(self._views) - 1
        self.changed.emit()

    def back(self) -> None:
        """Show the last view before the present one."""
        self._player.pause()
        self.note()
        self._go(-1)

    def forward(self) -> None:
        """Show the view again from which the user went back."""
        self._player.pause()
        self.note()
        self._go(1)

    def _go(self, step: int) -> None:
        if 0 <= self._index + step < len(self._views):
            self._index += step
            place = self._views[self._index]
            self._session.return_to(place.view, fits=place.fits)
            self.changed.emit()

    def _present(self) -> Visited:
        return Visited(self._session.view, self._session.is_fitted)

    @Slot()
    def _take_clip(self) -> None:
        if not self._session.keeps_notes:
            self._views, self._index = [], -1
            self.note()
            self.changed.emit()
