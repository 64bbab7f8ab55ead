"""Parts of an encoder that works in bands of rows: layers that are given a map band by band, and maps read by warps.

A convolution of a band needs the rows around it. A :class:`BandLayer` keeps the last rows of what it was given, so
hardly a row is computed twice in a chain of layers. Results equal those of the whole map; on a CPU to the bit, because
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


class BandLayer:
    """A layer, or a block of layers, whose input comes from the top to the bottom in bands of rows."""

    def __init__(self, layer: Callable[..., Tensor], halo: int) -> None:
        """Wrap ``layer``, which maps [1, C, h, W] to [1, D, h, W]; a row depends on ``halo`` rows above and below."""
        self._layer, self._halo = layer, halo
        self._kept: list[Tensor] = []
        self._top = self._done = 0

    def push(self, maps: Sequence[Tensor], *, is_last: bool) -> Tensor:
        """Take the next rows; return the output rows that are determined now and were not before.

        Args:
            maps: The layer's arguments: [1, C, n, W] each, n >= 0.
            is_last: These rows reach the bottom of the map.
        """
        if not maps[0].shape[2] and not is_last:
            return maps[0]
        halo = self._halo
        inputs = [stacked(both) for both in zip(self._kept, maps, strict=True)] if self._kept else list(maps)
        top, rows = self._top, inputs[0].shape[2]
        least = 1 + LEAST_ELEMENTS // min(one.shape[1] * one.shape[3] for one in inputs)
        if rows < least and not is_last:
            self._kept = [one.clone(memory_format=torch.channels_last) for one in inputs]
            return maps[0][:, :, :0]
        end = max(self._done, top + rows - (0 if is_last else halo))
        out = self._layer(*inputs)[:, :, self._done - top : end - top]
        self._done, self._top = end, max(0, min(end - halo, top + rows - least))
        # Copies: a view would keep all of its band in memory.
        self._kept = [one[:, :, self._top - top :].clone(memory_format=torch.channels_last) for one in inputs]
        return out


def stacked(parts: Sequence[Tensor]) -> Tensor:
    """Concatenate the rows of maps [B, C, h, W], in the channels-last memory format; of one map, return it."""
    if len(parts) == 1:
        return parts[0]
    first, rows = parts[0], sum(part.shape[2] for part in parts)
    shape = (*first.shape[:2], rows, first.shape[3])
    out = torch.empty(shape, dtype=first.dtype, device=first.device, memory_format=torch.channels_last)
    top = 0
    for part in parts:
        out[:, :, top : top + part.shape[2]] = part
        top += part.shape[2]
    return out


class LevelFeatures(Protocol):
    """The features of both frames at one level of the pyramid."""

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
        self._grid = Grid(maps.shape[3], maps.shape[2])
        self.columns = 0, self._grid.width

    def keep_newest(self) -> None:
        """Do nothing: all rows are kept."""

    def rows(self, rect: Rect) -> Tensor:
        """Return the pixels ``rect``."""
        return self._maps[:, :, rect.y : rect.bottom, rect.x : rect.right]

    def warped(self, frame: int, flow: Tensor, rect: Rect) -> Tensor:
        """Read the features of one frame at x + flow."""
        return warp(self._maps[frame : frame + 1], flow, Placement(self._grid.rect, rect, self._grid))


class FeatureRows:
    """Features that are computed when they are read, in groups of rows, some of which are kept.

    Columns ``left`` ... ``right`` - 1 are computed from those columns of the frames alone.
    """

    def __init__(
        self, compute: Callable[[Tensor], Tensor], frames: Tensor, columns: tuple[int, int], *,
        halo: int, group: int, most_rows: int,
    ) -> None:  # fmt: skip
        """Compute nothing yet.

        Args:
            compute: Maps frames [2, 3, h, w] to features [2, C, h, w]; a row depends on ``halo`` rows above and below.
            frames: [1, 2, 3, H, W].
            columns: (left, right).
            halo: See ``compute``.
            group: Rows that are computed at a time.
            most_rows: Rows that may be kept, at least a few groups.
        """
        self._compute, self._frames, self._halo, self._group = compute, frames[0], halo, group
        self.columns = self._left, self._right = columns
        self._grid = Grid(frames.shape[4], frames.shape[3])
        self._most = max(4, most_rows // group)
        self._kept: dict[int, Tensor] = {}
        self._keeps_first = True

    def keep_newest(self) -> None:
        """Keep the newest rows from now on; until then those at the top, which are read again later."""
        self._keeps_first = False

    def all(self, check: Callable[[], None]) -> Tensor:
        """Compute the columns of the whole frames, [2, C, H, W], and keep nothing; call ``check`` between groups."""
        out: Tensor | None = None
        for number in range(-(-self._grid.height // self._group)):
            check()
            rows = self._computed(number)
            if out is None:
                shape = (*rows.shape[:2], self._grid.height, rows.shape[3])
                out = torch.empty(shape, dtype=rows.dtype, device=rows.device, memory_format=torch.channels_last)
            top = number * self._group
            out[:, :, top : top + rows.shape[2]] = rows
        assert out is not None
        return out

    def rows(self, rect: Rect) -> Tensor:
        """Return the pixels ``rect``, which lie in the columns."""
        return self._read(rect.y, rect.bottom)[:, :, :, rect.x - self._left : rect.right - self._left]

    def warped(self, frame: int, flow: Tensor, rect: Rect) -> Tensor:
        """Read the features of one frame at x + flow, which must lie in the columns or outside the frame."""
        y = positions_along(flow, rect.x, rect.y)[1].nan_to_num_()
        y = y.clamp_(0, self._grid.height - 1)
        first, last = (int(edge) for edge in torch.stack(torch.aminmax(y)).tolist())
        step = max(1, self._most - 3) * self._group
        parts = [(top, min(top + step, last + 1)) for top in range(first, last + 1, step)]
        out: Tensor | None = None
        for top, end in parts:
            bottom = min(self._grid.height, end + 1)
            part = Rect.from_edges(self._left, top, self._right, bottom)
            image = self._read(top, bottom)[frame : frame + 1]
            sampled = warp(image, flow, Placement(part, rect, self._grid))
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
        top, bottom = number * self._group, min((number + 1) * self._group, self._grid.height)
        low, high = max(0, top - self._halo), min(self._grid.height, bottom + self._halo)
        whole = self._compute(self._frames[:, :, low:high, self._left : self._right])
        return whole[:, :, top - low : bottom - low]
