"""Where sound goes: the protocol of an output, and an output that plays to nobody at the right speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from videoinr.exporting.sound.blocks import Block

SWITCH = "VIDEOINR_SOUND"
"""An environment variable; ``null`` means :class:`NullOutput` in place of the computer's output."""


class SoundOutput(Protocol):
    """An output of sound. No method waits."""

    @property
    def rate(self) -> int:
        """Samples per second."""

    @property
    def channels(self) -> int:
        """How many channels there are: 1 or 2."""

    def begin(self) -> None:
        """Begin anew: nothing is written, nothing was played."""

    def room(self) -> int:
        """Return how many samples may be written now."""

    def write(self, block: Block) -> None:
        """Take ``block``, float32 [channels, samples], of at most :meth:`room` samples."""

    def played(self) -> int:
        """Return how many of the samples written since :meth:`begin` were played."""

    def end(self) -> None:
        """Fall silent at once."""

    def set_volume(self, volume: float) -> None:
        """Play at ``volume``, 0 ... 1."""


class NullOutput:
    """Plays to nobody, at the speed of a clock: for tests, and for computers without an output.

    Args:
        clock_ns: a clock, nanoseconds.
        rate: samples per second.
        buffer_samples: how many samples it takes in advance.
    """

    def __init__(
        self, clock_ns: Callable[[], int] = time.perf_counter_ns, *, rate: int = 48000, buffer_samples: int = 9600
    ) -> None:
        self.rate, self.channels, self.volume = rate, 2, 1.0
        self._clock_ns, self._buffer_samples = clock_ns, buffer_samples
        self._is_running = False
        self._written, self._played, self._at_ns = 0, 0.0, 0

    def begin(self) -> None:
        """Begin anew."""
        self._is_running, self._written, self._played, self._at_ns = True, 0, 0.0, self._clock_ns()

    def room(self) -> int:
        """Return how many samples may be written now."""
        return max(0, self._buffer_samples - (self._written - self.played())) if self._is_running else 0

    def write(self, block: Block) -> None:
        """Take ``block``."""
        self.played()
        self._written += block.shape[1]

    def played(self) -> int:
        """Return how many of the samples were played; where none were left, the clock has run on without them."""
        now = self._clock_ns()
        if self._is_running:
            self._played = min(self._written, self._played + (now - self._at_ns) * 1e-9 * self.rate)
        self._at_ns = now
        return int(self._played)

    def end(self) -> None:
        """Fall silent."""
        self._is_running = False

    def set_volume(self, volume: float) -> None:
        """Remember the volume."""
        self.volume = volume
