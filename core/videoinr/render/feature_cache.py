"""PairKey -> Features, as many as a number of bytes holds; the least recently used make room."""

from __future__ import annotations

from cachetools import LRUCache

from videoinr.model.representation import Features
from videoinr.types import PairKey


class FeatureCache:
    """Encoded pairs. The one put last always stays, even where it alone exceeds the budget."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: LRUCache[PairKey, Features] = LRUCache(max_bytes, getsizeof=self._size)

    def _size(self, features: Features) -> int:
        # cachetools refuses what is larger than the whole cache, but the pair on screen must be kept.
        return min(features.nbytes, self._max_bytes)

    def get(self, key: PairKey) -> Features | None:
        """The features of ``key``, which counts as a use; None if they are not here."""
        return self._held.get(key)

    def put(self, key: PairKey, features: Features) -> None:
        """Keep ``features``."""
        self._held[key] = features

    def __contains__(self, key: PairKey) -> bool:
        return key in self._held

    def clear(self) -> None:
        """Forget everything, to give memory back."""
        self._held.clear()
