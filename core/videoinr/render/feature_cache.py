"""A cache of encoded pairs with a budget in bytes; the least recently used pairs make room."""

from __future__ import annotations

from videoinr.model.representation import Features
from videoinr.render.bounded_cache import BoundedCache
from videoinr.types import PairKey


class FeatureCache(BoundedCache[PairKey, Features]):
    """Keeps the features of encoded pairs. The newest pair always stays, even if it alone exceeds the budget."""
