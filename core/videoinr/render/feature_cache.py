"""A cache of encoded pairs with a budget in bytes; the least recently used pairs make room."""

from __future__ import annotations

from videoinr.model.representation import Features
from videoinr.render.bounded_cache import BoundedCache
from videoinr.types import PairKey


class FeatureCache(BoundedCache[PairKey, Features]):
    """Keeps the features of encoded pairs. The newest pair always stays, even if it alone exceeds the budget."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._largest = 0

    def put(self, key: PairKey, value: Features) -> None:
        """Put the features ``value`` into the cache; the least recently used pairs make room."""
        self._largest = max(self._largest, self._size(value))
        super().put(key, value)

    def spare(self) -> bool:
        """Drop the pair used least recently, as the memory does not suffice. Return whether there was one."""
        if self._held:
            self._held.popitem()
            return True
        return False

    def make_room(self) -> None:
        """Drop the least recently used pairs until one as large as any so far fits: call it before encoding a pair.

        Otherwise the dropped pair and the new one would be in memory at the same time.
        """
        while self._held and self._held.currsize + self._largest > self._max_bytes:
            self._held.popitem()
