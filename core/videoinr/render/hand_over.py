"""The hand-over between the threads that ask for pictures and the render thread that makes them.

It holds at most one waiting clip, one waiting request, and one waiting inquiry of each kind; the newest replaces the
one before it. Clips come first, then requests, then inquiries. It also knows the task in progress, so that a newer
request can cancel that task, by these rules:

| task in progress                                   | a newer request cancels it if                       |
|----------------------------------------------------|-----------------------------------------------------|
| encoding a pair                                    | it asks for another pair                            |
| encoding whole frames after a crop preview         | it asks for another pair, or the view is moving     |
| decoding the first picture of a request            | never: a steady drag would never show a picture     |
| refining a draft to the full picture               | always, unless it asks for that same picture again  |
| a step of an inquiry                               | always; the step begins anew later                  |
| rendering a picture ahead for playback             | playback does not ask: it is answered meanwhile      |

Another clip and :meth:`HandOver.end` cancel any task. An inquiry cancels the answer of another one of its kind, and the
encoding of another pair ahead of need. While somebody awaits a picture that is computed elsewhere
(:meth:`HandOver.hold_ahead`), nothing is prepared ahead, unless it plays: both would take the same cores.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.render import pacing
from videoinr.render.inquiry import Inquiry
from videoinr.types import RegionQuery, RenderRequest


@dataclass(frozen=True, slots=True)
class EncodeAhead:
    """A job of the loop's own while no request waits: encode ``pair``."""

    pair: int


@dataclass(frozen=True, slots=True)
class RenderAhead:
    """A job of the loop's own while no request waits: render the picture of ``query`` for playback."""

    query: RegionQuery


@dataclass(frozen=True, slots=True)
class LookAgain:
    """No job, but another picture may be wanted ahead than before."""


Job = Path | RenderRequest | Inquiry | EncodeAhead | RenderAhead | LookAgain
"""Open a clip, answer a request, do a step of an inquiry, prepare something, or choose anew what to prepare."""


class Stage(Enum):
    """The stage of a request; it decides whether a newer request may cancel the task."""

    ENCODING = "encoding"
    COMPLETING = "encoding whole frames after a crop preview"
    FIRST_PICTURE = "first picture"
    REFINING = "refining"
    INQUIRY = "step of an inquiry"
    AHEAD = "rendering ahead for playback"


@dataclass(frozen=True, slots=True)
class Task:
    """One cancellable piece of a job.

    ``query``: the picture that it decodes, or None. ``inquiry``: the one that it answers. ``is_ahead``: nobody has
    asked for it yet.
    """

    pair: int
    stage: Stage
    query: RegionQuery | None = None
    inquiry: Inquiry | None = None
    is_ahead: bool = False

    def is_outdated_by(self, request: RenderRequest) -> bool:
        """Return whether the newer ``request`` cancels this task."""
        if self.stage in (Stage.ENCODING, Stage.COMPLETING):
            moves_on = self.stage is Stage.COMPLETING and request.moving
            return moves_on or request.query.instant.pair != self.pair
        return self.stage in (Stage.REFINING, Stage.INQUIRY) or (self.stage is Stage.AHEAD and not request.is_playing)


