"""A cache of encoded pairs with a budget in bytes; the least recently used pairs make room.

It also has the frames that the next pair shares with the last ones, since both are freed together.
"""

from __future__ import annotations

from typing import Self

from videoinr.devices import ComputeProfile
from videoinr.model.representation import Features
from videoinr.render.bounded_cache import BoundedCache
from videoinr.render.uploaded_frames import UploadedFrames
from videoinr.types import PairKey


class FeatureCache(BoundedCache[PairKey, Features]):
    """Keeps the features of encoded pairs. The newest pair always stays, even if it alone exceeds the budget."""

    def __init__(self, max_bytes: int, frame_bytes: int = 0) -> None:
        """Make an empty cache.

        Args:
            max_bytes: the budget of the pairs.
            frame_bytes: the budget of the uploaded frames; 0: none are kept.
        """
        super().__init__(max_bytes)
        self._largest = 0
        self.frames = UploadedFrames(frame_bytes)
        """The frames that were uploaded last."""

    @classmethod
    def within(cls, profile: ComputeProfile) -> Self:
        """Make a cache with the budgets of ``profile``. On a CPU no frames are kept: the clip keeps them there."""
        return cls(profile.feature_bytes, 0 if profile.device.type == "cpu" else profile.feature_bytes // 8)

    def put(self, key: PairKey, value: Features) -> None:
        """Put the features ``value`` into the cache; the least recently used pairs make room."""
        self._largest = max(self._largest, self._size(value))
        super().put(key, value)

    def spare(self) -> bool:
        """Drop the pair used least recently and all frames, as the memory does not suffice.

        Returns:
            Whether there was anything to drop.
        """
        is_freed = bool(self._held) or bool(self.frames)
        self.frames.clear()
        if self._held:
            self._held.popitem()
        return is_freed

    def clear(self) -> None:
        """Drop all pairs and frames."""
        super().clear()
        self.frames.clear()

    def make_room(self) -> None:
        """Drop the least recently used pairs until one as large as any so far fits: call it before encoding a pair.

        Otherwise the dropped pair and the new one would be in memory at the same time.
        """
        while self._held and self._held.currsize + self._largest > self._max_bytes:
            self._held.popitem()
