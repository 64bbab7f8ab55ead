"""One thread, one request in flight, newest wins.

The window calls :meth:`RenderLoop.open` and :meth:`RenderLoop.submit` and never waits. The loop's thread owns the
renderer (reader, encoder, caches, decoder) and answers through a :class:`RenderListener`. A newer request cancels a
refinement between chunks and an encoding that it no longer needs, but never the first picture, draft or full: once
started it is shown, or a steady drag would starve the screen. Only another clip and the end cancel that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from videoinr import pacing
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, VideoInrError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Instant, Quality, RegionQuery, RenderedRegion, RenderRequest
from videoinr.view import coarser

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Opened:
    """A clip is open and can be rendered: what it is, and what renders it.

    ``trained_scales``: (least, most) space scale that the model saw in training; beyond it extrapolates.
    """

    info: ClipInfo
    timeline: Timeline
    model_name: str
    trained_scales: tuple[float, float]
    device_name: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something failed on the render thread. ``opening``: it was the opening of a clip, so none is open now."""

    message: str
    hint: str
    opening: bool


class Renderer(Protocol):
    """What the loop drives; :class:`videoinr.engine.Engine` is the real one."""

    @property
    def opened(self) -> Opened:
        """What is open, and what renders it."""

    def source(self, instant: Instant) -> RenderedRegion:
        """The source frame shown at ``instant``, whole, at the clip's own size (quality SOURCE)."""

    def is_encoded(self, pair: int) -> bool:
        """Whether the features of ``pair`` are at hand."""

    def encode(self, pair: int, token: CancelToken) -> None:
        """Bring the features of ``pair`` to hand; raises Cancelled between its stages."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``, encoding its pair first where needed; raises Cancelled between chunks."""

    def close(self) -> None:
        """Release files, threads and memory."""


class RenderListener(Protocol):
    """Who is told. Called on the loop's thread: hand the value over (a queued signal) and return at once."""

    def clip_opened(self, opened: Opened) -> None:
        """A clip is open; the requests that follow are about it."""

    def rendered(self, region: RenderedRegion) -> None:
        """A picture is ready: source, draft or full; several may answer one request."""

    def busy(self, is_busy: bool) -> None:
        """Whether the newest request still waits for its full picture."""

    def failed(self, failure: Failure) -> None:
        """A request or an opening failed; the loop goes on."""


class _Stage(Enum):
    """How far a request has come; it decides whether a newer request may cancel it."""

    ENCODING = "encoding"
    FIRST_PICTURE = "first picture"
    REFINING = "refining"


@dataclass(eq=False)
class _InFlight:
    """What the thread is at, as :meth:`RenderLoop.submit` must know it to decide whether to cancel."""

    token: CancelToken
    query: RegionQuery
    stage: _Stage

    def is_refining(self, query: RegionQuery) -> bool:
        return self.stage is _Stage.REFINING and self.query == query and not self.token.cancelled

    def is_outdated_by(self, request: RenderRequest) -> bool:
        if self.stage is _Stage.ENCODING:
            return request.query.instant.pair != self.query.instant.pair
        # The first picture is quick, draft or not: were it cancelled, a steady drag would never show one.
        return self.stage is _Stage.REFINING


