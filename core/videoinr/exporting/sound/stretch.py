"""Plays sound slower or faster and keeps its pitch: overlap-add of similar pieces (WSOLA), with onsets held in place.

FFmpeg's atempo repeats a click up to four times at a quarter of the speed, on average 60 ms early. Here the piece that
holds an onset is placed exactly and once: pieces around it leave the onset out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from videoinr.exporting.sound.blocks import Block

_HOP_SECS = 0.02
"""Pieces are two hops long and overlap by one: a period of 50 Hz fits into a hop."""
_SEARCH_SECS = 0.01
_CELL_SECS = 0.001
_BEFORE_CELLS = 20
_RISE, _FLOOR = 16.0, 1e-6
"""An onset has this many times the power of the 20 ms before, and at least this mean square. The power is that of the
differences of neighbouring samples, in which a click stands out of a low tone."""
_STEP = 4
"""Similarity is measured on every fourth sample first."""


@dataclass(frozen=True)
class _Sizes:
    """Lengths in samples."""

    hop: int
    search: int
    cell: int

    @classmethod
    def at(cls, rate: int) -> _Sizes:
        return cls(*(max(1, round(secs * rate)) for secs in (_HOP_SECS, _SEARCH_SECS, _CELL_SECS)))


def stretched(blocks: Iterable[Block], rate: int, speed: Fraction) -> Iterator[Block]:
    """Yield sound ``speed`` times as fast (1/4: four times as long), with the same pitch.

    Args:
        blocks: the sound, float32 [channels, samples].
        rate: samples per second.
        speed: seconds of the sound for each second of the result.
    """
    if speed == 1:
        yield from blocks
        return
    yield from _Stretcher(_Sizes.at(rate), speed).run(blocks)


class _Stretcher:
    """Holds the part of the input that is still needed; ``_start`` is the sample at its beginning."""

    def __init__(self, sizes: _Sizes, speed: Fraction) -> None:
        self._sizes, self._speed = sizes, speed
        # A piece that holds an onset lies up to its own length, at the sound's speed, from where it would begin.
        self._ahead = 2 * sizes.hop * (2 + ceil(speed)) + 2 * sizes.search
        ramp = np.sin(np.arange(sizes.hop) * np.pi / (2 * sizes.hop)) ** 2
        self._window = np.concatenate([ramp, 1 - ramp]).astype(np.float32)
        self._input: Block | None = None
        self._start = 0
        self._onsets = _Onsets(sizes, speed)
        self._piece = 0
        self._previous: int | None = None
        self._tail: Block | None = None

    def run(self, blocks: Iterable[Block]) -> Iterator[Block]:
        sizes = self._sizes
        for block in blocks:
            if self._input is None:
                # The first piece starts a hop before the sound, so that its second half is whole.
                lead = np.zeros((block.shape[0], 2 * sizes.hop + sizes.search), np.float32)
                self._input, self._start = lead, -lead.shape[1]
            self._input = np.concatenate([self._input, block], axis=1)
            self._onsets.take(block)
            yield from self._ready(self._start + self._input.shape[1])
        if self._input is None:
            return
        end = self._start + self._input.shape[1]
        padding = np.zeros((self._input.shape[0], self._ahead), np.float32)
        self._input = np.concatenate([self._input, padding], axis=1)
        self._onsets.take(padding)
        yield from self._ready(self._start + self._input.shape[1], last=end)

    def _ready(self, known: int, last: int | None = None) -> Iterator[Block]:
        """Yield what can be made of the input before sample ``known``; with ``last``, up to the end of the sound."""
        sizes = self._sizes
        while True:
            # Piece n spans the output from (n - 1) hops on.
            at = (self._piece - 1) * sizes.hop
            nominal = int(at * self._speed)
            if nominal + self._ahead > known or (last is not None and nominal >= last):
                return
            head = self._added(at, nominal, known)
            if self._piece:
                yield head
            self._piece += 1

    def _added(self, at: int, nominal: int, known: int) -> Block:
        """Return the hop of output before the second half of the piece at output sample ``at``."""
        sizes = self._sizes
        position = self._position(at, nominal, known)
        piece = self._samples(position, 2 * sizes.hop) * self._window
        head = piece[:, : sizes.hop] + (0 if self._tail is None else self._tail)
        self._tail, self._previous = piece[:, sizes.hop :], position
        self._drop(nominal)
        return head

    def _position(self, at: int, nominal: int, known: int) -> int:
        """Return the input sample at which the piece begins: near ``nominal``, and going on from the one before."""
        sizes = self._sizes
        length = 2 * sizes.hop
        low, high = nominal - sizes.search, nominal + sizes.search
        for onset in self._onsets.found:
            placed = round(onset / self._speed)
            if placed - length < at <= placed:
                return onset - (placed - at)
            if at <= placed - length:
                high = min(high, onset - length)
            else:
                low = max(low, onset + sizes.cell)
        # Where one onset follows soon after another there may be no room between them: the later one is left out.
        low = max(min(low, high), self._start)
        return self._most_similar(low, max(low, min(high, known - length)))

    def _most_similar(self, low: int, high: int) -> int:
        """Return the position in low ... high whose samples are the most like those that would follow."""
        if self._previous is None or low >= high:
            return min(max(low, 0), high) if self._previous is None else low
        hop = self._sizes.hop
        wanted = self._samples(self._previous + hop, hop).sum(axis=0)
        around = self._samples(low, high - low + hop).sum(axis=0)
        coarse = low + _STEP * _best(around[::_STEP], wanted[::_STEP])
        first = max(low, coarse - _STEP)
        last = min(high, coarse + _STEP)
        return first + _best(around[first - low : last - low + hop], wanted)

    def _samples(self, position: int, count: int) -> Block:
        assert self._input is not None
        first = position - self._start
        return self._input[:, first : first + count]

    def _drop(self, nominal: int) -> None:
        """Forget the input that no later piece reaches."""
        assert self._input is not None
        sizes = self._sizes
        # Pieces before an onset reach back by as much as the piece that holds it is longer at the input's own speed.
        back = 4 * sizes.hop + 2 * sizes.search
        surplus = min(nominal, self._previous or 0) - back - self._start
        if surplus > 1 << 16:
            self._input, self._start = self._input[:, surplus:], self._start + surplus
            self._onsets.forget_before(self._start)


def _best(around: NDArray[np.float32], wanted: NDArray[np.float32]) -> int:
    """Return the offset at which ``wanted`` correlates best with ``around``."""
    products = np.correlate(around, wanted, "valid")
    energy = np.cumsum(np.concatenate([[0.0], np.square(around, dtype=np.float64)]))
    power = energy[len(wanted) :] - energy[: -len(wanted)]
    return int(np.argmax(products[: len(power)] / np.sqrt(power + 1e-9)))


class _Onsets:
    """Finds onsets in sound that comes in blocks: samples at which the power rises steeply.

    They are at least a piece apart, before and after the change of speed; of nearer ones the strongest counts.
    """

    def __init__(self, sizes: _Sizes, speed: Fraction) -> None:
        self._sizes = sizes
        self._apart = ceil(2 * sizes.hop * max(speed, Fraction(1)))
        self._power = 0.0
        self._rest = np.zeros(0)
        self._position, self._last = 0, 0.0
        self._before = np.zeros(_BEFORE_CELLS)
        self.found: list[int] = []

    def take(self, block: Block) -> None:
        """Search ``block``, which follows what was taken before."""
        cell = self._sizes.cell
        mono = block.mean(axis=0, dtype=np.float64)
        steps = np.diff(mono, prepend=self._last)
        self._last = float(mono[-1]) if len(mono) else self._last
        signal = np.concatenate([self._rest, np.square(steps)])
        count = len(signal) // cell
        powers = signal[: count * cell].reshape(count, cell)
        means = np.concatenate([self._before, powers.mean(axis=1)])
        usual = sliding_window_view(means, _BEFORE_CELLS)[:count].mean(axis=1)
        self._before, means = means[count:], means[_BEFORE_CELLS:]
        for number in np.flatnonzero((means > _FLOOR) & (means > _RISE * usual)).tolist():
            power, start = means[number], self._position + number * cell
            # The first sample that is loud, not the start of its millisecond.
            start += int(np.argmax(powers[number] >= powers[number].max() / 4))
            if not self.found or start >= self.found[-1] + self._apart:
                self.found.append(start)
                self._power = power
            elif power > self._power:
                # Codecs let noise begin some milliseconds before a click.
                self.found[-1], self._power = start, power
        self._position += count * cell
        self._rest = signal[count * cell :]

    def forget_before(self, sample: int) -> None:
        """Forget onsets before ``sample``, but for the last one."""
        while len(self.found) > 1 and self.found[0] < sample:
            self.found.pop(0)
