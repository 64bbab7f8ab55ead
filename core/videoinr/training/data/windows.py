"""Draw windows at random: their run, frames, crop and orientation. Works on numbers, without pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoinr.errors import UsageError
from videoinr.training.recipe import Stage

FULL_MOTION_PX = 4.0
"""Motion from frame to frame above which a window's weight does not grow further."""
STILL_WEIGHT, MOVING_WEIGHT = 0.5, 1.5
"""Weights of a window without motion and of one with full motion. Still windows teach no motion, but footage has them,
and they must stay sharp."""
ONE_WITHHELD, BOTH_WITHHELD = 0.2, 0.06
"""Chances that a frame beside a pair is withheld (each), and that both are. 30 % of the pairs have one of the two: at
cuts and at a clip's ends one frame must do, and cannot tell a shaking camera from a smooth one."""


@dataclass(frozen=True, eq=False, slots=True)
class StoredRun:
    """A run in a store: consecutive frames [height, width, 3] from byte ``offset`` on.

    ``motion`` float32 [frames]: pixels, as in :class:`~videoinr.training.data.screening.Run`.
    """

    offset: int
    frames: int
    height: int
    width: int
    motion: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Windows:
    """The positions of a batch's pixels in a store.

    Pixel (row, column) of image n of window b starts at byte
    ``firsts[b, n] + row * row_steps[b] + column * column_steps[b]``. ``firsts`` int64 [B, 2 + E + K]: for the
    window's first and last frame, the E = 0 or 2 frames beside them, and its targets. ``inside`` int64 [B, K]: each
    target's frame number in the window, from 0 to ``lengths[b]``. ``valid`` float32 [B, 2]: 1 where the run has the
    frame beside, 0 where a copy of the window's own stands for it; None: E is 0.
    """

    firsts: NDArray[np.int64]
    row_steps: NDArray[np.int64]
    column_steps: NDArray[np.int64]
    inside: NDArray[np.int64]
    lengths: NDArray[np.int64]
    valid: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class _Starts:
    """All windows of one length: run and first frame of each, and the cumulative sum of their weights."""

    runs: NDArray[np.int64]
    frames: NDArray[np.int64]
    sums: NDArray[np.float64]


