"""The pictures that were shown last, by what they cover and how good they are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from videoinr.geometry import rect_on_grid
from videoinr.types import Rank, RegionQuery, RenderedRegion

REMEMBERED_PICTURES = 4


@dataclass(frozen=True, slots=True)
class _Shown:
    query: RegionQuery
    rank: Rank
    is_exact: bool


class ShownPictures:
    """Remembers pictures without their pixels."""

    def __init__(self) -> None:
        self._last: deque[_Shown] = deque(maxlen=REMEMBERED_PICTURES)

    def add(self, region: RenderedRegion, *, is_exact: bool = True) -> None:
        """Record that ``region`` was shown; not ``is_exact``: one of the same rank may still be better."""
        self._last.append(_Shown(region.query, region.rank, is_exact))

    def outdoes(self, query: RegionQuery, rank: Rank, *, is_exact: bool = True) -> bool:
        """Return whether the screen shows ``query`` at its instant so well that a picture of ``rank`` is of no use."""
        return any(self._is_as_good(shown, query, (*rank, is_exact)) for shown in self._last)

    @staticmethod
    def _is_as_good(shown: _Shown, query: RegionQuery, rank: tuple[int, int, bool]) -> bool:
        shows_it = (shown.query.instant, shown.query.readout) == (query.instant, query.readout)
        is_as_good = shows_it and (*shown.rank, shown.is_exact) >= rank
        return is_as_good and shown.query.rect.contains(rect_on_grid(query.rect, query.grid, shown.query.grid))
