"""Answers render requests for one open clip: source frame, draft and full picture, in the order of pacing.py."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.render import pacing
from videoinr.render.crop_preview import crop_around
from videoinr.render.hand_over import HandOver, Stage, Task
from videoinr.render.prefetch import Prefetch
from videoinr.render.renderer import Renderer, RenderListener
from videoinr.render.view import coarser
from videoinr.text.encoding_progress import EncodingProgress
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

REMEMBERED_PICTURES = 4


class RequestHandler:
    """Everything the render thread remembers about one open clip. Lives on that thread.

    Args:
        renderer: reads, encodes and decodes the clip.
        listener: receives the pictures.
        pacer: chooses drafts from the measured speed. It outlives the clip.
        hand_over: says whether something newer waits, and lets it cancel the tasks of this handler.
    """

    def __init__(self, renderer: Renderer, listener: RenderListener, pacer: pacing.Pacer, hand_over: HandOver) -> None:
        self._renderer, self._listener, self._pacer, self._hand_over = renderer, listener, pacer, hand_over
        self._prefetch = Prefetch(renderer.opened.timeline.pair_count)
        self._progress = EncodingProgress(listener.encoding)
        self._shown_source: int | None = None
        self._dwells_on: tuple[int, float] | None = None
        self._on_screen: deque[RegionQuery] = deque(maxlen=REMEMBERED_PICTURES)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The clip's warnings, with those about the frames read so far."""
        return self._renderer.opened.info.warnings

    def answer(self, request: RenderRequest) -> None:
        """Show the source frame, then a draft where pacing.py asks for one, then the full picture.

        Returns early, without the full picture, as soon as something newer waits.

        Raises:
            Cancelled: something newer cancelled the task in progress.
            VideoInrError: the clip or the device failed.
        """
        query, pair, phase = request.query, request.query.instant.pair, request.query.instant.phase
        self._listener.busy(True)
        self._prefetch.note(query.instant)
        self._show_source(query.instant)
        if not self._renderer.is_encoded(pair, phase):
            left_secs = self._dwell_left_secs(pair) if request.moving else 0.0
            if left_secs and self._hand_over.newer_within(left_secs):
                return
            crop = self._crop_to_show_first(query)
            if crop is not None:
                self._show_crop(request, crop)
                if self._hand_over.newer_within(pacing.REST_SECS if request.moving else 0.0):
                    return
            self._encode(query.instant, Stage.ENCODING if crop is None else Stage.COMPLETING)
        self._show_pictures(request)
        if not self._hand_over.newer_within(0.0):
            self._listener.busy(False)

    def pair_ahead(self) -> int | None:
        """Return the pair to encode while no request waits, or None."""
        return self._prefetch.next_pair(self._renderer.is_encoded) if self._pacer.encodes_ahead else None

    def encode_ahead(self, pair: int) -> None:
        """Encode ``pair`` into the cache; raises as :meth:`answer`."""
        self._encode(Instant(pair, Fraction(0)), Stage.ENCODING)
        self._prefetch.note_encoded(pair, self._renderer.is_encoded)

    def stop_ahead(self) -> None:
        """Stop encoding ahead, after a failure. The user is told when a request asks for the failed pair."""
        self._prefetch.give_up()

    def close(self) -> None:
        """Close the renderer."""
        self._renderer.close()

    def _crop_to_show_first(self, query: RegionQuery) -> Rect | None:
        info = self._renderer.opened.info
        return crop_around(query, info.grid) if self._pacer.encodes_crop_first else None

    def _show_crop(self, request: RenderRequest, crop: Rect) -> None:
        query, divisor = request.query, self._pacer.divisor_for(request)
        draft = coarser(query, divisor) if divisor > 1 else query
        task = Task(query.instant.pair, Stage.ENCODING)
        self._show(task, lambda token: self._renderer.preview(draft, crop, token))

    def _encode(self, instant: Instant, stage: Stage) -> None:
        started, (pair, phase) = time.monotonic(), (instant.pair, instant.phase)

        def work(token: CancelToken) -> None:
            token.watch(self._progress.report)
            try:
                self._renderer.encode(pair, token, phase)
            finally:
                self._progress.clear()

        self._hand_over.run(Task(pair, stage), work)
        self._pacer.note_encoding(time.monotonic() - started)

    def _dwell_left_secs(self, pair: int) -> float:
        """Return how much longer the view must stay on ``pair``; requests for its other instants do not start over."""
        now = time.monotonic()
        if self._dwells_on is None or self._dwells_on[0] != pair:
            self._dwells_on = (pair, now)
        return max(0.0, self._pacer.dwell_secs - (now - self._dwells_on[1]))

    def _show_pictures(self, request: RenderRequest) -> None:
        query, stage = request.query, Stage.FIRST_PICTURE
        asked_at_secs, divisor = self._hand_over.asked_at_secs, self._pacer.divisor_for(request)
        if divisor > 1:
            draft = coarser(query, divisor)
            if not any(_outdoes(shown, query, draft.grid) for shown in self._on_screen):
                self._decode(draft, Quality.DRAFT, stage)
            rest_secs = asked_at_secs + pacing.REST_SECS - time.monotonic() if request.moving else 0.0
            if self._hand_over.newer_within(max(0.0, rest_secs)):
                return
            stage = Stage.REFINING
        self._decode(query, Quality.FULL, stage)

    def _decode(self, query: RegionQuery, quality: Quality, stage: Stage) -> None:
        task = Task(query.instant.pair, stage, query)
        self._show(task, lambda token: self._renderer.render(query, quality, token))

    def _show(self, task: Task, picture: Callable[[CancelToken], RenderedRegion]) -> None:
        def work(token: CancelToken) -> None:
            region = picture(token)
            self._pacer.note_picture(region.query, region.elapsed_secs)
            self._on_screen.append(region.query)
            self._listener.rendered(region)

        self._hand_over.run(task, work)

    def _show_source(self, instant: Instant) -> None:
        frame = instant.source_frame
        if frame != self._shown_source:
            self._listener.rendered(self._renderer.source(instant))
            self._shown_source = frame
            # The window shows the source frame above every picture decoded before it.
            self._on_screen.clear()


def _outdoes(shown: RegionQuery, query: RegionQuery, draft: Grid) -> bool:
    """Return whether ``shown`` covers ``query`` at its instant and is no coarser than ``draft``: no draft is needed."""
    is_as_good = shown.instant == query.instant and shown.grid.width >= draft.width
    return is_as_good and shown.rect.contains(rect_on_grid(query.rect, query.grid, shown.grid))
