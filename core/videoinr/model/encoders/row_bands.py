"""Parts of an encoder that works in bands of rows: layers that are given a map band by band, and maps read by warps.

A convolution of a band needs the rows around it. :class:`RollingBlocks` keep the last rows of what they were given, so
hardly a row is computed twice in a chain of blocks. Results equal those of the whole map; on a CPU to the bit, because
oneDNN adds the products of a pixel in an order that does not depend on the size of the map. (A single map of at most
LEAST_ELEMENTS numbers goes to another library, which adds in another order; no band is that small.)
tests/core/test_encoder_bands.py checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.model.ops import warp
from videoinr.model.warp import Placement, positions_along

LEAST_ELEMENTS = 20480
"""Torch convolves a batch of one map of at most so many numbers by its own loops instead of oneDNN's."""


_REACH = 2
"""Rows above and below that a row of a residual block's output depends on: two convolutions."""


class RollingBlocks:
    """Residual blocks, one after the other, that are given a map from the top to the bottom, in bands of rows.

    A block cannot compute the last two rows of what it was given, so it keeps them, and two more, for the next time. It
    writes its output to the place where the next block reads its input, behind the rows that the next block has kept.
    So a band lies in one of two buffers all the time, and only the kept rows are copied.
    """

    def __init__(
        self, blocks: Sequence[Callable[[Tensor, Tensor], object]], rows: int, check: Callable[[], None] = lambda: None
    ) -> None:
        """Take no memory yet.

        Args:
            blocks: At least one. Each maps [1, C, h, W] to the same shape and writes it into its second argument; a row
                depends on two rows above and below.
            rows: Rows that wait, at most, until the blocks are run on all of them.
            check: Called before each block; what it raises ends the work.
        """
        self._stages, self._rows, self._check = [_Stage(block) for block in blocks], rows, check
        self._buffers = list[Tensor]()
        self._top = self._waiting = 0

    def push(self, rows: Tensor, *, is_last: bool) -> Tensor | None:
        """Take the next rows.

        Args:
            rows: [1, C, n, W].
            is_last: These rows reach the bottom of the map.

        Returns:
            The rows of the output that are determined now and were not before, [1, C, m, W], valid until the next call;
            None if there are none.
        """
        self._make_room(rows)
        begin, count = self._top + self._stages[0].kept_rows + self._waiting, rows.shape[2]
        self._buffers[0][:, :, begin : begin + count] = rows
        self._waiting += count
        if not is_last and self._waiting + count <= self._rows:
            return None
        made = self._run(is_last=is_last)
        self._waiting = 0
        return made

    def _make_room(self, rows: Tensor) -> None:
        """See to it that there are buffers into which ``rows`` fit."""
        _, channels, count, width = rows.shape
        least = 1 + LEAST_ELEMENTS // (channels * width)
        kept, pending = max(2 * _REACH, least), len(self._stages) * max(_REACH, least)
        # A block also writes rows without a meaning, above its output and below it. At the end, no row is pending.
        needed = 3 * kept + max(self._rows, self._waiting + count) + pending
        if self._buffers and self._buffers[0].shape[2] >= needed:
            return
        shape, old = (1, channels, needed, width), self._buffers
        self._buffers = [
            torch.empty(shape, dtype=rows.dtype, device=rows.device, memory_format=torch.channels_last)
            for _ in range(2)
        ]
        self._top = kept
        for stage in self._stages:
            stage.least = least
        if old:
            self._buffers[0][:, :, : old[0].shape[2]] = old[0]

    def _run(self, *, is_last: bool) -> Tensor | None:
        """Run the blocks on the rows that wait."""
        (here, there), top, first = self._buffers, self._top, self._stages[0]
        rows = first.kept_rows + self._waiting
        for number, stage in enumerate(self._stages):
            self._check()
            kept = self._stages[number + 1].kept if number + 1 < len(self._stages) else None
            before = 0 if kept is None else kept.shape[2]
            made = stage.run(here[:, :, top : top + rows], there, top + before, is_last=is_last)
            if not made:
                here, there = reversed(self._buffers)
                break
            if kept is not None:
                there[:, :, top : top + before] = kept
            here, there, rows = there, here, before + made
        # The output lies in one of the buffers; what comes next goes into the other one, behind the first block's rows.
        if first.kept is not None:
            there[:, :, top : top + first.kept_rows] = first.kept
        self._buffers = [there, here]
        return here[:, :, top : top + rows] if made else None


class _Stage:
    """A block, and the last rows of its input, which it needs again."""

    def __init__(self, block: Callable[[Tensor, Tensor], object]) -> None:
        self._block, self.least = block, 1
        self.kept: Tensor | None = None
        self._top = self._done = 0

    @property
    def kept_rows(self) -> int:
        """The number of kept rows."""
        return 0 if self.kept is None else self.kept.shape[2]

    def run(self, rows: Tensor, target: Tensor, begin: int, *, is_last: bool) -> int:
        """Compute what is determined now and was not before.

        Args:
            rows: The kept rows and the next ones.
            target: The rows of the output go here,
            begin: from this row on.
            is_last: ``rows`` reach the bottom of the map.

        Returns:
            The number of rows of the output.
        """
        got = self._top + rows.shape[2]
        done = got if is_last else max(self._done, got - _REACH)
        if not is_last and rows.shape[2] < self.least:
            done = self._done
        top = max(self._top, min(done - _REACH, got - self.least))
        # A copy: the buffer is written over.
        self.kept = rows[:, :, top - self._top :].clone(memory_format=torch.channels_last)
        made = done - self._done
        if made:
            out = begin - (self._done - self._top)
            self._block(rows, target[:, :, out : out + rows.shape[2]])
        self._top, self._done = top, done
        return made


