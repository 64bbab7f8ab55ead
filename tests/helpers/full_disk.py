"""A disk that gets full, without filling one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, after_bytes: int) -> None:
    """Let the disk have room for ``after_bytes`` bytes more; writing and reserving beyond that fail with ENOSPC.

    Files that are removed or shortened give their room back.
    """
    disk = _Disk(after_bytes)
    for name, replacement in (
        ("write", disk.write), ("posix_fallocate", disk.allocate), ("ftruncate", disk.ftruncate),
        ("unlink", disk.unlink),
    ):  # fmt: skip
        monkeypatch.setattr(os, name, replacement, raising=False)


class _Disk:
    def __init__(self, room: int) -> None:
        self._left = room
        self._reserved: dict[tuple[int, int], int] = {}
        self._write: Callable[..., int] = os.write
        self._ftruncate: Callable[..., None] = os.ftruncate
        self._unlink: Callable[..., None] = os.unlink

    def _taken(self, status: os.stat_result) -> int:
        return max(status.st_size, self._reserved.get((status.st_dev, status.st_ino), 0))

    def _take(self, growth: int) -> None:
        if growth > self._left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._left -= growth

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor > 2:
            end = os.lseek(descriptor, 0, os.SEEK_CUR) + len(data)
            self._take(max(0, end - self._taken(os.fstat(descriptor))))
        return self._write(descriptor, data)

    def allocate(self, descriptor: int, _offset: int, size: int) -> None:
        status = os.fstat(descriptor)
        self._take(max(0, size - self._taken(status)))
        self._reserved[status.st_dev, status.st_ino] = size

    def ftruncate(self, descriptor: int, size: int) -> None:
        status = os.fstat(descriptor)
        self._ftruncate(descriptor, size)
        self._left += max(0, self._taken(status) - size)
        self._reserved.pop((status.st_dev, status.st_ino), None)

    def unlink(self, path: str | Path, **options: Any) -> None:
        status = os.lstat(path, **options)
        self._unlink(path, **options)
        if status.st_nlink == 1:
            self._left += self._taken(status)
            self._reserved.pop((status.st_dev, status.st_ino), None)
