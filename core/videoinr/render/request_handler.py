"""Answers render requests for one open clip: motion draft, draft and full picture, as pacing.py says."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.geometry import Grid, Rect
from videoinr.playing.cache import PlayCache
from videoinr.render import pacing
from videoinr.render.bounded_cache import BoundedCache
from videoinr.render.crop_preview import crop_around
from videoinr.render.current_level import CurrentLevel
from videoinr.render.gesture import Gesture
from videoinr.render.hand_over import EncodeAhead, HandOver, RenderAhead, Stage, Task
from videoinr.render.inquiry import Inquiry
from videoinr.render.interlude import InterludeToken
from videoinr.render.play_ahead import PlayAhead
from videoinr.render.prefetch import Prefetch
from videoinr.render.renderer import Renderer, RenderListener
from videoinr.render.shown import ShownPictures
from videoinr.render.view import coarser
from videoinr.text.encoding_progress import EncodingProgress
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest, rank_of

FULLS_BYTES = 32 * 2**20
"""The most that full pictures may take that are kept, so that who returns to a view finds it as it was."""
QUICK_SECS = 0.06
"""Inquiries that follow the view are answered between the pictures of a drag, if the last one took less than this."""
MOTION_REACH = 4
"""How many pairs on either side get their motion found ahead, so that a drag finds it there."""


class RequestHandler:
    """Everything the render thread remembers about one open clip. Lives on that thread.

    Args:
        renderer: reads, encodes and decodes the clip.
        listener: receives the pictures.
        pacer: chooses drafts from the measured speed. It outlives the clip.
        hand_over: says whether something newer waits, and lets it cancel the tasks of this handler.
        play: keeps the pictures for playback; None: none are rendered ahead.
    """

    def __init__(
        self,
        renderer: Renderer,
        listener: RenderListener,
        pacer: pacing.Pacer,
        hand_over: HandOver,
        play: PlayCache | None = None,
    ) -> None:
        self._renderer, self._listener, self._pacer, self._hand_over = renderer, listener, pacer, hand_over
        self._play = PlayAhead(renderer, play)
        self._prefetch = Prefetch(renderer.opened.timeline.pair_count)
        self._progress = EncodingProgress(listener.encoding)
        self._gesture = Gesture()
        self._sought, self._is_prepared = set[int](), False
        self._shown = ShownPictures()
        self._fulls = BoundedCache[RegionQuery, RenderedRegion](FULLS_BYTES)
        self._shown_source: int | None = None
        self._dwells_on: tuple[int, float] | None = None
        self._level = CurrentLevel(renderer, pacer)
        self._inquiry_secs = 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """The clip's warnings, with those about the frames read so far."""
        return self._renderer.opened.info.warnings

    def answer(self, request: RenderRequest) -> None:
        """Show a first picture at once, then better ones up to the full picture.

        Returns early, without the full picture, as soon as something newer waits.

        Raises:
            Cancelled: something newer cancelled the task in progress.
            VideoInrError: the clip or the device failed.
        """
        instant = request.query.instant
        self._listener.busy(True)
        self._prefetch.note(instant)
        self._level.note(request.query.grid)
        self._sought.clear()
        self._is_prepared = False
        self._note_movement(request)
        self._show_source(instant)
        if (full := self._fulls.get(request.query) or self._play.get(request.query)) is not None:
            self._tell(full)
            self._listener.busy(False)
            return
        divisor = self._pacer.divisor_for(request, self._gesture.interval_secs)
        starts_softly = self._starts_with_motion(request, divisor)
        if starts_softly:
            self._show_motion(self._soft_query(request), quick=request.moving)
            if request.is_playing:
                self._listener.busy(False)
                return
        if not self._level.is_encoded(instant.pair, instant.phase):
            if self._moves_on(request, divisor):
                return
        elif starts_softly and request.moving and self._hand_over.newer_within(self._rest_left_secs()):
            return
        self._show_decoded(request, divisor, is_first=not starts_softly)
        if not self._hand_over.newer_within(0.0):
            self._listener.busy(False)

    def inquire(self, inquiry: Inquiry) -> None:
        """Do the next step of ``inquiry``; raises as :meth:`answer`. A cancelled step waits to be done again."""
        self._step(inquiry, Stage.INQUIRY)

    def inquire_between(self) -> None:
        """Answer what follows the view though a request waits, if that is quick: during a drag one always waits."""
        if self._hand_over.waiting is None or self._inquiry_secs > QUICK_SECS:
            return
        inquiry = self._hand_over.take_inquiry(self._is_quick)
        if inquiry is not None:
            self._step(inquiry, Stage.FIRST_PICTURE)

    def _is_quick(self, inquiry: Inquiry) -> bool:
        instant = inquiry.next_instant
        return inquiry.follows_view and self._renderer.is_encoded(instant.pair, instant.phase)

    def _step(self, inquiry: Inquiry, stage: Stage) -> None:
        def work(token: CancelToken) -> None:
            started = time.monotonic()
            answer, rest = inquiry.step(self._renderer, token)
            if inquiry.follows_view:
                self._inquiry_secs = time.monotonic() - started
            self._listener.told(answer)
            if rest is not None:
                self._hand_over.put_back(rest, inquiry)

        try:
            self._hand_over.run(Task(inquiry.next_instant.pair, stage, inquiry=inquiry), work)
        except Cancelled:
            self._hand_over.put_back(inquiry, inquiry)
            raise

    def job_ahead(self) -> EncodeAhead | RenderAhead | None:
        """Return what to do while no request waits, or None.

        First motion for drags, then the next pairs, then the pictures of playback. These may make the cache drop the
        next pairs, which are encoded again when all of them are there.
        """
        is_playing = self._hand_over.is_playing
        if not is_playing and (pair := self._pair_without_motion()) is not None:
            return EncodeAhead(pair)
        if not self._pacer.encodes_ahead:
            return None
        pair = None if self._is_prepared or is_playing else self._prefetch.next_pair(self._level.is_encoded)
        if pair is not None:
            return EncodeAhead(pair)
        self._is_prepared = self._is_prepared or not is_playing
        if (query := self._play.next_query()) is not None and not self._disturbs_playback():
            return RenderAhead(query)
        pair = None if is_playing else self._prefetch.next_pair(self._level.is_encoded)
        return None if pair is None else EncodeAhead(pair)

    def render_ahead(self, query: RegionQuery) -> None:
        """Render ``query`` for playback, whose requests get motion drafts in between; raises as :meth:`answer`."""
        instant = query.instant

        def work(token: CancelToken) -> None:
            started, was_encoded = time.monotonic(), self._renderer.is_encoded(instant.pair, instant.phase, query.grid)
            between = InterludeToken(token, lambda: self._answer_playback(token))
            self._renderer.encode(instant.pair, between, instant.phase, query.grid)
            if not was_encoded:
                self._pacer.note_encoding(time.monotonic() - started - between.spent_secs)
            self._play.render(query, between)

        self._hand_over.run(Task(instant.pair, Stage.AHEAD, query, is_ahead=True), work)

    def _disturbs_playback(self) -> bool:
        """Return whether a layer of the encoder, between which playback is answered, takes too long."""
        return self._hand_over.is_playing and self._pacer.encodes_at_rest_only(self._level.size)

    def encode_ahead(self, pair: int) -> None:
        """Find the motion of ``pair``, or encode it into the cache; raises as :meth:`answer`."""
        if pair != self._pair_without_motion():
            self._encode(Instant(pair, Fraction(0)), Stage.ENCODING, is_ahead=True)
            self._prefetch.note_encoded(pair, self._level.is_encoded)
            return
        task, instant = Task(pair, Stage.ENCODING, is_ahead=True), _middle(pair)
        self._sought.add(pair)
        try:
            self._hand_over.run(task, lambda token: self._renderer.find_motion(instant, token))
        except Cancelled:
            self._sought.discard(pair)  # It is sought again; one that failed is not, while the view rests.
            raise

    def stop_ahead(self) -> None:
        """Prepare nothing more, after a failure. The user is told when a request asks for the failed pair."""
        self._prefetch.give_up()
        self._play.give_up()

    def _pair_without_motion(self) -> int | None:
        """Return a near pair whose motion was not found, and was not sought since the last request; or None."""
        if self._pacer.encodes_at_once:
            return None
        near = (pair for pair in self._prefetch.near(MOTION_REACH) if pair not in self._sought)
        return next((pair for pair in near if not self._renderer.is_motion_ready(_middle(pair))), None)

    def close(self) -> None:
        """Close the renderer."""
        self._renderer.close()

    # ---- the first picture ----

    def _starts_with_motion(self, request: RenderRequest, divisor: int) -> bool:
        """Return whether the first picture of ``request`` is a motion draft: no better one comes as soon."""
        instant = request.query.instant
        is_soon = self._level.is_encoded(instant.pair, instant.phase) or self._pacer.encodes_at_once
        if request.is_playing:
            return divisor > 1 or not is_soon
        if not is_soon:
            return not self._shows_crop_at_once(request.query, divisor)
        if request.moving and self._gesture.keeps_to_motion:
            return True
        return divisor > 1 and not self._is_draft_finer(request.query, divisor)

    def _is_draft_finer(self, query: RegionQuery, divisor: int) -> bool:
        """Return whether a draft shows more than a motion draft: at a source frame's time the frame itself is fine."""
        source = min(self._clip_size.width, query.grid.width)
        return not query.instant.is_source and coarser(query, divisor).grid.width >= pacing.FINER * source

    def _shows_crop_at_once(self, query: RegionQuery, divisor: int) -> bool:
        """Return whether a draft from a crop that is already encoded is there as soon as a motion draft."""
        shows_crop = self._pacer.encodes_crop_first and crop_around(query, self._level.size) is not None
        return shows_crop and self._renderer.is_previewed(query) and self._is_crop_finer(query, divisor)

    def _is_crop_finer(self, query: RegionQuery, divisor: int) -> bool:
        return divisor == 1 or self._is_draft_finer(query, divisor)

    def _show_motion(self, query: RegionQuery, *, quick: bool) -> None:
        """Show a motion draft, unless the screen shows the instant as well as that or better."""
        if not self._shown.outdoes(query, rank_of(Quality.MOTION, self._read_on(query)), is_exact=not quick):
            task = Task(query.instant.pair, Stage.FIRST_PICTURE, query)
            self._hand_over.run(task, lambda token: self._draw_motion(query, token, quick=quick))

    def _soft_query(self, request: RenderRequest) -> RegionQuery:
        """Return the motion draft of ``request`` to draw: of the source frame, where the view outruns motion."""
        query = request.on_screen or request.query
        if request.moving and self._outruns_motion(query.instant):
            source = Instant(query.instant.pair, Fraction(int(query.instant.phase)))
            return replace(query, instant=source, readout=None)
        return query

    def _note_movement(self, request: RenderRequest) -> None:
        self._gesture.note(request, self._hand_over.asked_at_secs, self._hand_over.interval_secs)

    def _outruns_motion(self, instant: Instant) -> bool:
        """Return whether the view will have left the pair when its motion is found."""
        is_fast = self._gesture.secs_per_pair < self._pacer.motion_secs
        return is_fast and not self._renderer.is_motion_ready(instant)

    def _draw_motion(self, query: RegionQuery, token: CancelToken, *, quick: bool) -> None:
        was_ready = self._renderer.is_motion_ready(query.instant)
        region = self._renderer.motion(query, token, quick=quick)
        if not was_ready:
            self._pacer.motion_secs = region.elapsed_secs
        self._tell(region, is_exact=not quick or query.instant.is_source)

    # ---- encoding ----

    def _moves_on(self, request: RenderRequest, divisor: int) -> bool:
        """Encode the pair of ``request``, and show what helps until then; True if something newer waits first."""
        query, pair = request.query, request.query.instant.pair
        left_secs = self._dwell_left_secs(pair) if request.moving else 0.0
        if left_secs and self._hand_over.newer_within(left_secs):
            return True
        crop = crop_around(query, self._level.size) if self._pacer.encodes_crop_first else None
        if request.moving and not self._pacer.encodes_at_once:
            waits = crop is None and self._pacer.encodes_at_rest_only(self._level.size)
            if waits and self._hand_over.newer_within(self._rest_left_secs()):
                return True
            self._show_motion(request.on_screen or query, quick=not waits)
        if crop is not None:
            self._show_crop(query, divisor, crop)
            if self._hand_over.newer_within(self._gesture.rest_secs if request.moving else 0.0):
                return True
        self._encode(query.instant, Stage.ENCODING if crop is None else Stage.COMPLETING)
        return False

    def _show_crop(self, query: RegionQuery, divisor: int, crop: Rect) -> None:
        if not self._is_crop_finer(query, divisor):
            return
        draft = coarser(query, divisor)

        def work(token: CancelToken) -> None:
            region = self._renderer.preview(draft, crop, token)
            self._pacer.note_picture(region.query, region.elapsed_secs)
            self._tell(_resampled(region, query))

        self._hand_over.run(Task(query.instant.pair, Stage.ENCODING), work)

    def _encode(self, instant: Instant, stage: Stage, *, is_ahead: bool = False) -> None:
        pair, phase = instant.pair, instant.phase

        def work(token: CancelToken) -> None:
            started = time.monotonic()
            between = InterludeToken(token, lambda: self._answer_between(pair, token))
            between.watch(self._progress.report)
            try:
                self._renderer.encode(pair, between, phase, self._level.grid)
            finally:
                self._progress.clear()
            self._pacer.note_encoding(time.monotonic() - started - between.spent_secs)

        self._hand_over.run(Task(pair, stage, is_ahead=is_ahead), work)

    def _answer_between(self, pair: int, token: CancelToken) -> None:
        """Show the motion draft of a request that waits while its pair is being encoded."""
        request = self._hand_over.waiting
        if request is not None and request.query.instant.pair == pair and not self._pacer.encodes_at_once:
            self._draw_between(request, token)

    def _answer_playback(self, token: CancelToken) -> None:
        """Show the motion draft of a request of playback that waits while a picture is rendered ahead."""
        request = self._hand_over.waiting
        if request is not None and request.is_playing:
            self._draw_between(request, token)

    def _draw_between(self, request: RenderRequest, token: CancelToken) -> None:
        self._note_movement(request)
        query = self._soft_query(request)
        if not self._shown.outdoes(query, rank_of(Quality.MOTION, self._read_on(query)), is_exact=False):
            self._show_source(query.instant)
            self._draw_motion(query, token, quick=True)

    def _dwell_left_secs(self, pair: int) -> float:
        """Return how much longer the view must stay on ``pair``; requests for its other instants do not start over."""
        now = time.monotonic()
        if self._dwells_on is None or self._dwells_on[0] != pair:
            self._dwells_on = (pair, now)
        return max(0.0, self._pacer.dwell_secs - (now - self._dwells_on[1]))

    # ---- decoding ----

    def _show_decoded(self, request: RenderRequest, divisor: int, *, is_first: bool) -> None:
        query, stage = request.query, Stage.FIRST_PICTURE if is_first else Stage.REFINING
        if divisor > 1 and self._is_draft_finer(query, divisor):
            draft = coarser(query, divisor)
            if not self._shown.outdoes(query, rank_of(Quality.DRAFT, draft.grid)):
                self._decode(draft, query, Quality.DRAFT, stage)
            stage = Stage.REFINING
        if stage is Stage.REFINING and self._hand_over.newer_within(self._rest_left_secs() if request.moving else 0.0):
            return
        self._decode(query, query, Quality.FULL, stage)

    def _decode(self, query: RegionQuery, wanted: RegionQuery, quality: Quality, stage: Stage) -> None:
        """Decode ``query``, and show it on the pixels of ``wanted``."""

        def work(token: CancelToken) -> None:
            region = self._renderer.render(query, quality, token)
            self._pacer.note_picture(region.query, region.elapsed_secs)
            self._tell(_resampled(region, wanted))

        self._hand_over.run(Task(wanted.instant.pair, stage, wanted), work)

    def _rest_left_secs(self) -> float:
        return max(0.0, self._hand_over.asked_at_secs + self._gesture.rest_secs - time.monotonic())

    # ---- showing ----

    @property
    def _clip_size(self) -> Grid:
        return self._renderer.opened.info.grid

    def _read_on(self, query: RegionQuery) -> Grid:
        """Return the samples of a motion draft of ``query``: :attr:`~videoinr.types.RenderedRegion.samples`."""
        return Grid(min(self._clip_size.width, query.grid.width), min(self._clip_size.height, query.grid.height))

    def _tell(self, region: RenderedRegion, *, is_exact: bool = True) -> None:
        self._shown.add(region, is_exact=is_exact)
        if region.quality is Quality.FULL:
            self._fulls.put(region.query, region)
            self._play.put(region)
        self._gesture.note_shown(region.quality)
        self._listener.rendered(region)

    def _show_source(self, instant: Instant) -> None:
        frame = instant.source_frame
        if frame != self._shown_source:
            self._listener.rendered(self._renderer.source(instant))
            self._shown_source = frame


def _resampled(region: RenderedRegion, query: RegionQuery) -> RenderedRegion:
    # Imported late: it loads torch, and the window makes this module's loop before its first paint.
    from videoinr.render.resampling import on_grid

    return on_grid(region, query)


def _middle(pair: int) -> Instant:
    return Instant(pair, Fraction(1, 2))
