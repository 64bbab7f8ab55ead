"""Reads single frames of the open clip beside the render thread, with a reader of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import Cancelled
from videoinr.types import PairKind


class FrameSource(Protocol):
    """What the window reads of a clip: its frames and the kinds of its pairs."""

    def rgbx(self, index: int, token: CancelToken = NEVER) -> NDArray[np.uint8]:
        """Return frame ``index``: uint8 [height, width, 4], RGBX."""

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        """Return the kind of ``pair``."""

    def close(self) -> None:
        """Close the file."""


class SideReader:
    """Any thread may call it; one at a time reads. The clip is opened when a frame is first asked for.

    Args:
        open_frames: opens the clip at a path as a :class:`FrameSource`.
    """

    def __init__(self, open_frames: Callable[[Path], FrameSource]) -> None:
        self._open_frames = open_frames
        self._lock = threading.Lock()
        # The clip, and a number that grows with each opening: it may be the same clip, read in another way.
        self._wanted: tuple[Path | None, int] = (None, 0)
        self._opened = -1
        self._source: FrameSource | None = None

    def set_clip(self, path: Path | None) -> None:
        """Read the clip at ``path`` from now on; returns at once, and the old clip is closed by the next reader."""
        # Plain assignments, because the GUI thread must not wait for a reader that holds the lock.
        self._wanted = (path, self._wanted[1] + 1)

    def rgbx(self, index: int, token: CancelToken = NEVER) -> NDArray[np.uint8]:
        """Return frame ``index`` as uint8 [height, width, 4], RGBX; raises as opening and reading a clip do."""
        with self._lock:
            return self._current(token).rgbx(index, token)

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        """Return the kind of ``pair``; raises as opening and reading a clip do."""
        with self._lock:
            return self._current(token).kind(pair, token)

    def close(self) -> None:
        """Close the clip, once nobody reads."""
        self.set_clip(None)
        with self._lock:
            self._drop()

    def _current(self, token: CancelToken) -> FrameSource:
        path, number = self._wanted
        if self._source is None or number != self._opened:
            self._drop()
            if path is None:
                raise Cancelled
            self._source, self._opened = self._open_frames(path), number
        return self._source

    def _drop(self) -> None:
        source, self._source, self._opened = self._source, None, -1
        if source is not None:
            source.close()
