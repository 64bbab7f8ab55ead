"""Words for the progress of encoding a pair: ``encoding 34 %, 6 s``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

WORTH_SECS = 2.0
"""Work that is expected to take less is not worth words."""
_FIRST_SECS = 0.5
"""After so long the speed is known well enough to say how long the rest takes."""
_EVERY_SECS = 0.2


class EncodingProgress:
    """Turns the reports of an engine's token into words, a few times a second.

    Its :meth:`report` is the argument of :class:`~videoinr.cancel.CancelToken`. A report of fewer products than the one
    before begins another pair.

    Args:
        tell: called with the words, on the thread that encodes; with an empty string when there is nothing to say.
        clock: seconds.
    """

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._started = self._told_at = -math.inf
        self._done, self._words = 0, ""

    def report(self, done: int, total: int) -> None:
        """Take a report: ``done`` products of ``total``, which is 0 if their number is not known."""
        now = self._clock()
        if done < self._done or self._started == -math.inf:
            self.clear()
            self._started = now
        self._done = done
        if now - self._told_at >= _EVERY_SECS and now - self._started >= _FIRST_SECS:
            self._told_at = now
            self._say(self._words_for(done, total, now - self._started))

    def clear(self) -> None:
        """Say nothing any more: the encoding has ended, and the next one begins with its first report."""
        self._done, self._started = 0, -math.inf
        self._say("")

    def _say(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._tell(words)

    @staticmethod
    def _words_for(done: int, total: int, elapsed_secs: float) -> str:
        if not total or not done:
            return f"encoding for {elapsed_secs:.0f} s" if elapsed_secs >= WORTH_SECS else ""
        expected_secs = elapsed_secs * total / done
        if expected_secs < WORTH_SECS:
            return ""
        return f"encoding {100 * done // total} %, {math.ceil(expected_secs - elapsed_secs)} s"
