"""A small store of what was decoded last, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Held = TypeVar("Held")


class Ring(Generic[Held]):
    """Values by frame index; beyond ``budget_bytes`` those unused for longest go, but the last ``at_least`` stay."""

    def __init__(self, budget_bytes: int, *, at_least: int) -> None:
        self._budget, self._at_least = budget_bytes, at_least
        self._held: OrderedDict[int, tuple[Held, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def held_bytes(self) -> int:
        """What the values take."""
        return self._bytes

    def get(self, index: int) -> Held | None:
        """The value of ``index``, if it is still held."""
        if index not in self._held:
            return None
        self._held.move_to_end(index)
        return self._held[index][0]

    def put(self, index: int, value: Held, size_bytes: int) -> None:
        """Hold ``value`` of ``size_bytes``; an older one of the same index goes."""
        _, old = self._held.pop(index, (None, 0))
        self._held[index] = (value, size_bytes)
        self._bytes += size_bytes - old
        while self._bytes > self._budget and len(self._held) > self._at_least:
            _, (_, freed) = self._held.popitem(last=False)
            self._bytes -= freed

    def clear(self) -> None:
        """Let go of everything."""
        self._held.clear()
        self._bytes = 0
