"""The motion-prior encoder in bands of rows: bounded memory, any part of the frame, the same numbers.

Most of the work and nearly all of the memory belong to the finest level. So the search runs on whole frames up to the
level below it (:class:`CoarseSearch`, some 10 % of the products), and the finest level is computed for the pixels that
are asked for, band by band (:meth:`BandEncoder.encode`). A pixel needs a halo of the pixels around it, and the features
of both frames where its flow leads.

On a CPU the results are those of :meth:`MotionPriorEncoder.forward` to the bit, whatever the bands and the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from videoinr.geometry import Grid, Rect
from videoinr.images import tensor_from_planes
from videoinr.model.config import MotionPriorConfig
from videoinr.model.encoders.motion_prior import STRIDE_LEVELS, MotionPriorEncoder
from videoinr.model.encoders.motion_step import STEP_HALO, Halve, MotionStep, limited
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.encoders.row_bands import FeatureRows, LevelFeatures, RollingBlocks, WholeFeatures
from videoinr.model.layers import LEAK
from videoinr.model.ops import convolve, has_kernels, resize

_FLOW_SLACK = 8
"""Pixels by which the finest step may lengthen a flow before a part is computed again with a wider margin."""
_LEAST_ROWS = 8
_BLOCK_MAPS, _PLAIN_BLOCK_MAPS = 3, 6
"""Maps of a band that residual blocks need at a time: two buffers, and the map between two convolutions; where torch
convolves, also the result of a convolution before it is added, and what its library works with."""
_MOST_BAND_PX, _MOST_BLOCK_PX = 2**20, 2**21
"""Pixels of a band, and of what residual blocks are given at a time: more would hardly be faster."""


@dataclass(frozen=True, slots=True)
class BandLimits:
    """Bytes that encoding may take at a time.

    Attributes:
        work: Intermediate maps of a band.
        kept: The finest features of both frames, kept from one use to the next.
        value: Bytes of one number in these maps: 4, or 2 in half precision.
        whole: Compute the finest features of the whole frames at once if they fit into ``kept``. No rows of them are
            copied or computed twice then, and no reach of a flow is waited for, which would stop a GPU at every band.
    """

    work: int
    kept: int
    value: int = 4
    whole: bool = False

    def halved(self) -> BandLimits:
        """Return half of the memory."""
        return replace(self, work=self.work // 2, kept=self.kept // 2)


@dataclass(frozen=True, eq=False)
class EncodedPart:
    """The pixels ``rect`` of the latent feature [1, h, w, C] and of the prior [1, h, w, 4 or 8] (latent pixels)."""

    rect: Rect
    feature: Tensor
    prior: Tensor


class _TooNarrowError(Exception):
    """A flow leads beyond the columns whose features were computed."""


class BandEncoder:
    """Encodes one pair of frames in bands."""

    def __init__(
        self, encoder: MotionPriorEncoder, frames: Tensor, depth: int, limits: BandLimits,
        check: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Compute nothing yet.

        Args:
            encoder: The encoder; its precision is that of the surrounding autocast.
            frames: [1, 2, 3, H, W], float32 in 0 ... 1 or uint8, which becomes floats part by part.
            depth: Levels of the search.
            limits: The memory to use.
            check: Called between bands; what it raises ends the work.
        """
        self._encoder, self._frames, self._depth, self._limits, self._check = encoder, frames, depth, limits, check
        self._config: MotionPriorConfig = encoder.config
        self._grid = Grid(frames.shape[-1], frames.shape[-2])
        self._finest: FeatureRows | WholeFeatures | None = None

    def outline(self) -> CoarseSearch:
        """Search on all levels but the two finest."""
        encoder, own = self._encoder, self._encoder.own_levels(self._depth)
        if own <= STRIDE_LEVELS:  # It lies in downsampled frames.
            return encoder.outline(self._frames, self._depth)
        levels = [self._level_below(self._grid_below.rect)]
        for halve in list(encoder.halves)[1 : own - 1]:
            levels.append(halve(levels[-1]))
        height, width = levels[-1].shape[-2:]
        state = CoarseSearch(*encoder.start(self._frames, own, self._depth, (height, width), levels[-1].dtype))
        for number in reversed(range(STRIDE_LEVELS, own)):
            step, level = encoder.motion[number], levels[number - 1]
            assert isinstance(step, MotionStep)
            if number == encoder.matching_level(own, STRIDE_LEVELS):
                state = encoder.matched_step(number, self._frames, level[None], state)
                continue
            state = self._refined(step, WholeFeatures(level), state)
        return state

    def search(self, outline: CoarseSearch | None = None) -> CoarseSearch:
        """Search on all levels but the finest; ``outline``: what :meth:`outline` found for these frames, if known."""
        outline = outline or self.outline()
        if self._encoder.own_levels(self._depth) == 1:
            return self._encoder.search(self._frames, self._depth, outline=outline)
        step = self._encoder.motion[1]
        assert isinstance(step, MotionStep)
        return self._refined(step, self._features_below(), outline)

    def encode(self, coarse: CoarseSearch, rect: Rect, dtype: torch.dtype, *, halo: bool = True) -> EncodedPart:
        """Compute the pixels ``rect`` of the latent feature and of the prior.

        Args:
            coarse: What :meth:`search` returned for these frames.
            rect: Pixels of the frame.
            dtype: The type of the feature.
            halo: Compute what the pixels at the edges of ``rect`` depend on, too. Otherwise they are as if the finest
                level ended there: about a third of the work less for a rectangle of 150 x 100, and not exact.
        """
        slack = _FLOW_SLACK
        while True:
            try:
                return self._encode(coarse, rect, dtype, slack, halo=halo)
            except _TooNarrowError:
                self._finest = None
                slack = 4 * slack

    def _encode(self, coarse: CoarseSearch, rect: Rect, dtype: torch.dtype, slack: int, *, halo: bool) -> EncodedPart:
        encoder, shape = self._encoder, (1, rect.height, rect.width)
        feature = self._frames.new_empty((*shape, self._config.feature_channels), dtype=dtype)
        prior = self._frames.new_empty((*shape, 4), dtype=torch.float32)
        out = EncodedPart(rect, feature, prior)
        trunk_halo = 2 * self._config.trunk_blocks + 1 if halo else 0
        window = rect.widened(trunk_halo + STEP_HALO if halo else 0, self._grid)
        features = self._features_for(coarse, window, slack)
        features.keep_newest()
        step = encoder.motion[0]
        assert isinstance(step, MotionStep)
        state = _Entering(coarse.flow, coarse.hidden, self._grid)
        trunk = RollingBlocks(list(encoder.trunk), self._block_rows(window.width, feature.shape[3]), self._check)
        done, needed = window.y, rect.widened(trunk_halo, self._grid)
        for band in self._bands(window):
            self._check()
            # One row more on either side, where there is one, for the convolution that fuses the maps.
            above, below = int(band.y > window.y), int(band.bottom < window.bottom)
            wide = Rect.from_edges(band.x, band.y - above, band.right, band.bottom + below)
            flow, hidden = _step_rows(step, features, state, wide, self._grid)
            _copy_rows(prior, flow, rect, wide)
            self._check_reach(features, flow, wide, needed)
            warped = features.warped(0, flow[:, :2], wide), features.warped(1, flow[:, 2:], wide)
            both = features.rows(wide)
            fused = convolve(encoder.fuse, both[:1], *warped, both[1:], hidden, limited(flow, self._config.flow_limit))
            del warped, hidden
            fused = fused[:, :, above : above + band.height]
            rows = trunk.push(fused, is_last=band.bottom == window.bottom)
            if rows is not None:
                _copy_rows(feature, rows, rect, Rect(window.x, done, window.width, rows.shape[2]))
                done += rows.shape[2]
        return out

    def _columns(self, coarse: CoarseSearch, window: Rect, slack: int) -> tuple[int, int]:
        """Return the columns of the frame from which the features for ``window`` are computed."""
        width, ratio = self._grid.width, coarse.flow.shape[3] / self._grid.width
        left, right = int(window.x * ratio) - 1, int(window.right * ratio) + 2
        rows = coarse.flow.shape[2] / self._grid.height
        top, bottom = int(window.y * rows) - 1, int(window.bottom * rows) + 2
        across = coarse.flow[:, ::2, max(0, top) : bottom, max(0, left) : right].nan_to_num() / ratio
        low, high = (float(edge) for edge in torch.aminmax(across))
        margin = self._front_halo + 2 + slack
        first, last = window.x + min(0, int(low)) - margin, window.right + max(0, int(high)) + margin
        first, last = max(0, first), min(width, last)
        return (first, last) if last - first < 0.8 * width else (0, width)

    def _check_reach(self, features: FeatureRows | WholeFeatures, flow: Tensor, band: Rect, needed: Rect) -> None:
        """Raise _TooNarrowError if the flow of pixels in ``needed`` leads where the features are not exact."""
        (left, right), halo, width = features.columns, self._front_halo, self._grid.width
        if (left, right) == (0, width):
            return
        columns = slice(max(0, needed.x - band.x), needed.right - band.x)
        x = torch.arange(band.x, band.right, device=flow.device)[columns] + flow[:, ::2, :, columns].nan_to_num()
        low, high = (float(edge) for edge in torch.aminmax(x))
        if (left > 0 and low < left + halo) or (right < width and high > right - halo - 2):
            raise _TooNarrowError

    @property
    def _front_halo(self) -> int:
        return 1 + 2 * self._config.front_blocks

    def _features_for(self, coarse: CoarseSearch, window: Rect, slack: int) -> FeatureRows | WholeFeatures:
        """Return the finest features of what the pixels of ``window`` read."""
        if isinstance(self._finest, WholeFeatures):
            return self._finest
        return self._finest_features(*self._columns(coarse, window, slack))

    def _finest_features(self, left: int, right: int) -> FeatureRows | WholeFeatures:
        """Return the finest features of some columns, or of all; those of the last call if they serve."""
        limits, whole = self._limits, self._grid.width
        if isinstance(self._finest, WholeFeatures):
            return self._finest
        row_bytes = 2 * self._config.frame_channels * whole * limits.value
        if limits.whole and row_bytes * self._grid.height <= limits.kept:
            self._finest = WholeFeatures(self._all_features())
        elif self._finest is None or self._finest.columns != (left, right):
            row_bytes = row_bytes // whole * (right - left)
            group = max(_LEAST_ROWS, min(64, limits.work // (5 * row_bytes)) // 2 * 2)
            # No method of this object, which would be a cycle of references: its maps would stay for a while.
            compute = partial(_finest_rows, self._encoder, self._frames[0, ..., left:right], self._front_halo)
            most = limits.kept // row_bytes
            self._finest = FeatureRows(compute, self._grid, (left, right), group=group, most_rows=most)
        return self._finest

    def _all_features(self) -> Tensor:
        """Compute the finest features of both frames, [2, C, H, W]."""
        encoder, grid, frames = self._encoder, self._grid, self._frames[0]
        height, channels = self._block_rows(grid.width, 2 * self._config.frame_channels), self._config.frame_channels
        fronts = [RollingBlocks(list(encoder.front), height, self._check) for _ in range(2)]
        found: Tensor | None = None
        done = 0
        for top in range(0, grid.height, height):
            bottom = min(grid.height, top + height)
            low = max(0, top - 1)
            both = tensor_from_planes(frames[:, :, low : bottom + 1])
            first = convolve(encoder.first, both, slope=LEAK)[:, :, top - low :]
            if found is None:
                shape, form = (2, channels, grid.height, grid.width), torch.channels_last
                found = torch.empty(shape, dtype=first.dtype, device=first.device, memory_format=form)
            made = [
                front.push(first[number : number + 1, :, : bottom - top], is_last=bottom == grid.height)
                for number, front in enumerate(fronts)
            ]
            rows = 0
            for number, one in enumerate(made):
                if one is not None:
                    rows = one.shape[2]
                    found[number : number + 1, :, done : done + rows] = one
            done += rows
        assert found is not None
        return found

    @property
    def _grid_below(self) -> Grid:
        return Grid(-(-self._grid.width // 2), -(-self._grid.height // 2))

    def _features_below(self) -> LevelFeatures:
        """Return the features of the level below the finest, which the search reads once from the top to the bottom.

        They lie in memory if they fit into what may be kept; otherwise they are computed row by row.
        """
        grid, limits = self._grid_below, self._limits
        row_bytes = 2 * self._config.frame_channels * grid.width * limits.value
        if row_bytes * grid.height <= limits.kept:
            return WholeFeatures(self._level_below(grid.rect))

        def compute(top: int, bottom: int) -> Tensor:
            self._check()
            return self._level_below(Rect.from_edges(0, top, grid.width, bottom))

        group = self._band_rows(grid.width, per_row=2)
        rows = FeatureRows(compute, grid, (0, grid.width), group=group, most_rows=limits.kept // row_bytes)
        rows.keep_newest()
        return rows

    def _level_below(self, rect: Rect) -> Tensor:
        """Compute some rows, ``rect``, of the features of the level below the finest: [2, C, h, ceil(W/2)]."""
        halve, grid, small = self._encoder.halves[0], self._grid, self._grid_below
        finest = self._finest_features(0, grid.width)
        assert isinstance(halve, Halve)
        shape = (2, self._config.frame_channels, rect.height, small.width)
        dtype = finest.rows(Rect(0, 0, 1, 1)).dtype
        out = self._frames.new_empty(shape, dtype=dtype).to(memory_format=torch.channels_last)
        for band in self._bands(rect, per_row=2):
            self._check()
            low, high = max(0, band.y - 2), min(small.height, band.bottom + 2)
            first = max(0, 2 * low - 2)
            rows = finest.rows(Rect.from_edges(0, first, grid.width, min(grid.height, 2 * high)))
            begin, top = band.y - first // 2, band.y - rect.y
            out[:, :, top : top + band.height] = halve(rows)[:, :, begin : begin + band.height]
        return out

    def _refined(self, step: MotionStep, features: LevelFeatures, coarse: CoarseSearch) -> CoarseSearch:
        """Do a step of the search on the features of a whole level, from the level below it."""
        grid, dtype = features.grid, features.rows(Rect(0, 0, 1, 1)).dtype
        state = _Entering(coarse.flow, coarse.hidden.to(dtype), grid)
        flow = coarse.flow.new_empty((1, 4, grid.height, grid.width))
        hidden = flow.new_empty((1, coarse.hidden.shape[1], grid.height, grid.width), dtype=dtype)
        hidden = hidden.to(memory_format=torch.channels_last)
        for band in self._bands(grid.rect):
            self._check()
            rows = slice(band.y, band.bottom)
            flow[:, :, rows], hidden[:, :, rows] = _step_rows(step, features, state, band, grid)
        return CoarseSearch(flow, hidden)

    def _block_rows(self, width: int, channels: int) -> int:
        """Return how many rows of ``width`` pixels to give to residual blocks at a time: a multiple of a band."""
        maps = _BLOCK_MAPS if has_kernels(self._frames) else _PLAIN_BLOCK_MAPS
        row_bytes = maps * channels * self._limits.value * width
        rows, band = min(self._limits.work // row_bytes, _MOST_BLOCK_PX // width), self._band_rows(width)
        return max(_LEAST_ROWS, rows // band * band if rows > band else rows)

    def _bands(self, window: Rect, per_row: int = 1) -> Iterator[Rect]:
        """Split ``window`` into bands whose intermediate maps fit the limit; ``per_row``: rows of the frame in one."""
        count = -(-window.height // self._band_rows(window.width, per_row))
        edges = [window.y + window.height * number // count for number in range(count + 1)]
        for top, bottom in pairwise(edges):
            yield Rect.from_edges(window.x, top, window.right, bottom)

    def _band_rows(self, width: int, per_row: int = 1) -> int:
        config = self._config
        step = 3 * (2 * config.frame_channels + 4 + config.motion_channels) + 4 * config.motion_channels
        fuse = 2 * (4 * config.frame_channels + 4 + config.motion_channels) + 2 * config.feature_channels
        row_bytes = self._limits.value * width * per_row**2 * max(step, fuse)
        return max(_LEAST_ROWS, min(self._limits.work // row_bytes, _MOST_BAND_PX // width + 1))


def _finest_rows(encoder: MotionPriorEncoder, frames: Tensor, halo: int, top: int, bottom: int) -> Tensor:
    """Compute the finest features of the rows ``top`` ... ``bottom`` - 1 of frames [2, 3, H, W]: [2, C, h, W].

    ``halo``: The rows above and below that a row depends on.
    """
    low = max(0, top - halo)
    rows = tensor_from_planes(frames[:, :, low : bottom + halo])
    return encoder.frame_features(rows)[:, :, top - low : bottom - low]


class _Entering:
    """The flow and the hidden map with which a level starts: those of the coarser level, resized part by part."""

    def __init__(self, flow: Tensor, hidden: Tensor, grid: Grid) -> None:
        size = (grid.height, grid.width)
        self._is_same = flow.shape[2:] == size
        # Parts of a map resized by any other factor than 2 would differ from the whole in the last bits.
        if not self._is_same and (2 * flow.shape[2], 2 * flow.shape[3]) != size:
            flow, hidden, self._is_same = resize(flow, size, gain=2), resize(hidden, size), True
        self._flow, self._hidden = flow, hidden

    def part(self, rect: Rect) -> tuple[Tensor, Tensor]:
        """Return the pixels ``rect`` of both maps."""
        if self._is_same:
            rows, columns = rect.slices
            return self._flow[:, :, rows, columns], self._hidden[:, :, rows, columns]
        return _doubled(self._flow, rect, 2), _doubled(self._hidden, rect, 1)


def _doubled(coarse: Tensor, rect: Rect, gain: float) -> Tensor:
    """Return the pixels ``rect`` of ``coarse`` [1, C, h, w] resized to twice its size."""
    height, width = coarse.shape[2:]
    top, bottom = max(0, rect.y // 2 - 1), min(height, (rect.bottom + 1) // 2 + 1)
    rows = resize(coarse[:, :, top:bottom], (2 * (bottom - top), 2 * width), gain=gain)
    return rows[:, :, rect.y - 2 * top : rect.bottom - 2 * top, rect.x : rect.right]


def _step_rows(
    step: MotionStep, features: LevelFeatures, state: _Entering, band: Rect, grid: Grid
) -> tuple[Tensor, Tensor]:
    """Compute the refined flow and hidden map at ``band``, whose columns are those of the window."""
    above, below = min(band.y, STEP_HALO), min(grid.height - band.bottom, STEP_HALO)
    wide = Rect.from_edges(band.x, band.y - above, band.right, band.bottom + below)
    flow, hidden = state.part(wide)
    warped = features.warped(0, flow[:, :2], wide), features.warped(1, flow[:, 2:], wide)
    flow, hidden = step.refine(*warped, flow, hidden)
    rows = slice(above, above + band.height)
    return flow[:, :, rows], hidden[:, :, rows]


def _copy_rows(target: Tensor, rows: Tensor, rect: Rect, band: Rect) -> None:
    """Copy what ``rows`` [1, C, h, w], the pixels ``band``, and ``target`` [1, h, w, C], the pixels ``rect``, share."""
    shared = band.intersection(rect)
    if shared is None:
        return
    to, source = shared.relative_to(rect).slices, shared.relative_to(band).slices
    target[:, to[0], to[1]] = rows[:, :, source[0], source[1]].permute(0, 2, 3, 1)
