"""A disk that gets full, without filling one."""

from __future__ import annotations

import errno
import os

import pytest


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, after_bytes: int) -> None:
    """Let every write fail with ENOSPC once files have grown by ``after_bytes`` bytes, and reserving more than that."""
    real = os.write
    left = after_bytes

    def write(descriptor: int, data: bytes) -> int:
        nonlocal left
        if descriptor > 2:
            end = os.lseek(descriptor, 0, os.SEEK_CUR) + len(data)
            growth = max(0, end - os.fstat(descriptor).st_size)
            if left < growth:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left -= growth
        return real(descriptor, data)

    def allocate(_descriptor: int, _offset: int, size: int) -> None:
        if size > after_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "posix_fallocate", allocate, raising=False)
