"""Zooms in small steps, so that the eye can follow; the point under the mouse stays exactly where it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from videoinr.types import ViewState
from videoinr_viewer.picture import navigation
from videoinr_viewer.picture.navigation import MAX_ZOOM, Point
from videoinr_viewer.session import Session

TICK_MSECS = 15
SLOWING_SECS = 0.035
"""In this time the way that is left shrinks by the factor e: half of it in 24 ms, nearly all in 120 ms."""
END = 0.004
"""The last step is taken when this little is left, as a natural logarithm: a third of a pixel at a screen's edge."""


class SmoothZoom(QObject):
    """Stands between the mouse's wheel and ``session``. The first step is taken at once, the last one is exact.

    Another change of what is in view, by whomever, ends the way. ``is_on`` is False for users who want little motion:
    then a notch is one step. ``clock``: seconds.
    """

    def __init__(
        self, session: Session, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._session, self._clock = session, clock
        self.is_on = True
        self._target, self._at, self._last_secs = 0.0, (0.0, 0.0), 0.0
        self._is_stepping, self._place = False, ((0.0, 0.0), 0.0)
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MSECS)
        self._timer.timeout.connect(self.tick)
        session.view_changed.connect(self._note_view)
        for signal in (session.opened, session.closed):
            signal.connect(self.stop)

    @property
    def is_moving(self) -> bool:
        """Whether there is a way left."""
        return self._timer.isActive()

    @Slot(float, tuple)
    def zoom(self, factor: float, at: Point) -> None:
        """Magnify by ``factor`` around the screen point ``at``; a notch during the way adds to it."""
        session = self._session
        if not self.is_on or session.clip is None:
            session.zoom_at(factor, at)
            return
        start = self._target if self.is_moving else session.view.zoom
        least = navigation.least_zoom(session.clip.info, session.screen_px)
        self._target, self._at = min(max(start * factor, least), MAX_ZOOM), at
        if not self.is_moving:
            self._last_secs = self._clock() - TICK_MSECS / 1000
            self._timer.start()
        self.tick()

    @Slot()
    def tick(self) -> None:
        """Go a step of the way."""
        now = self._clock()
        share = 1 - math.exp((self._last_secs - now) / SLOWING_SECS)
        self._last_secs = now
        left = math.log(self._target / self._session.view.zoom)
        is_last = abs(left) * (1 - share) < END
        if is_last:
            self.stop()
        self._is_stepping = True
        try:
            self._session.zoom_at(math.exp(left if is_last else left * share), self._at)
        finally:
            self._is_stepping = False

    @Slot()
    def stop(self) -> None:
        """Stay where the view is."""
        self._timer.stop()

    @Slot(object)
    def _note_view(self, view: ViewState) -> None:
        place = (view.centre, view.zoom)
        # Playback changes the time alone.
        if not self._is_stepping and place != self._place:
            self.stop()
        self._place = place
