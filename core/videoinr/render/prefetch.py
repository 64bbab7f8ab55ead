"""Chooses the pairs to encode while no request waits: first in the direction of the last movement, then behind."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from videoinr.types import Instant

AHEAD, BEHIND = 2, 1
"""The number of pairs beyond the present one, in the direction of the last movement and against it."""


class Prefetch:
    """Chooses pairs for one clip. It learns how many pairs the cache holds from the pairs that the cache drops.

    Args:
        pair_count: the number of pairs in the clip; 0 encodes nothing ahead.
    """

    def __init__(self, pair_count: int) -> None:
        self._pair_count = pair_count
        self._position: Fraction | None = None
        self._direction = 1
        self._room = 1 + AHEAD + BEHIND

    def note(self, instant: Instant) -> None:
        """Record that the view shows ``instant`` now."""
        position = instant.position
        if self._position is not None and position != self._position:
            self._direction = 1 if position > self._position else -1
        self._position = position

    def next_pair(self, is_encoded: Callable[[int], bool]) -> int | None:
        """Return the next pair to encode, or None. The present pair comes first: the cache may have dropped it."""
        return next((pair for pair in self._wanted() if not is_encoded(pair)), None)

    def near(self, reach: int) -> list[int]:
        """Return the present pair and ``reach`` pairs on either side, nearest first, the direction's side first."""
        if self._position is None:
            return []
        here, way = min(int(self._position), self._pair_count - 1), self._direction
        pairs = [here, *(here + side * step for step in range(1, reach + 1) for side in (way, -way))]
        return [pair for pair in pairs if 0 <= pair < self._pair_count]

    def note_encoded(self, pair: int, is_encoded: Callable[[int], bool]) -> None:
        """Record that a pair was encoded. If the cache dropped a nearer pair for it, want fewer pairs from now on.

        Args:
            pair: the pair's index.
            is_encoded: returns whether a pair's features are in the cache.
        """
        wanted = self._wanted()
        if pair in wanted and not all(is_encoded(nearer) for nearer in wanted[: wanted.index(pair)]):
            self._room = max(1, wanted.index(pair))

    def give_up(self) -> None:
        """Stop encoding ahead, after a failure. The user is told when a request asks for the failed pair."""
        self._room = 0

    def _wanted(self) -> list[int]:
        if self._position is None:
            return []
        here, way = min(int(self._position), self._pair_count - 1), self._direction
        ahead = [here + way * step for step in range(1, AHEAD + 1)]
        behind = [here - way * step for step in range(1, BEHIND + 1)]
        return [pair for pair in (here, *ahead, *behind) if 0 <= pair < self._pair_count][: self._room]
