"""A least-recently-used cache of decoded frames, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Cached = TypeVar("Cached")


class FrameCache(Generic[Cached]):
    """Values by frame index. Beyond its budget it drops those unused for longest."""

    def __init__(self, budget_bytes: int, *, at_least: int) -> None:
        """Make an empty cache.

        Args:
            budget_bytes: how many bytes the values may take together.
            at_least: how many values stay, however large they are.
        """
        self._budget, self._at_least = budget_bytes, at_least
        self._at_most: int | None = None
        self._values: OrderedDict[int, tuple[Cached, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    @property
    def held_bytes(self) -> int:
        """The bytes that the values take."""
        return self._bytes

    def get(self, index: int) -> Cached | None:
        """Return the value of frame ``index``, or None if the cache does not have it."""
        if index not in self._values:
            return None
        self._values.move_to_end(index)
        return self._values[index][0]

    def put(self, index: int, value: Cached, size_bytes: int) -> None:
        """Add a value; the least recently used values make room.

        Args:
            index: the frame; an older value of the same frame is replaced.
            value: what to keep.
            size_bytes: the bytes that the value takes.
        """
        _, old = self._values.pop(index, (None, 0))
        self._values[index] = (value, size_bytes)
        self._bytes += size_bytes - old
        self._make_room()

    def _make_room(self) -> None:
        while len(self._values) > self._at_least and (
            self._bytes > self._budget or (self._at_most is not None and len(self._values) > self._at_most)
        ):
            _, (_, freed) = self._values.popitem(last=False)
            self._bytes -= freed

    def limit(self, count: int) -> None:
        """Keep at most ``count`` values from now on, however small they are."""
        self._at_most = max(count, self._at_least)
        self._make_room()

    def clear(self) -> None:
        """Drop all values."""
        self._values.clear()
        self._bytes = 0
