"""A smooth clock from the position of a sound output, which most outputs report in steps of 10 to 40 ms."""

from __future__ import annotations

SHARE = 0.05
"""How much of the difference to the reported position is made good at each reading."""
JUMP_SECS = 0.08
"""A greater difference is made good at once: the output fell silent for a while."""


class AudioClock:
    """Runs with the computer's clock, and follows the output. It never runs back.

    Args:
        rate: samples per second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._at_ns: int | None = None
        self._position = 0.0
        self._shown = 0

    def read(self, now_ns: int, played: int) -> int:
        """Return the sample that is heard now.

        Args:
            now_ns: the computer's clock, nanoseconds.
            played: how many samples the output says that it has played.
        """
        if self._at_ns is None:
            self._position = played
        else:
            self._position += (now_ns - self._at_ns) * 1e-9 * self._rate
            error = played - self._position
            self._position += error if abs(error) > JUMP_SECS * self._rate else SHARE * error
        self._at_ns = now_ns
        self._shown = max(self._shown, int(self._position))
        return self._shown