class LevelFeatures(Protocol):
    """The features of both frames at one level of the pyramid, which is ``grid`` in size."""

    grid: Grid

    def rows(self, rect: Rect) -> Tensor:
        """Return the pixels ``rect``: [2, C, rect.height, rect.width]."""

    def warped(self, frame: int, flow: Tensor, rect: Rect) -> Tensor:
        """Read the features of one frame at x + flow.

        Args:
            frame: 0 or 1.
            flow: [1, 2, rect.height, rect.width], pixels of the level, order (x, y).
            rect: The pixels x.

        Returns:
            [1, C, rect.height, rect.width].
        """


class WholeFeatures:
    """Features that lie in memory: [2, C, H, W]."""

    def __init__(self, maps: Tensor) -> None:
        self._maps = maps
        self.grid = Grid(maps.shape[3], maps.shape[2])
        self.columns = 0, self.grid.width

    def keep_newest(self) -> None:
        """Do nothing: all rows are kept."""

    def rows(self, rect: Rect) -> Tensor:
        """Return the pixels ``rect``."""
        return self._maps[:, :, rect.y : rect.bottom, rect.x : rect.right]

    def warped(self, frame: int, flow: Tensor, rect: Rect) -> Tensor:
        """Read the features of one frame at x + flow."""
        return warp(self._maps[frame : frame + 1], flow, Placement(self.grid.rect, rect, self.grid))


class FeatureRows:
    """Features that are computed when they are read, in groups of rows, some of which are kept."""

    def __init__(
        self, compute: Callable[[int, int], Tensor], grid: Grid, columns: tuple[int, int], *, group: int, most_rows: int
    ) -> None:
        """Compute nothing yet.

        Args:
            compute: Returns the features of the rows ``top`` ... ``bottom`` - 1 and of ``columns``, [2, C, h, w].
            grid: The size of the level.
            columns: (left, right), from the left one up to the right one - 1.
            group: Rows that are computed at a time.
            most_rows: Rows that may be kept, at least a few groups.
        """
        self._compute, self.grid, self._group = compute, grid, group
        self.columns = self._left, self._right = columns
        self._most = max(4, most_rows // group)
        self._kept: dict[int, Tensor] = {}
        self._keeps_first = True

    def keep_newest(self) -> None:
        """Keep the newest rows from now on; until then those at the top, which are read again later."""
        self._keeps_first = False

    def rows(self, rect: Rect) -> Tensor:
        """Return the pixels ``rect``, which lie in the columns."""
        return self._read(rect.y, rect.bottom)[:, :, :, rect.x - self._left : rect.right - self._left]

    def warped(self, frame: int, flow: Tensor, rect: Rect) -> Tensor:
        """Read the features of one frame at x + flow, which must lie in the columns or outside the frame."""
        y = positions_along(flow, rect.x, rect.y)[1].nan_to_num_()
        y = y.clamp_(0, self.grid.height - 1)
        first, last = (int(edge) for edge in torch.stack(torch.aminmax(y)).tolist())
        step = max(1, self._most - 3) * self._group
        parts = [(top, min(top + step, last + 1)) for top in range(first, last + 1, step)]
        out: Tensor | None = None
        for top, end in parts:
            bottom = min(self.grid.height, end + 1)
            part = Rect.from_edges(self._left, top, self._right, bottom)
            image = self._read(top, bottom)[frame : frame + 1]
            sampled = warp(image, flow, Placement(part, rect, self.grid))
            out = sampled if out is None else torch.where((y >= top)[:, None], sampled, out)
        assert out is not None
        return out

    def _read(self, top: int, bottom: int) -> Tensor:
        size = self._group
        groups = range(top // size, (bottom - 1) // size + 1)
        found = [self._group_rows(number, groups) for number in groups]
        first = top - groups[0] * size
        if len(found) == 1:
            return found[0][:, :, first : first + bottom - top]
        shape = (*found[0].shape[:2], bottom - top, self._right - self._left)
        out = torch.empty(shape, dtype=found[0].dtype, device=found[0].device, memory_format=torch.channels_last)
        at = 0
        for one in found:
            part = one[:, :, first : first + bottom - top - at]
            out[:, :, at : at + part.shape[2]] = part
            at, first = at + part.shape[2], 0
        return out

    def _group_rows(self, number: int, needed: range) -> Tensor:
        found = self._kept.get(number)
        if found is None:
            while len(self._kept) >= self._most:
                others = [one for one in self._kept if one not in needed]
                if not others:
                    break
                del self._kept[max(others) if self._keeps_first else min(others)]
            found = self._kept[number] = self._computed(number).clone(memory_format=torch.channels_last)
        return found

    def _computed(self, number: int) -> Tensor:
        """Compute the rows of a group."""
        top = number * self._group
        return self._compute(top, min(top + self._group, self.grid.height))
