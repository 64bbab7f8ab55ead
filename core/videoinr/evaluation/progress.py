"""Says how far an evaluation is: a line for each clip, and lines within a clip that takes long."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]

SECS_BETWEEN_LINES = 30.0
"""Time between two lines within one clip."""


class Progress:
    """Prints the progress of ``total`` clips, each counted once for every protocol.

    Args:
        total: Number of clips times protocols.
        say: Called with each line.
        clock: Returns seconds.
    """

    def __init__(self, total: int, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._say, self._clock = total, say, clock
        self._number = self._timed = 0
        self._start = self._last = clock()

    def next(self) -> None:
        """Go on to the next clip."""
        self._number += 1

    def clip(self, words: str) -> None:
        """Say that the present clip, which ``words`` name, is being scored."""
        self._last = self._clock()
        self._say(f"{words} ({self._number} of {self._total}{self._times()})")

    def window(self, done: int, count: int) -> None:
        """Note that ``done`` of ``count`` windows of the present clip are scored."""
        now = self._clock()
        if done < count and now - self._last >= SECS_BETWEEN_LINES:
            self._last = now
            self._say(f"  {done} of {count} windows, {_minutes(now - self._start)} so far")

    def finished(self) -> None:
        """Note that the present clip took time; clips from a journal and clips that are left out do not."""
        self._timed += 1

    def _times(self) -> str:
        if not self._timed:
            return ""
        so_far = self._clock() - self._start
        left = so_far / self._timed * (self._total - self._number + 1)
        return f", {_minutes(so_far)} so far, about {_minutes(left)} left"


def _minutes(secs: float) -> str:
    return f"{secs:.0f} s" if secs < 100 else f"{secs / 60:.0f} min"
