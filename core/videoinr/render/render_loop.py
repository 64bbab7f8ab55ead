"""One thread, one request in flight, newest wins.

The window calls :meth:`RenderLoop.open` and :meth:`RenderLoop.submit` and never waits. The loop's thread owns the
renderer (reader, encoder, caches, decoder) and answers through a :class:`RenderListener`. A newer request cancels a
refinement between chunks and an encoding that it no longer needs, but never the first picture, draft or full: once
started it is shown, or a steady drag would starve the screen. Only another clip and the end cancel that. A zoomed view
may get a draft from features of its own part first (part.py); the encoding of whole frames then gives way to a view
that moves. While nothing is asked for, pairs are encoded ahead; a request for any other pair cancels that too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, VideoInrError
from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.render import pacing
from videoinr.render.crop_preview import part_around
from videoinr.render.messages import Failure
from videoinr.render.prefetch import Prefetch
from videoinr.render.renderer import Renderer, RenderListener
from videoinr.render.view import coarser
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

log = logging.getLogger(__name__)
REMEMBERED_PICTURES = 4


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A job that nobody asked for: encode ``pair``."""

    pair: int


_Job = Path | RenderRequest | _Ahead


class _Stage(Enum):
    """How far a request has come; it decides whether a newer request may cancel it."""

    ENCODING = "encoding"
    COMPLETING = "encoding, while a part of it already serves the view"
    FIRST_PICTURE = "first picture"
    REFINING = "refining"


