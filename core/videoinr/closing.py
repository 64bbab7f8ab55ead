"""A base class for objects that hold files or threads and are closed by a ``with`` block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closeable(ABC):
    """Base class of objects that hold files, memory or threads until :meth:`close`."""

    @abstractmethod
    def close(self) -> None:
        """Release what the object holds. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
