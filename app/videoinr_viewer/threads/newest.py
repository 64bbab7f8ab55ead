"""A thread that runs one job at a time; of the jobs that wait, only the newest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from videoinr.errors import Cancelled, VideoInrError

log = logging.getLogger(__name__)

Job = Callable[[], None]


class NewestWorker:
    """Runs jobs on a thread of its own, which starts with the first job.

    A job that raises is logged, and the next one runs. Jobs tell their results by themselves, with a queued signal.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._job: Job | None = None
        self._ended = False
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Run ``job`` next, in place of one that still waits."""
        with self._changed:
            self._job = job
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Drop the job that waits, and wait for the one that runs."""
        with self._changed:
            self._ended, self._job = True, None
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Cancelled:
                pass
            except VideoInrError as error:
                log.info("%s: %s", self._name, error)
            except Exception:
                log.exception("a job of %s failed", self._name)

    def _next(self) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._job is not None)
            job, self._job = self._job, None
            return None if self._ended else job
