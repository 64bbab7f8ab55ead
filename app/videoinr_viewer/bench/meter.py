"""Measures the time from an input to the paint that answers it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Qt, Signal, Slot

from videoinr.types import Quality, RenderedRegion, RenderRequest
from videoinr_viewer.bench.requests import Asked, Requests
from videoinr_viewer.viewer import Viewer


@dataclass
class Counts:
    """Counts of inputs and of pictures on the screen, and the waits of the inputs, seconds."""

    inputs: int = 0
    first_secs: list[float] = field(default_factory=list)
    full_secs: list[float] = field(default_factory=list)
    decode_secs: list[float] = field(default_factory=list)
    age_secs: list[float] = field(default_factory=list)
    shown: dict[Quality, int] = field(default_factory=lambda: dict.fromkeys(Quality, 0))
    moving_secs: float = 0.0
    fulls_while_moving: int = 0


class PaintMeter(QObject):
    """Watches the requests and the paints of one viewer.

    A paint counts at the next turn of the event loop, when the window's pixels are on their way to the display. An
    input is answered by the first paint that shows the picture of its request or of a later one: a motion draft, a
    draft or the full picture. After a zoom or a pan without a change of time, an earlier picture of the instant is
    an answer, too.
    """

    _flushed = Signal(tuple, int)
    """The regions that a paint drew, and the number of the newest request that they answer."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self.counts = Counts()
        self.answered = 0
        self._session = viewer.session
        self._asked = 0
        self._requests = Requests()
        self._waiting: deque[tuple[float, int]] = deque()
        self._rests_since: float | None = None
        self._moves_since: float | None = None
        self._drawn: tuple[RenderedRegion, ...] = ()
        viewer.session.requested.connect(self._note_request)
        viewer.window.frame_view.painted.connect(self._note_paint)
        self._flushed.connect(self._note_flush, Qt.ConnectionType.QueuedConnection)

    def take(self) -> Counts:
        """Return the counts since the last call, and start new ones."""
        counts, self.counts = self.counts, Counts()
        self._waiting.clear()
        self._rests_since = None
        return counts

    def note_input(self, due_secs: float) -> None:
        """Count an input that has just been sent and was due at ``due_secs`` (perf_counter)."""
        self.counts.inputs += 1
        self._waiting.append((due_secs, self._asked))
        self._rests_since = due_secs

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Count the full pictures that reach the screen inside the block separately: the view moves."""
        self._moves_since = start = time.perf_counter()
        try:
            yield
        finally:
            self._moves_since = None
            self.counts.moving_secs += time.perf_counter() - start

    @property
    def waits(self) -> bool:
        """Whether an input is still unanswered."""
        return bool(self._waiting)

    @property
    def is_answered(self) -> bool:
        """Whether a picture of the newest request, a motion draft or better, is on the screen."""
        return self.answered == self._asked

    @property
    def is_complete(self) -> bool:
        """Whether the full picture of the current view is on the screen."""
        return self._session.last_query is not None and any(self._completes(region) for region in self._drawn)

    def is_shown(self, *qualities: Quality) -> bool:
        """Whether a picture of one of ``qualities`` is on the screen."""
        return any(region.quality in qualities for region in self._drawn)

    def _completes(self, region: RenderedRegion) -> bool:
        return region.quality is Quality.FULL and region.query == self._session.last_query

    @Slot(object)
    def _note_request(self, request: RenderRequest) -> None:
        self._asked += 1
        self._requests.add(Asked(self._asked, request.query, time.perf_counter(), request.on_screen))

    @Slot(tuple)
    def _note_paint(self, drawn: tuple[RenderedRegion, ...]) -> None:
        self._flushed.emit(drawn, max((self._number_of(region, drawn) for region in drawn), default=0))

    def _number_of(self, region: RenderedRegion, drawn: tuple[RenderedRegion, ...]) -> int:
        """Return the number of the newest request that ``region``, one of ``drawn``, answers; 0 if there is none."""
        if region.quality is Quality.SOURCE:
            return 0
        # If all visible regions show one instant, they also answer later requests that only zoomed or panned.
        is_alone = all(other.query.instant == region.query.instant for other in drawn)
        is_decoded = all(other.quality is not Quality.SOURCE for other in drawn)
        query, requests = region.query, self._requests
        asked = requests.for_instant(query.instant) if is_alone and is_decoded else requests.answered_by(query)
        return 0 if asked is None else asked.number

    @Slot(tuple, int)
    def _note_flush(self, drawn: tuple[RenderedRegion, ...], answered: int) -> None:
        now = time.perf_counter()
        new = [region for region in drawn if not any(region is old for old in self._drawn)]
        self._drawn = drawn
        for region in new:
            self.counts.shown[region.quality] += 1
        # A view may be drawn from several full regions, but it counts once.
        self.counts.fulls_while_moving += self._moves_since is not None and any(
            region.quality is Quality.FULL for region in new
        )
        self._answer(answered, now)
        decoded = [region for region in new if region.quality in (Quality.DRAFT, Quality.FULL)]
        self.counts.decode_secs += [region.elapsed_secs for region in decoded if not math.isnan(region.elapsed_secs)]
        questions = (self._requests.answered_by(region.query) for region in new if region.quality is not Quality.SOURCE)
        self.counts.age_secs += [now - asked.at_secs for asked in questions if asked is not None]
        if self._rests_since is not None and self.is_complete:
            self.counts.full_secs.append(now - self._rests_since)
            self._rests_since = None

    def _answer(self, answered: int, now: float) -> None:
        self.answered = max(self.answered, answered)
        while self._waiting and self._waiting[0][1] <= self.answered:
            self.counts.first_secs.append(now - self._waiting.popleft()[0])
