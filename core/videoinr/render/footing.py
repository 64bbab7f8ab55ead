"""Maps an instant to the frames that its picture is decoded from: the pair's own, or others at cuts and repeats.

| the pair of the instant         | decoded from                                                                     |
|---------------------------------|----------------------------------------------------------------------------------|
| motion                          | its two frames, at its phase                                                     |
| a cut, held; phase below 1/2    | the pair before, at phase 1: the same super-resolved frame as at that pair's end |
| a cut, held; phase 1/2 and more | the pair after, at phase 0: the same picture as at the next source frame         |
| a cut, beside another one       | the single frame between the two cuts, encoded with itself                       |
| a repeat                        | the distinct frames around it, at the time's share of the way between them       |

At the time of every frame that does not repeat the one before it, the picture is that frame's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.pair_kinds import PairKinds
from videoinr.errors import ClipError
from videoinr.timeline import Timeline
from videoinr.types import AcrossCuts, Instant, PairKind, RegionQuery

HALF = Fraction(1, 2)
MOST_SPAN = 4
"""A neighbour's distance in time is at most this many times the pair's, and at least one such part of it."""


@dataclass(frozen=True, slots=True)
class Footing:
    """Two frames to encode, and a phase to decode between them.

    Attributes:
        first: the index of the first frame.
        second: the index of the second frame: ``first`` + 1, or a later one, or ``first`` itself.
        phase: 0 is the first frame, 1 the second.
        share: the share of this picture in the result, 0 ... 1; below 1 only where two pictures are blended.
    """

    first: int
    second: int
    phase: Fraction
    share: Fraction = Fraction(1)

    def query(self, query: RegionQuery) -> RegionQuery:
        """Return ``query`` at the instant that is decoded from these frames."""
        return replace(query, instant=Instant(self.first, self.phase))


@dataclass(frozen=True, slots=True)
class Beside:
    """The frames beside the two of a footing, as far as the scene has any.

    Attributes:
        before: the index of the distinct frame before the first one; None: there is none.
        after: the index of the distinct frame after the second one; None: there is none.
        spans: the time from ``before`` to the first frame over the time between the two; the same after the second.
    """

    before: int | None = None
    after: int | None = None
    spans: tuple[float, float] = (1.0, 1.0)


class Footings:
    """Finds the footing of every instant of one clip.

    Args:
        timeline: the clip's frame times.
        kinds: the kinds of the clip's pairs.
        across_cuts: what is shown across a cut. With DECODE no pair is judged.
    """

    def __init__(self, timeline: Timeline, kinds: PairKinds, across_cuts: AcrossCuts) -> None:
        self._timeline, self._kinds, self._mode = timeline, kinds, across_cuts

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        """Return the kind of ``pair``; MOTION if pairs are decoded as they are. May read frames; raises ClipError."""
        return PairKind.MOTION if self._mode is AcrossCuts.DECODE else self._kinds.kind(pair, token)

    def is_judged(self, instant: Instant) -> bool:
        """Return whether :meth:`of` needs to read no frame for ``instant``."""
        if self._mode is AcrossCuts.DECODE:
            return True
        pairs = [instant.pair]
        if self._kinds.known(instant.pair) is PairKind.CUT:
            is_blend = self._mode is AcrossCuts.BLEND and not instant.is_source
            pairs += [instant.pair - 1] if is_blend or instant.phase < HALF else []
            pairs += [instant.pair + 1] if is_blend or instant.phase >= HALF else []
        return all(self._kinds.known(pair) is not None for pair in pairs if 0 <= pair < self._timeline.pair_count)

    def of(self, instant: Instant, token: CancelToken = NEVER) -> tuple[Footing, ...]:
        """Return the footing of ``instant``, or two whose pictures are blended by their shares.

        Args:
            instant: the instant.
            token: cancels the reading of frames.

        Raises:
            Cancelled: ``token`` was cancelled.
            UsageError: the clip has no such pair.
            ClipError: one of the pair's frames cannot be read.
        """
        if self.kind(instant.pair, token) is not PairKind.CUT:
            return (self._within_scene(instant, token),)
        if self._mode is AcrossCuts.BLEND and not instant.is_source:
            first = self._end_of_scene(instant.pair, token, 1 - instant.phase)
            return first, self._start_of_scene(instant.pair, token, instant.phase)
        return (self.nearest(instant, token),)

    def nearest(self, instant: Instant, token: CancelToken = NEVER) -> Footing:
        """Return the footing of ``instant``, without a blend: across a cut that of the nearer frame; raises as of."""
        if self.kind(instant.pair, token) is not PairKind.CUT:
            return self._within_scene(instant, token)
        is_first = instant.phase < HALF
        return self._end_of_scene(instant.pair, token) if is_first else self._start_of_scene(instant.pair, token)

    def as_it_is(self, pair: int) -> Footing:
        """Return the frames of ``pair``, also across a cut or of a repeat; of a clip of one frame, that one twice."""
        return Footing(pair, pair + min(1, self._timeline.last_frame), Fraction(0))

    def beside(self, footing: Footing, token: CancelToken = NEVER) -> Beside:
        """Return the frames beside those of ``footing``, for the motion that goes on before and after.

        A frame that cannot be read, that lies across a cut, or whose time from the pair is many times longer or shorter
        than the pair's own, is none.

        Args:
            footing: the frames.
            token: cancels the reading of frames.

        Raises:
            Cancelled: ``token`` was cancelled.
        """
        if footing.first == footing.second:
            return Beside()
        time = self._timeline.frame_time
        whole, found = time(footing.second) - time(footing.first), list[tuple[int | None, float]]()
        for pair, inner in ((footing.first - 1, footing.first), (footing.second, footing.second)):
            outer, span = self._across(pair, inner, token), 1.0
            if outer is not None:
                span = float(abs(time(inner) - time(outer)) / whole)
            found.append((outer, span) if 1 / MOST_SPAN <= span <= MOST_SPAN else (None, 1.0))
        (before, left), (after, right) = found
        return Beside(before, after, (left, right))

    def _across(self, pair: int, frame: int, token: CancelToken) -> int | None:
        """Return the distinct frame at the other end of ``pair``, one of whose frames is ``frame``; None: a cut."""
        if not 0 <= pair < self._timeline.last_frame:
            return None
        try:
            kind = self.kind(pair, token)
            ends = self._kinds.distinct_frames(pair) if kind is PairKind.REPEAT else (pair, pair + 1)
        except ClipError:
            return None
        if kind is PairKind.CUT or frame not in ends:
            return None
        return ends[0] if frame == ends[1] else ends[1]

    def _end_of_scene(self, pair: int, token: CancelToken, share: Fraction = Fraction(1)) -> Footing:
        """Return the footing of the first frame of the cut ``pair``, the last one of its scene."""
        if pair == 0 or self.kind(pair - 1, token) is PairKind.CUT:
            return Footing(pair, pair, Fraction(0), share)
        return replace(self._within_scene(Instant(pair - 1, Fraction(1)), token), share=share)

    def _start_of_scene(self, pair: int, token: CancelToken, share: Fraction = Fraction(1)) -> Footing:
        """Return the footing of the second frame of the cut ``pair``, the first one of its scene."""
        after = pair + 1
        if after >= self._timeline.pair_count or self.kind(after, token) is PairKind.CUT:
            return Footing(after, after, Fraction(0), share)
        return replace(self._within_scene(Instant(after, Fraction(0)), token), share=share)

    def _within_scene(self, instant: Instant, token: CancelToken) -> Footing:
        if self.kind(instant.pair, token) is not PairKind.REPEAT:
            return replace(self.as_it_is(instant.pair), phase=instant.phase)
        first, second = self._kinds.distinct_frames(instant.pair)
        start, end = self._timeline.frame_time(first), self._timeline.frame_time(second)
        return Footing(first, second, (self._timeline.time_from_instant(instant) - start) / (end - start))