class HandOver:
    """One waiting clip, one waiting request and the task in progress, behind one lock."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._path: Path | None = None
        self._request: RenderRequest | None = None
        self._inquiries: dict[type[Inquiry], Inquiry] = {}
        self._dropped: Inquiry | None = None
        self._ended = self._is_nudged = self._is_held = False
        self._task: Task | None = None
        self._token = CancelToken()
        self.asked_at_secs = 0.0
        """When the newest request came, on :func:`time.monotonic`'s clock."""
        self.interval_secs = float("inf")
        """How long after the request before it, whether or not that one was answered."""
        self.is_playing = False
        """Whether the newest request came from playback."""

    # ---- for any thread ----

    def look_again(self) -> None:
        """Let the render thread choose anew what it prepares while no request waits."""
        with self._changed:
            self._is_nudged = True
            self._changed.notify()

    def hold_ahead(self, is_held: bool) -> None:
        """Prepare nothing ahead while ``is_held``, and cancel what is being prepared; playback does not wait."""
        with self._changed:
            self._is_held, self._is_nudged = is_held, True
            if self._task is not None and self._is_put_off(self._task):
                self._token.cancel()
            self._changed.notify()

    def put_clip(self, path: Path) -> None:
        """Ask for the clip at ``path``. Drops all that waits and cancels the task in progress."""
        with self._changed:
            self._path, self._request = path, None
            self._inquiries.clear()
            self._cancel_task()

    def put_request(self, request: RenderRequest) -> None:
        """Ask for a picture. It replaces a waiting request and cancels a task that it outdates."""
        with self._changed:
            # Releasing the mouse button asks again for the picture that a resting view already refines: let it finish.
            if self._is_refining(request.query):
                return
            now = time.monotonic()
            self._request, self.interval_secs, self.asked_at_secs = request, now - self.asked_at_secs, now
            self.is_playing = request.is_playing
            if self._task is not None and self._task.is_outdated_by(request):
                self._token.cancel()
            self._changed.notify()

    def put_inquiry(self, inquiry: Inquiry) -> None:
        """Ask a question. It replaces one of its kind, whether that waits or is being answered."""
        with self._changed:
            task = self._task
            if task is not None and task.inquiry == inquiry and task.inquiry is not self._dropped:
                return
            self._inquiries[type(inquiry)] = inquiry
            self._drop_answer(type(inquiry))
            if task is not None and task.is_ahead and task.pair != inquiry.next_instant.pair:
                self._token.cancel()
            self._changed.notify()

    def withdraw(self, kind: type[Inquiry]) -> None:
        """Ask no question of ``kind`` any more."""
        with self._changed:
            self._inquiries.pop(kind, None)
            self._drop_answer(kind)

    def end(self) -> None:
        """Ask the render thread to end, and cancel the task in progress."""
        with self._changed:
            self._ended = True
            self._cancel_task()

    # ---- for the render thread ----

    def next_job(self, ahead: EncodeAhead | RenderAhead | None) -> Job | None:
        """Wait for a job and take it; None after :meth:`end`.

        Args:
            ahead: what to do if no request comes within ``pacing.IDLE_SECS``: of now to encode a pair, of the newest
                request to render a picture, but at once if that request came from playback. None waits without limit,
                and so does what :meth:`hold_ahead` puts off.
        """
        with self._changed:
            if self._is_held and not self.is_playing:
                ahead = None
            if not self._changed.wait_for(lambda: self._has_job() or self._is_nudged, self._patience_secs(ahead)):
                return ahead
            self._is_nudged = False
            if self._ended:
                return None
            if not self._has_job():
                return LookAgain()
            if not self._has_news():
                return self._inquiries.pop(next(iter(self._inquiries)))
            job = self._path or self._request
            if self._path is not None:
                self._path = None
            else:
                self._request = None
            return job

    def take_inquiry(self, suits: Callable[[Inquiry], bool]) -> Inquiry | None:
        """Take a waiting inquiry that ``suits``, if there is one, though a request may wait."""
        with self._changed:
            found = next((one for one in self._inquiries.values() if suits(one)), None)
            return None if found is None else self._inquiries.pop(type(found))

    def put_back(self, inquiry: Inquiry, taken: Inquiry) -> None:
        """Let ``inquiry`` wait, all or the rest of one that was ``taken``, unless that was withdrawn or replaced."""
        with self._changed:
            if self._path is None and not self._ended and taken is not self._dropped:
                self._inquiries.setdefault(type(inquiry), inquiry)

    @property
    def waiting(self) -> RenderRequest | None:
        """The request that waits, if one does."""
        with self._changed:
            return self._request

    def newer_within(self, secs: float) -> bool:
        """Return whether a newer clip, request or end waits, or comes within ``secs``."""
        with self._changed:
            return bool(self._changed.wait_for(self._has_news, timeout=secs))

    def run(self, task: Task, work: Callable[[CancelToken], None]) -> None:
        """Call ``work`` with a token that newer requests may cancel while it runs.

        Args:
            task: what the work does; it decides which requests cancel it.
            work: the work, called on this thread. Its errors are raised.

        Raises:
            Cancelled: a newer clip, request or end cancelled the task, before it began or in between.
        """
        token = CancelToken()
        with self._changed:
            newer = self._request
            is_outdated = newer is not None and task.is_outdated_by(newer)
            if self._ended or self._path or is_outdated or self._is_put_off(task):
                raise Cancelled
            self._task, self._token = task, token
        try:
            work(token)
        finally:
            with self._changed:
                self._task = None

    # ---- with the lock held ----

    def _has_job(self) -> bool:
        return self._has_news() or bool(self._inquiries)

    def _is_put_off(self, task: Task) -> bool:
        return task.is_ahead and self._is_held and not self.is_playing

    def _drop_answer(self, kind: type[Inquiry]) -> None:
        """Cancel the task, if it answers an inquiry of ``kind``, which then does not come back."""
        task = self._task
        if task is not None and isinstance(task.inquiry, kind):
            self._dropped = task.inquiry
            self._token.cancel()

    def _patience_secs(self, ahead: EncodeAhead | RenderAhead | None) -> float | None:
        if isinstance(ahead, RenderAhead):
            waited_secs = time.monotonic() - self.asked_at_secs
            return 0.0 if self.is_playing else max(0.0, pacing.IDLE_SECS - waited_secs)
        return None if ahead is None else pacing.IDLE_SECS

    def _has_news(self) -> bool:
        return bool(self._ended or self._path or self._request)

    def _is_refining(self, query: RegionQuery) -> bool:
        task = self._task
        is_refined = task is not None and task.stage is Stage.REFINING and task.query == query
        return is_refined and not self._token.cancelled

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._token.cancel()
        self._changed.notify()