class WindowTable:
    """All windows of some runs. Tables to draw from are made when first needed, and kept."""

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        self._runs = runs
        columns = [(run.offset, run.frames, run.height, run.width) for run in runs]
        self._numbers = np.array(columns, dtype=np.int64).reshape(-1, 4).T
        self._sides = np.minimum(self._numbers[2], self._numbers[3])
        self._tables: dict[tuple[tuple[int, ...], int], dict[int, _Starts]] = {}

    def usable(self, stage: Stage, size: int) -> list[int]:
        """Return the numbers of the runs that are long and large enough. Raises UsageError if there is none."""
        shortest = min(stage.windows) + 1
        usable = np.flatnonzero((self._numbers[1] >= shortest) & (self._sides >= size))
        if not len(usable):
            raise no_clip_error(shortest, size)
        return [int(index) for index in usable]

    def draw(
        self, stage: Stage, rng: np.random.Generator, *, count: int, size: int, targets: int, outer: bool = False
    ) -> Windows:
        """Draw windows at random. Every window length that some run has is equally likely.

        Args:
            stage: Window lengths and target times.
            rng: The only source of randomness.
            count: Number of windows, B.
            size: Side of the crops, pixels.
            targets: Target frames per window, K.
            outer: Whether the frames beside each window are wanted too. They change nothing in what is drawn.

        Returns:
            The windows' positions.

        Raises:
            UsageError: No run is long and large enough.
        """
        chance = rng.random((count, 6))
        runs, starts, lengths = self._choose(self._starts(stage, size), chance)
        middle = stage.times == "middle"
        inside = np.tile(lengths[:, None] // 2, targets) if middle else _targets(lengths, targets, rng)
        offset, many, height, width = self._numbers[:, runs]
        frames, valid = frames_of(
            lengths, inside, starts=starts, counts=many, backwards=chance[:, 2] < 0.5, outer=outer
        )
        y = (chance[:, 3] * (height - size + 1)).astype(np.int64)
        x = (chance[:, 4] * (width - size + 1)).astype(np.int64)
        moves, rows, columns = turned((chance[:, 5] * 8).astype(np.int64), width * 3, size)
        corners = offset + (y * width + x) * 3 + moves
        firsts = corners[:, None] + frames * (height * width * 3)[:, None]
        return Windows(firsts, rows, columns, inside, lengths, valid)

    def _choose(
        self, tables: dict[int, _Starts], chance: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the runs, first frames and lengths of the windows, each int64 [B]."""
        lengths = np.array(list(tables))[(chance[:, 0] * len(tables)).astype(np.int64)]
        runs, frames = np.empty_like(lengths), np.empty_like(lengths)
        for length, starts in tables.items():
            rows = lengths == length
            found = np.searchsorted(starts.sums, chance[rows, 1] * starts.sums[-1], side="right")
            found = np.minimum(found, len(starts.sums) - 1)
            runs[rows], frames[rows] = starts.runs[found], starts.frames[found]
        return runs, frames, lengths

    def _starts(self, stage: Stage, size: int) -> dict[int, _Starts]:
        # The number of runs that are large enough identifies them, so sizes with the same runs share a table.
        key = (stage.windows, int(np.count_nonzero(self._sides >= size)))
        if key not in self._tables:
            usable = self.usable(stage, size)
            lengths = [n for n in dict.fromkeys(stage.windows) if any(n < self._runs[run].frames for run in usable)]
            self._tables[key] = {length: self._starts_of(length, usable) for length in lengths}
        return self._tables[key]

    def _starts_of(self, length: int, usable: Sequence[int]) -> _Starts:
        usable = [run for run in usable if self._runs[run].frames > length]
        counts = np.array([self._runs[run].frames - length for run in usable])
        weights = [_weights(self._runs[run], length) for run in usable]
        frames = np.concatenate([np.arange(count) for count in counts])
        return _Starts(np.repeat(usable, counts), frames, np.cumsum(np.concatenate(weights)))


def frames_of(
    lengths: NDArray[np.int64], inside: NDArray[np.int64], *, starts: NDArray[np.int64], counts: NDArray[np.int64],
    backwards: NDArray[np.bool_], outer: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:  # fmt: skip
    """Return which frames of its run each window is made of.

    Args:
        lengths: The windows' lengths, int64 [B].
        inside: The targets' frame numbers in the windows, int64 [B, K].
        starts: Each window's least frame number in its run, int64 [B].
        counts: The frames of each window's run, int64 [B].
        backwards: Which windows run backwards in time, [B].
        outer: Whether the frames beside the windows are wanted, one length before and one after.

    Returns:
        Frame numbers in the run, int64 [B, 2 + E + K], and the validity of the E, as in :class:`Windows`.
    """
    first, long = np.zeros_like(lengths)[:, None], lengths[:, None]
    beside = [-long, 2 * long] if outer else []
    numbers = np.concatenate([first, long, *beside, inside], axis=1)
    frames = starts[:, None] + np.where(backwards[:, None], long - numbers, numbers)
    if not outer:
        return frames, None
    valid = (frames[:, 2:4] >= 0) & (frames[:, 2:4] < counts[:, None])
    frames[:, 2:4] = np.where(valid, frames[:, 2:4], frames[:, :2])
    return frames, valid.astype(np.float32)


def draw_kept(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw which frames beside ``count`` pairs are kept (1) and which are withheld (0), float32 [count, 2]."""
    alone, both = rng.random((count, 2)), rng.random((count, 1))
    return ((alone >= ONE_WITHHELD) & (both >= BOTH_WITHHELD)).astype(np.float32)


def no_clip_error(frames: int, size: int) -> UsageError:
    """Return the error for clips of which none is long and large enough."""
    return UsageError(
        f"No clip has {frames} frames of at least {size}x{size} pixels.",
        hint="Use larger clips, or a recipe with smaller patches or scales.",
    )


def _weights(run: StoredRun, length: int) -> NDArray[np.float64]:
    """Return the weight of each window of ``length`` in a run, by its mean motion."""
    sums = np.cumsum(np.append(0.0, run.motion))
    moves = np.minimum((sums[length : run.frames] - sums[: run.frames - length]) / length / FULL_MOTION_PX, 1)
    # A long run has more content, but less than in proportion, because neighbouring frames are alike.
    even = np.sqrt(run.frames) / (run.frames - length)
    weights: NDArray[np.float64] = (STILL_WEIGHT + (MOVING_WEIGHT - STILL_WEIGHT) * moves) * even
    return weights


def _targets(lengths: NDArray[np.int64], targets: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the targets' frame numbers [B, K] from 0 ... length, without repetition as long as there are enough."""
    most = int(lengths.max()) + 1
    keys = rng.random((len(lengths), most))
    keys[np.arange(most) > lengths[:, None]] = 2  # Sorted after all frames of the window.
    order = np.argsort(keys, axis=1)
    wanted = np.arange(targets) % (lengths[:, None] + 1)
    return np.take_along_axis(order, wanted, axis=1)


def turned(
    ways: NDArray[np.int64], stride: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compute the byte steps of a square crop in one of eight orientations.

    Args:
        ways: Orientations, int64 [B]. Bit 0 flips vertically, bit 1 flips horizontally, bit 2 transposes.
        stride: Bytes per row of the frames, int64 [B].
        size: Side of the crop, pixels.

    Returns:
        (bytes from the crop's corner to its first pixel, bytes per row, bytes per column), each int64 [B].
    """
    rows = np.where(ways & 1, -stride, stride)
    columns = np.where(ways & 2, -3, 3)
    moves = (size - 1) * (np.where(ways & 1, stride, 0) + np.where(ways & 2, 3, 0))
    swapped = (ways & 4) > 0
    return moves, np.where(swapped, columns, rows), np.where(swapped, rows, columns)
