"""A sink of an export that keeps the frames, for tests of what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class FrameList:
    """Keeps each frame in ``frames``, uint8 [height, width, 4]."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []

    def open(self) -> None:
        """See :class:`~videoinr.exporting.sinks.Sink`."""

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Keep a frame."""
        self.frames.append(rgbx)

    def finish(self, *, partial: bool = False) -> Path:
        """Return a name that no file has."""
        return Path("out.mkv")

    def abort(self) -> None:
        """See :class:`~videoinr.exporting.sinks.Sink`."""
