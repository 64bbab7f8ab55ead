"""The last frames that were uploaded to a GPU: pairs in a row share their frames, and those beside them."""

from __future__ import annotations

from torch import Tensor

from videoinr.geometry import Grid

MOST_FRAMES = 5
"""A pair and the frames beside it are four. Going backwards, the oldest of five is the one that is done with."""


class UploadedFrames:
    """Keeps frames as :func:`~videoinr.images.planes_from_pixels` makes them; those unused for longest make room."""

    def __init__(self, max_bytes: int) -> None:
        """Keep nothing yet.

        Args:
            max_bytes: the most that is kept. A frame that alone exceeds it is not kept.
        """
        self._max_bytes = max_bytes
        self._held: dict[tuple[int, Grid], Tensor] = {}

    def __len__(self) -> int:
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """Bytes of the kept frames."""
        return sum(one.nbytes for one in self._held.values())

    def get(self, number: int, size: Grid) -> Tensor | None:
        """Return frame ``number`` of the clip at ``size``, and count it as used; None if it is not kept."""
        planes = self._held.pop((number, size), None)
        if planes is not None:
            self._held[number, size] = planes
        return planes

    def put(self, number: int, size: Grid, planes: Tensor) -> None:
        """Keep frame ``number`` at ``size``, as far as the budget allows."""
        self._held.pop((number, size), None)
        self._held[number, size] = planes
        while len(self._held) > MOST_FRAMES or self.nbytes > self._max_bytes:
            del self._held[next(iter(self._held))]

    def clear(self) -> None:
        """Drop all frames."""
        self._held.clear()
