"""The visible part of the timeline: zoom and scroll as pure functions on ticks. No Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """The ticks ``first`` ... ``last`` are visible, of 0 ... ``whole``. ``least``: the shortest visible stretch."""

    first: float
    last: float
    whole: float
    least: float

    @property
    def length(self) -> float:
        """The number of visible ticks."""
        return self.last - self.first

    @property
    def is_whole(self) -> bool:
        """Whether everything is visible."""
        return self.length >= self.whole

    def zoomed(self, factor: float, at: float) -> Span:
        """Return the span magnified by ``factor``; the tick ``at`` keeps its place."""
        length = min(max(self.length / factor, min(self.least, self.whole)), self.whole)
        share = (at - self.first) / self.length
        return self._from(at - share * length, length)

    def moved(self, ticks: float) -> Span:
        """Return the span scrolled by ``ticks``, to the right if positive."""
        return self._from(self.first + ticks, self.length)

    def with_tick(self, tick: float) -> Span:
        """Return the span scrolled, if need be, until ``tick`` is visible: a page on, with a tenth of it before."""
        if self.first <= tick <= self.last:
            return self
        share = 0.1 if tick > self.last else 0.9
        return self._from(tick - share * self.length, self.length)

    def _from(self, first: float, length: float) -> Span:
        first = min(max(first, 0.0), self.whole - length)
        return Span(first, first + length, self.whole, self.least)
