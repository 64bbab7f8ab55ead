"""The render thread: one thread, one request in progress, the newest request wins.

The window calls :meth:`RenderLoop.open` and :meth:`RenderLoop.submit` and never waits. The loop's thread owns the
renderer (reader, encoder, caches, decoder) and answers through a
:class:`~videoinr.render.renderer.RenderListener`. Three files share the work: hand_over.py says which task a newer
request cancels, request_handler.py and pacing.py which pictures a request gets, and this file runs the thread.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from videoinr.decode.priority import stand_back
from videoinr.errors import Cancelled, VideoInrError, unforeseen
from videoinr.playing.cache import PlayCache
from videoinr.render.hand_over import EncodeAhead, HandOver, Job, LookAgain, RenderAhead
from videoinr.render.inquiry import Inquiry
from videoinr.render.messages import Failure
from videoinr.render.pacing import Pacer
from videoinr.render.renderer import Renderer, RenderListener
from videoinr.render.request_handler import RequestHandler
from videoinr.types import RenderRequest

if TYPE_CHECKING:
    from videoinr.clip.base import Clip

log = logging.getLogger(__name__)

SOURCE_LOOK_SECS = 1.0
"""How often at most it is looked whether the clip's files are those that were opened."""
NICENESS = 5
"""By how much this thread and the threads that work for it stand back behind the window's, which needs little time, but
at once."""


class RenderLoop:
    """Runs a renderer on a thread of its own. Every public method may be called from any thread.

    Args:
        open_renderer: opens the clip at a path; called on the loop's thread. Raises VideoInrError if it cannot.
        listener: receives the answers, on the loop's thread.
        play: keeps the pictures that playback will show; the loop renders them while no request waits.
    """

    def __init__(
        self, open_renderer: Callable[[Path], Renderer], listener: RenderListener, play: PlayCache | None = None
    ) -> None:
        self._open_renderer = open_renderer
        self._listener, self._play = listener, play
        self._hand_over = HandOver()
        self._pacer = Pacer()
        self._handler: RequestHandler | None = None
        self._warnings: tuple[str, ...] = ()
        self._clip: Clip | None = None
        self._looked_at_secs = -math.inf
        self._thread = threading.Thread(target=self._run, name="videoinr-render", daemon=True)
        self._thread.start()

    def open(self, path: Path) -> None:
        """Open the clip at ``path`` in place of the present one; requests not yet answered are dropped.

        If it cannot be opened, the present clip stays.
        """
        self._hand_over.put_clip(path)

    def submit(self, request: RenderRequest) -> None:
        """Ask for a picture; the request replaces one that still waits."""
        self._hand_over.put_request(request)

    def inquire(self, inquiry: Inquiry) -> None:
        """Ask a question beside the pictures; it replaces one of its kind. The listener gets the answers."""
        self._hand_over.put_inquiry(inquiry)

    def withdraw(self, kind: type[Inquiry]) -> None:
        """Ask no question of ``kind`` any more; an answer that is ready may still come."""
        self._hand_over.withdraw(kind)

    def look_again(self) -> None:
        """Look again at what playback will show: the plan or the playhead of the play cache has changed."""
        self._hand_over.look_again()

    def hold_ahead(self, is_held: bool) -> None:
        """Prepare nothing ahead while ``is_held``: what the user waits for is computed elsewhere, by the same cores."""
        self._hand_over.hold_ahead(is_held)

    def close(self) -> None:
        """End the thread and wait for it: at most one chunk of a picture or one stage of an encoder."""
        self._hand_over.end()
        self._thread.join()

    # ---- on the loop's own thread ----

    def _run(self) -> None:
        stand_back(NICENESS)
        while (job := self._next_job()) is not None:
            try:
                self._do(job)
            except Cancelled:
                pass
            except VideoInrError as error:
                self._fail(job, str(error), error.hint)
            except Exception as error:
                log.exception("the render thread failed on %s", job)
                told = unforeseen(error, "The log has the details.")
                self._fail(job, str(told), told.hint)
        self._close_clip()

    def _next_job(self) -> Job | None:
        return self._hand_over.next_job(None if self._handler is None else self._handler.job_ahead())

    def _do(self, job: Job) -> None:
        if isinstance(job, Path):
            self._open(job)
        elif self._handler is None or isinstance(job, LookAgain):
            return  # No clip could be opened so far: nothing can be rendered.
        elif isinstance(job, EncodeAhead):
            self._handler.encode_ahead(job.pair)
        elif isinstance(job, Inquiry):
            self._handler.inquire(job)
        elif isinstance(job, RenderAhead):
            self._handler.render_ahead(job.query)
        else:
            with suppress(Cancelled):
                self._handler.answer(job)
            self._handler.inquire_between()
            self._tell_warnings(self._handler)
            self._look_at_source(job.query.instant.pair)

    def _tell_warnings(self, handler: RequestHandler) -> None:
        """Tell the listener what reading the clip has met since the last request."""
        warnings = handler.warnings
        new = tuple(sentence for sentence in warnings if sentence not in self._warnings)
        if new:
            self._warnings = warnings
            self._listener.warned(new)

    def _look_at_source(self, pair: int) -> None:
        """Tell, once, that the files of ``pair`` have changed or are gone: what is shown then may be wrong."""
        now_secs = time.monotonic()
        if self._clip is None or now_secs < self._looked_at_secs + SOURCE_LOOK_SECS:
            return
        self._looked_at_secs = now_secs
        try:
            self._clip.check_source(pair)
        except VideoInrError as error:
            self._clip = None
            self._listener.failed(Failure(str(error), error.hint, opening=False))

    def _open(self, path: Path) -> None:
        # Opened before the present clip is closed: a file that cannot be opened costs nobody the clip in use.
        renderer = self._open_renderer(path)
        self._close_clip()
        self._pacer.forget_clip()
        self._handler = RequestHandler(renderer, self._listener, self._pacer, self._hand_over, self._play)
        self._warnings = renderer.opened.info.warnings
        # Renderers without files have no clip.
        self._clip = getattr(renderer, "clip", None)
        self._listener.clip_opened(renderer.opened)

    def _close_clip(self) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.close()

    def _fail(self, job: Job, message: str, hint: str) -> None:
        if isinstance(job, EncodeAhead | RenderAhead):
            log.info("%s failed: %s", job, message)
            if self._handler is not None:
                self._handler.stop_ahead()
            return
        self._listener.busy(False)
        self._listener.failed(Failure(message, hint, opening=isinstance(job, Path)))