@dataclass(eq=False)
class _InFlight:
    """What the thread is at, as :meth:`RenderLoop.submit` must know it to decide whether to cancel."""

    token: CancelToken
    pair: int
    query: RegionQuery | None
    stage: _Stage

    def is_refining(self, query: RegionQuery) -> bool:
        return self.stage is _Stage.REFINING and self.query == query and not self.token.cancelled

    def is_outdated_by(self, request: RenderRequest) -> bool:
        if self.stage in (_Stage.ENCODING, _Stage.COMPLETING):
            # A view that moves on in a part that serves it must not wait for the rest.
            moves_on = self.stage is _Stage.COMPLETING and request.moving
            return moves_on or request.query.instant.pair != self.pair
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
        self._asked_at_secs = 0.0
        self._closing = False
        self._in_flight: _InFlight | None = None
        self._renderer: Renderer | None = None
        self._shown_source: int | None = None
        self._dwells_on: tuple[int, float] | None = None
        self._on_screen: deque[RegionQuery] = deque(maxlen=REMEMBERED_PICTURES)
        self._pacer = pacing.Pacer()
        self._prefetch = Prefetch(0)
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
            self._request, self._asked_at_secs = request, time.monotonic()
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
                elif isinstance(job, RenderRequest):
                    self._serve(job)
                else:
                    self._encode_ahead(job.pair)
            except Cancelled:
                pass
            except VideoInrError as error:
                self._fail(job, str(error), error.hint)
            except Exception as error:
                log.exception("the render thread failed on %s", job)
                self._fail(job, f"Something unforeseen went wrong: {error!r}.", "The log has the details.")
        if self._renderer is not None:
            self._renderer.close()

    def _next_job(self) -> _Job | None:
        ahead = self._pair_ahead()
        with self._changed:
            idle_secs = None if ahead is None else pacing.IDLE_SECS
            if not self._changed.wait_for(self._has_news, timeout=idle_secs):
                assert ahead is not None
                return _Ahead(ahead)
            if self._closing:
                return None
            job = self._path or self._request
            if self._path is not None:
                self._path = None
            else:
                self._request = None
            return job

    def _pair_ahead(self) -> int | None:
        if self._renderer is None or not self._pacer.encodes_ahead:
            return None
        return self._prefetch.next_pair(self._renderer.is_encoded)

    def _has_news(self) -> bool:
        return bool(self._closing or self._path or self._request)

    def _fail(self, job: _Job, message: str, hint: str) -> None:
        if isinstance(job, _Ahead):
            log.info("pair %d could not be encoded ahead: %s", job.pair, message)
            self._prefetch.give_up()
            return
        self._listener.busy(False)
        self._listener.failed(Failure(message, hint, opening=isinstance(job, Path)))

    def _open(self, path: Path) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
        self._shown_source, self._dwells_on = None, None
        self._on_screen.clear()
        self._pacer.forget_clip()
        self._prefetch = Prefetch(0)
        self._renderer = self._open_renderer(path)
        self._prefetch = Prefetch(self._renderer.opened.timeline.pair_count)
        self._listener.clip_opened(self._renderer.opened)

    def _serve(self, request: RenderRequest) -> None:
        renderer, query = self._renderer, request.query
        if renderer is None:
            return
        self._listener.busy(True)
        self._prefetch.note(query.instant)
        self._show_source(renderer, query.instant)
        if not renderer.is_encoded(query.instant.pair):
            left_secs = self._dwell_left_secs(query.instant.pair) if request.moving else 0.0
            if left_secs and self._newer_within(left_secs):
                return
            part = self._part_to_show_first(renderer, query)
            if part is not None:
                self._show_part(renderer, request, part)
                if self._newer_within(pacing.REST_SECS if request.moving else 0.0):
                    return
            self._encode(renderer, query.instant.pair, _Stage.ENCODING if part is None else _Stage.COMPLETING)
        self._show_pictures(renderer, request)
        if not self._newer_within(0.0):
            self._listener.busy(False)

    def _part_to_show_first(self, renderer: Renderer, query: RegionQuery) -> Rect | None:
        info = renderer.opened.info
        return part_around(query, Grid(info.width, info.height)) if self._pacer.encodes_part_first else None

    def _show_part(self, renderer: Renderer, request: RenderRequest, part: Rect) -> None:
        query, divisor = request.query, self._pacer.divisor_for(request)
        draft = coarser(query, divisor) if divisor > 1 else query
        self._show(query.instant.pair, None, _Stage.ENCODING, lambda token: renderer.preview(draft, part, token))

    def _encode(self, renderer: Renderer, pair: int, stage: _Stage = _Stage.ENCODING) -> None:
        started = time.monotonic()
        self._watched(pair, None, stage, lambda token: renderer.encode(pair, token))
        self._pacer.note_encoding(time.monotonic() - started)

    def _encode_ahead(self, pair: int) -> None:
        if self._renderer is not None:
            self._encode(self._renderer, pair)
            self._prefetch.note_encoded(pair, self._renderer.is_encoded)

    def _dwell_left_secs(self, pair: int) -> float:
        """How much longer the view must stay on ``pair``; requests for other instants of it do not start over."""
        now = time.monotonic()
        if self._dwells_on is None or self._dwells_on[0] != pair:
            self._dwells_on = (pair, now)
        return max(0.0, self._pacer.dwell_secs - (now - self._dwells_on[1]))

    def _show_pictures(self, renderer: Renderer, request: RenderRequest) -> None:
        query, stage = request.query, _Stage.FIRST_PICTURE
        asked_at_secs, divisor = self._asked_at_secs, self._pacer.divisor_for(request)
        if divisor > 1:
            draft = coarser(query, divisor)
            if not any(_outdoes(shown, query, draft.grid) for shown in self._on_screen):
                self._decode(renderer, draft, Quality.DRAFT, stage)
            rest_secs = asked_at_secs + pacing.REST_SECS - time.monotonic() if request.moving else 0.0
            if self._newer_within(max(0.0, rest_secs)):
                return
            stage = _Stage.REFINING
        self._decode(renderer, query, Quality.FULL, stage)

    def _decode(self, renderer: Renderer, query: RegionQuery, quality: Quality, stage: _Stage) -> None:
        self._show(query.instant.pair, query, stage, lambda token: renderer.render(query, quality, token))

    def _show(
        self, pair: int, query: RegionQuery | None, stage: _Stage, picture: Callable[[CancelToken], RenderedRegion]
    ) -> None:
        def work(token: CancelToken) -> None:
            region = picture(token)
            self._pacer.note_picture(region.query, region.elapsed_secs)
            self._on_screen.append(region.query)
            self._listener.rendered(region)

        self._watched(pair, query, stage, work)

    def _watched(
        self, pair: int, query: RegionQuery | None, stage: _Stage, work: Callable[[CancelToken], None]
    ) -> None:
        """Run ``work`` so that whatever outdates it can cancel it; what came meanwhile does so at once."""
        in_flight = _InFlight(CancelToken(), pair, query, stage)
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
            return bool(self._changed.wait_for(self._has_news, timeout=secs))

    def _show_source(self, renderer: Renderer, instant: Instant) -> None:
        frame = instant.pair + (instant.phase == 1)
        if frame != self._shown_source:
            self._listener.rendered(renderer.source(instant))
            self._shown_source = frame
            # The window shows it above all that was decoded before.
            self._on_screen.clear()


def _outdoes(shown: RegionQuery, query: RegionQuery, draft: Grid) -> bool:
    """Whether ``shown`` is all of ``query``, at its instant, and no coarser than ``draft``, which then adds nothing."""
    is_as_good = shown.instant == query.instant and shown.grid.width >= draft.width
    return is_as_good and shown.rect.contains(rect_on_grid(query.rect, query.grid, shown.grid))
