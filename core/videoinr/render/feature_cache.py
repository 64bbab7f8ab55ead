"""A cache of encoded pairs with a budget in bytes; the least recently used pairs make room."""

from __future__ import annotations

from cachetools import LRUCache

from videoinr.model.representation import Features
from videoinr.types import PairKey


class FeatureCache:
    """Keeps the features of encoded pairs. The newest pair always stays, even if it alone exceeds the budget.

    Args:
        max_bytes: the budget.
    """

    def __init__(self, max_bytes: int) -> None:
        # At least 1: in a cache of 0 bytes every pair would count as 0 bytes, and none would ever make room.
        self._max_bytes = max(1, max_bytes)
        self._held: LRUCache[PairKey, Features] = LRUCache(self._max_bytes, getsizeof=self._size)

    def _size(self, features: Features) -> int:
        # cachetools refuses a value larger than the whole cache, but the pair on screen must be kept.
        return min(features.nbytes, self._max_bytes)

    def get(self, key: PairKey) -> Features | None:
        """Return the features of ``key`` and count it as used, or None if they are not in the cache."""
        return self._held.get(key)

    def put(self, key: PairKey, features: Features) -> None:
        """Put ``features`` into the cache under ``key``; the least recently used pairs make room."""
        self._held[key] = features

    def __contains__(self, key: PairKey) -> bool:
        return key in self._held

    def clear(self) -> None:
        """Drop all features."""
        self._held.clear()
