"""The searches of the last pairs: a pair's neighbours are searched for its bend, and are the next pairs themselves."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor

from videoinr.model.encoders.path_bend import CoarseSearch

Names = tuple[int, int]
"""The numbers of a pair's frames in the clip."""


class KeptSearches:
    """Keeps the flow of each search, and the search itself if the budget suffices for three of them.

    All searches ended two levels before the finest one, on maps of a quarter of the frames' size.
    """

    def __init__(self, max_bytes: int) -> None:
        """Keep nothing yet.

        Args:
            max_bytes: the most that is kept beside the flows, which take one byte for a pixel of a frame.
        """
        self._max_bytes = max_bytes
        self._flows: dict[Names, Tensor] = {}
        self._whole: dict[Names, CoarseSearch] = {}

    def flow(self, names: Names) -> Tensor | None:
        """Return the flow that was found between the frames ``names``, [1, 4, h, w], if it is kept."""
        return self._flows.get(names)

    def outline(self, names: Names) -> CoarseSearch | None:
        """Return the search between the frames ``names``, if it is kept."""
        return self._whole.get(names)

    def put(self, names: Names, outline: CoarseSearch) -> None:
        """Keep a search."""
        self._flows[names] = outline.flow
        if 3 * outline.nbytes <= self._max_bytes:
            self._whole[names] = outline

    def keep_only(self, names: Collection[tuple[int | None, int | None]]) -> None:
        """Drop the searches of all pairs but ``names``."""
        self._flows = {name: one for name, one in self._flows.items() if name in names}
        self._whole = {name: one for name, one in self._whole.items() if name in names}

    def clear(self) -> None:
        """Drop everything."""
        self.keep_only(())
