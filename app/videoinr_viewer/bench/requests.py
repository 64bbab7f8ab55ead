"""Finds the recent request that a picture answers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from videoinr.render.pacing import DRAFT_DIVISORS
from videoinr.render.view import coarser
from videoinr.types import Instant, RegionQuery

REMEMBERED_REQUESTS = 256
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Asked:
    """A request with its number and its time (perf_counter)."""

    number: int
    query: RegionQuery
    at_secs: float
    on_screen: RegionQuery | None = None


class Requests:
    """The recent requests in tables. A linear search took 45 ms of the event loop, which distorted the figures."""

    def __init__(self) -> None:
        self._by_answer: dict[RegionQuery, Asked] = {}
        self._by_instant: dict[Instant, Asked] = {}

    def add(self, asked: Asked) -> None:
        """Add the newest request, and drop the oldest of too many."""
        _put_last(self._by_instant, asked.query.instant, asked, most=REMEMBERED_REQUESTS)
        for answer in (*(coarser(asked.query, divisor) for divisor in DRAFT_DIVISORS), asked.on_screen):
            if answer is None:
                continue
            _put_last(self._by_answer, answer, asked, most=REMEMBERED_REQUESTS * len(DRAFT_DIVISORS))

    def answered_by(self, shown: RegionQuery) -> Asked | None:
        """Return the newest request that ``shown``, a draft or a full picture, answers, or None."""
        return self._by_answer.get(shown)

    def for_instant(self, instant: Instant) -> Asked | None:
        """Return the newest request for ``instant`` at any zoom and place, or None."""
        return self._by_instant.get(instant)


def _put_last(table: dict[_Key, Asked], key: _Key, asked: Asked, *, most: int) -> None:
    table.pop(key, None)
    table[key] = asked
    if len(table) > most:
        del table[next(iter(table))]
