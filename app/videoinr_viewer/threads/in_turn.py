"""A thread that runs all jobs that it is given, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)


class InTurn:
    """The thread starts with the first job. A job that raises is logged, and the next one runs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(1, name)
        self._is_closed = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run ``job`` after those that wait; drop it once the thread is closed."""
        if not self._is_closed:
            self._pool.submit(self._run, job)

    @property
    def is_closed(self) -> bool:
        """Whether no job is taken any more."""
        return self._is_closed

    def close(self) -> None:
        """Wait until all jobs are done, and end the thread."""
        self._is_closed = True
        self._pool.shutdown(wait=True)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            log.exception("a job of %s failed", self._name)