class RenderLoop:
    """The render thread. Create, :meth:`open`, :meth:`submit` at will, :meth:`close`; all from any thread."""

    def __init__(self, open_renderer: Callable[[Path], Renderer], listener: RenderListener) -> None:
        self._open_renderer = open_renderer
        self._listener = listener
        self._changed = threading.Condition()
        self._path: Path | None = None
        self._request: RenderRequest | None = None
        self._closing = False
        self._in_flight: _InFlight | None = None
        self._renderer: Renderer | None = None
        self._shown_source: int | None = None
        self._dwells_on: tuple[int, float] | None = None
        self._meter = pacing.SpeedMeter()
        self._thread = threading.Thread(target=self._run, name="videoinr-render", daemon=True)
        self._thread.start()

    def open(self, path: Path) -> None:
        """Open the clip at ``path`` in place of the present one; requests not yet answered are dropped."""
        with self._changed:
            self._path, self._request = path, None
            self._cancel_in_flight()

    def submit(self, request: RenderRequest) -> None:
        """Ask for a picture; it replaces whatever waits."""
        with self._changed:
            # The mouse button that goes up asks for what a resting view is already getting: let it finish.
            if self._in_flight is not None and self._in_flight.is_refining(request.query):
                return
            self._request = request
            if self._in_flight is not None and self._in_flight.is_outdated_by(request):
                self._in_flight.token.cancel()
            self._changed.notify()

    def close(self) -> None:
        """End the thread and wait for it: at most one chunk of a picture or one stage of an encoder."""
        with self._changed:
            self._closing = True
            self._cancel_in_flight()
        self._thread.join()

    def _cancel_in_flight(self) -> None:
        if self._in_flight is not None:
            self._in_flight.token.cancel()
        self._changed.notify()

    # ---- the loop's own thread from here on ----

    def _run(self) -> None:
        while (job := self._next_job()) is not None:
            try:
                if isinstance(job, Path):
                    self._open(job)
                else:
                    self._serve(job)
            except Cancelled:
                pass
            except VideoInrError as error:
                self._fail(job, str(error), error.hint)
            except Exception as error:
                log.exception("the render thread failed on %s", job)
                self._fail(job, f"Something unforeseen went wrong: {error!r}.", "The log has the details.")
        if self._renderer is not None:
            self._renderer.close()

    def _next_job(self) -> Path | RenderRequest | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._path or self._request)
            if self._closing:
                return None
            job = self._path or self._request
            if self._path is not None:
                self._path = None
            else:
                self._request = None
            return job

    def _fail(self, job: Path | RenderRequest, message: str, hint: str) -> None:
        self._listener.busy(False)
        self._listener.failed(Failure(message, hint, opening=isinstance(job, Path)))

    def _open(self, path: Path) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        self._shown_source, self._dwells_on = None, None
        self._renderer = self._open_renderer(path)
        self._listener.clip_opened(self._renderer.opened)

    def _serve(self, request: RenderRequest) -> None:
        renderer, query = self._renderer, request.query
        if renderer is None:
            return
        self._listener.busy(True)
        self._show_source(renderer, query.instant)
        if not renderer.is_encoded(query.instant.pair):
            left_secs = self._dwell_left_secs(query.instant.pair) if request.moving else 0.0
            if left_secs and self._newer_within(left_secs):
                return
            self._watched(query, _Stage.ENCODING, lambda token: renderer.encode(query.instant.pair, token))
        self._show_pictures(renderer, request)
        if not self._newer_within(0.0):
            self._listener.busy(False)

    def _dwell_left_secs(self, pair: int) -> float:
        """How much longer the view must stay on ``pair``; requests for other instants of it do not start over."""
        now = time.monotonic()
        if self._dwells_on is None or self._dwells_on[0] != pair:
            self._dwells_on = (pair, now)
        return max(0.0, pacing.DWELL_SECS - (now - self._dwells_on[1]))

    def _show_pictures(self, renderer: Renderer, request: RenderRequest) -> None:
        query, stage = request.query, _Stage.FIRST_PICTURE
        divisor = pacing.draft_divisor(query.rect.area, self._meter)
        if divisor > 1:
            draft = coarser(query, divisor)
            self._watched(draft, stage, lambda token: self._show(renderer.render(draft, Quality.DRAFT, token)))
            if self._newer_within(pacing.REST_SECS if request.moving else 0.0):
                return
            stage = _Stage.REFINING
        self._watched(query, stage, lambda token: self._show(renderer.render(query, Quality.FULL, token)))

    def _watched(self, query: RegionQuery, stage: _Stage, work: Callable[[CancelToken], None]) -> None:
        """Run ``work`` so that whatever outdates it can cancel it; what came meanwhile does so at once."""
        in_flight = _InFlight(CancelToken(), query, stage)
        with self._changed:
            newer = self._request
            if self._closing or self._path or (newer is not None and in_flight.is_outdated_by(newer)):
                raise Cancelled
            self._in_flight = in_flight
        try:
            work(in_flight.token)
        finally:
            with self._changed:
                self._in_flight = None

    def _newer_within(self, secs: float) -> bool:
        """Whether something newer waits, or comes within ``secs``."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._closing or self._path or self._request, timeout=secs))

    def _show_source(self, renderer: Renderer, instant: Instant) -> None:
        frame = instant.pair + (instant.phase == 1)
        if frame != self._shown_source:
            self._listener.rendered(renderer.source(instant))
            self._shown_source = frame

    def _show(self, region: RenderedRegion) -> None:
        self._meter.add(region.query.rect.area, region.elapsed_secs)
        self._listener.rendered(region)
