"""Planes: a picture that was converted to the samples of a video before it came here, and the frame made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from videoinr.clip.siting import ChromaPlacer
from videoinr.exporting.coding import Coding, FrameConverter, set_tags


@dataclass(frozen=True, eq=False)
class Planes:
    """A picture as the planes of a video, on its way to the CPU or there.

    Attributes:
        values: the samples of all planes, one after the other: uint8, or int16 of 10 bits.
        shapes: (rows, columns) of each plane.
        arrive: waits until the values are there.
    """

    values: NDArray[Any]
    shapes: tuple[tuple[int, int], ...]
    arrive: Callable[[], None] | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes the values take."""
        return self.values.nbytes

    def await_values(self) -> None:
        """Wait until the values are there."""
        if self.arrive is not None:
            self.arrive()

    def arrays(self) -> list[NDArray[Any]]:
        """Return the planes, once they are there: uint8 or int16 [rows, columns] each."""
        self.await_values()
        ends = np.cumsum([0, *(rows * columns for rows, columns in self.shapes)])
        return [self.values[a:b].reshape(shape) for (a, b), shape in zip(pairwise(ends), self.shapes, strict=True)]


Picture = NDArray[Any] | Planes
"""A decoded picture: uint8 or uint16 [height, width, 4], RGBX, or planes."""


class FrameMaker:
    """Makes the frames of ``coding`` from decoded pictures. One thread at a time may use it."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._converter: FrameConverter | None = None
        self._placer = ChromaPlacer(coding.siting) if coding.siting else None

    def frame(self, picture: Picture) -> av.VideoFrame:
        """Return the frame of ``picture``: its planes, once they are there, or else its pixels, converted."""
        if isinstance(picture, Planes):
            return self._filled(picture)
        if self._converter is None:
            self._converter = FrameConverter(self._coding)
        return self._converter.frame(picture)

    def _filled(self, planes: Planes) -> av.VideoFrame:
        coding = self._coding
        if coding.pix_fmt == "yuv420p" and coding.width % 2 == 0 and coding.height % 4 == 0:
            # The frame shares the memory of the planes. PyAV makes such frames of this format, but two rows too short
            # where their height is no multiple of 4 (findings/pyav_buffer_heights.sh).
            planes.await_values()
            frame = av.VideoFrame.from_numpy_buffer(planes.values.reshape(-1, coding.width), "yuv420p")
        else:
            frame = av.VideoFrame(coding.width, coding.height, coding.pix_fmt)
            for plane, samples in zip(frame.planes, planes.arrays(), strict=True):
                stored = np.frombuffer(memoryview(plane), samples.dtype).reshape(plane.height, -1)
                stored[:, : samples.shape[1]] = samples
        if self._placer:
            frame = self._placer.placed(frame)
        set_tags(frame, self._coding.tags)
        return frame
