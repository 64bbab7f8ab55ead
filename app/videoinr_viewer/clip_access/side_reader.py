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
        self._path: Path | None = None
        self._opened: Path | None = None
        self._source: FrameSource | None = None

    def set_clip(self, path: Path | None) -> None:
        """Read the clip at ``path`` from now on; returns at once, and the old clip is closed by the next reader."""
        # A plain assignment, because the GUI thread must not wait for a reader that holds the lock.
        self._path = path

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
        self._path = None
        with self._lock:
            self._drop()

    def _current(self, token: CancelToken) -> FrameSource:
        path = self._path
        if self._source is None or path != self._opened:
            self._drop()
            if path is None:
                raise Cancelled
            self._source, self._opened = self._open_frames(path), path
        return self._source

    def _drop(self) -> None:
        source, self._source, self._opened = self._source, None, None
        if source is not None:
            source.close()
