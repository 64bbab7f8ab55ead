"""A cache with a budget in bytes; the least recently used values make room."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache


class Sized(Protocol):
    """A value that knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""


_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value", bound=Sized)


class BoundedCache(Generic[_Key, _Value]):
    """Keeps values up to a budget. The newest value always stays, even if it alone exceeds the budget.

    Args:
        max_bytes: the budget.
    """

    def __init__(self, max_bytes: int) -> None:
        # At least 1: in a cache of 0 bytes every value would count as 0 bytes, and none would ever make room.
        self._max_bytes = max(1, max_bytes)
        self._held: LRUCache[_Key, _Value] = LRUCache(self._max_bytes, getsizeof=self._size)

    def _size(self, value: _Value) -> int:
        # cachetools refuses a value larger than the whole cache, but the newest one must be kept.
        return min(value.nbytes, self._max_bytes)

    def get(self, key: _Key) -> _Value | None:
        """Return the value of ``key`` and count it as used, or None if it is not in the cache."""
        return self._held.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        """Put ``value`` into the cache under ``key``; the least recently used values make room."""
        self._held[key] = value

    def drop(self, key: _Key) -> None:
        """Drop the value of ``key``, if there is one."""
        self._held.pop(key, None)

    def __contains__(self, key: _Key) -> bool:
        return key in self._held

    def keep_only(self, keys: Collection[_Key]) -> None:
        """Drop the values of all keys but ``keys``."""
        for key in [key for key in self._held if key not in keys]:
            del self._held[key]

    def clear(self) -> None:
        """Drop all values."""
        self._held.clear()
