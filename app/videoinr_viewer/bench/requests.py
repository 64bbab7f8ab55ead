"""What was asked for lately, found by the picture that answers it."""

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
    """A request: its number, and when it was made."""

    number: int
    query: RegionQuery
    at_secs: float


class Requests:
    """The last requests, in tables: to look through them took the event loop 45 ms, which counted as the window's."""

    def __init__(self) -> None:
        self._by_answer: dict[RegionQuery, Asked] = {}
        self._by_instant: dict[Instant, Asked] = {}

    def add(self, asked: Asked) -> None:
        """A newer one than all before; the oldest of many are forgotten."""
        _put_last(self._by_instant, asked.query.instant, asked, most=REMEMBERED_REQUESTS)
        for divisor in DRAFT_DIVISORS:
            answer = coarser(asked.query, divisor)
            _put_last(self._by_answer, answer, asked, most=REMEMBERED_REQUESTS * len(DRAFT_DIVISORS))

    def answered_by(self, shown: RegionQuery) -> Asked | None:
        """The newest request that ``shown``, decoded as a draft or in full, is an answer to."""
        return self._by_answer.get(shown)

    def for_instant(self, instant: Instant) -> Asked | None:
        """The newest request for ``instant``, wherever it looks."""
        return self._by_instant.get(instant)


def _put_last(table: dict[_Key, Asked], key: _Key, asked: Asked, *, most: int) -> None:
    table.pop(key, None)
    table[key] = asked
    if len(table) > most:
        del table[next(iter(table))]
