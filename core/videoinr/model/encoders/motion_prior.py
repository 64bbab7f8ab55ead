"""The motion-prior encoder: a coarse-to-fine search for the motion at mid-time, and a feature fused along it.

It takes the place of the paper's encoder, Zooming SlowMo (section 3), and gives the heads one map more: the motion
prior, which is the flow from mid-time to each frame. TemporalINR then only has to correct it.

The names of submodules are part of the format of weights files.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from videoinr.model.config import MotionPriorConfig
from videoinr.model.encoders.motion_step import Halve, MotionStep, limited, matching_step
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour, Outer, PathBend, halved, with_bend
from videoinr.model.layers import LEAK, ExactConv, ResidualBlock, conv
from videoinr.model.maps import downsampled
from videoinr.model.ops import convolve, propagated, resize, warp

FrameFeatures = Callable[[Tensor], Tensor]
"""Maps frames [N, 3, h, w] to their finest features [N, C, h, w]; see :meth:`MotionPriorEncoder.frame_features`."""
STRIDE_LEVELS = 2
"""Levels from one size of the frames to the next smaller size, in a search deeper than the levels with weights."""

LEVELS_BELOW_MATCHING = 2
"""Levels of the search that are coarser than the one at which motion is matched, if that is not one of the two finest.
The coarsest has about ``coarsest_lines`` lines, so that this one has about four times as many."""


class MotionPriorEncoder(nn.Module):
    """Computes a latent feature and, as a motion prior, the flows from mid-time to both frames."""

    def __init__(self, config: MotionPriorConfig) -> None:
        super().__init__()
        channels, hidden, out = config.frame_channels, config.motion_channels, config.feature_channels
        self.first = ExactConv(3, channels)
        self.front = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.front_blocks)))
        self.halves = nn.ModuleList(Halve(channels) for _ in range(config.levels - 1))
        self.motion = nn.ModuleList(MotionStep(channels, hidden, config.flow_limit) for _ in range(config.levels))
        self.fuse = conv(4 * channels + hidden + 4, out)
        self.trunk = nn.Sequential(*(ResidualBlock(out) for _ in range(config.trunk_blocks)))
        self.bend = PathBend(config) if config.bend_channels else None
        self.config = config

    def forward(
        self, frames: Tensor, depth: int | None = None, frame_features: FrameFeatures | None = None,
        coarse: CoarseSearch | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Encode pairs of frames.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1, any H and W.
            depth: Levels of the search, at least the config's ``levels``; None: as the config says for this size.
            frame_features: Computes, or remembers, what :meth:`frame_features` does; None: that method.
            coarse: What :meth:`search` found for these frames, if it was called before.

        Returns:
            The feature [B, C, H, W] and the motion prior [B, 4, H, W]: the flow (x, y) from mid-time to the first
            frame, then to the second, in latent pixels.
        """
        compute = frame_features or self.frame_features
        if coarse is None:
            finest, flow, hidden = self._searched(frames, depth, compute)
        else:
            finest = self._pyramid(frames, 1, compute)[0]
            ended = self._refined(0, finest, coarse)
            flow, hidden = ended.flow, ended.hidden
        first, second = finest[:, 0], finest[:, 1]
        warped = warp(first, flow[:, :2]), warp(second, flow[:, 2:])
        maps = (first, *warped, second, hidden, limited(flow, self.config.flow_limit))
        return self.trunk(convolve(self.fuse, *maps)), flow

    def outline(
        self, frames: Tensor, depth: int | None = None, frame_features: FrameFeatures | None = None
    ) -> CoarseSearch:
        """Search for the motion of pairs of frames on all levels but the two finest; arguments as for :meth:`forward`.

        Returns:
            Maps of a quarter of the frames' size; with fewer than three levels, zeros of half of it.
        """
        depth, compute = depth or self.config.depth(*frames.shape[-2:]), frame_features or self.frame_features
        own = self.own_levels(depth)
        if own == 1:
            small = downsampled(frames, 2)
            levels = self._pyramid(small, self.own_levels(depth - 1), compute)
            return CoarseSearch(*self._search(small, levels, depth - 1, fine=1, compute=compute, last=1))
        if own == 2:
            size = (-(-frames.shape[-2] // 2), -(-frames.shape[-1] // 2))
            dtype = frames.dtype if frames.is_floating_point() else torch.float32
            return CoarseSearch(*self.start(frames, 2, depth, size, dtype, compute=compute))
        levels = self._pyramid(frames, own, compute)
        return CoarseSearch(*self._search(frames, levels, depth, fine=depth, compute=compute, last=2))

    def search(
        self, frames: Tensor, depth: int | None = None, frame_features: FrameFeatures | None = None,
        outline: CoarseSearch | None = None,
    ) -> CoarseSearch:  # fmt: skip
        """Search for the motion of pairs of frames on all levels but the finest.

        Args:
            frames, depth, frame_features: as for :meth:`forward`.
            outline: What :meth:`outline` found for these frames, if it was called before.

        Returns:
            Maps of half of the frames' size.
        """
        depth, compute = depth or self.config.depth(*frames.shape[-2:]), frame_features or self.frame_features
        outline = outline or self.outline(frames, depth, compute)
        if self.own_levels(depth) == 1:  # The level lies in frames of half the size.
            return self._refined(0, self._pyramid(downsampled(frames, 2), 1, compute)[0], outline)
        return self._refined(1, self._pyramid(frames, 2, compute)[1], outline)

    def bent(
        self, frames: Tensor, inner: CoarseSearch, before: Neighbour | None, after: Neighbour | None
    ) -> Tensor | None:
        """Compute how the paths of pairs of frames bend: see :meth:`PathBend.forward`.

        Returns:
            float32 [B, 4, h, w]; None if there are no neighbours, or the model's paths are straight.
        """
        if self.bend is None or (before is None and after is None):
            return None
        bend: Tensor = self.bend(frames, inner, before, after)
        return bend

    def encode_beside(
        self, frames: Tensor, outer: Outer, depth: int | None = None, frame_features: FrameFeatures | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode pairs as :meth:`forward` does, with paths that bend as the frames beside them say.

        The searches of the outer pairs pass no gradient on: each is some other pair's own.

        Args:
            frames, depth, frame_features: as for :meth:`forward`.
            outer: The frames beside the pairs.

        Returns:
            The feature [B, C, H, W] and the motion prior: [B, 8, H, W] if paths bend, the last four as
            :meth:`PathBend.forward` gives them, otherwise [B, 4, H, W].
        """
        sides: list[Neighbour | None] = []  # list[...]() would break torch.compile's graph.
        for number, frame in enumerate((outer.before, outer.after)):
            if frame is None or self.bend is None:
                sides.append(None)
                continue
            both = (frames[:, 1], frame) if number else (frame, frames[:, 0])
            flow = self.outline(torch.stack(both, 1), depth).flow.detach()
            valid = None if outer.valid is None else outer.valid[:, number].view(-1, 1, 1, 1)
            sides.append(Neighbour(halved(frame), flow, outer.spans[number], valid))
        return self.encode_bent(frames, None, sides[0], sides[1], depth, frame_features)

    def encode_bent(
        self, frames: Tensor, outline: CoarseSearch | None, before: Neighbour | None, after: Neighbour | None,
        depth: int | None = None, frame_features: FrameFeatures | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Encode pairs as :meth:`encode_beside` does, from searches of the outer pairs.

        Args:
            frames, depth, frame_features: as for :meth:`forward`.
            outline: What :meth:`outline` found for these frames, if it was called before.
            before, after: as for :meth:`bent`.

        Returns:
            As :meth:`encode_beside`.
        """
        compute, size = frame_features or self.frame_features, frames.shape[-2:]
        finest = compute(frames.flatten(0, 1))  # They serve the search and the fusion.
        known = lambda images: finest if images.shape[-2:] == size else compute(images)  # noqa: E731
        coarse = self.search(frames, depth, known, outline)
        bend = self.bent(frames, coarse, before, after)
        feature, prior = self.forward(frames, depth, known, coarse)
        return feature, with_bend(prior, bend)

    def flows(self, frames: Tensor) -> Tensor:
        """Compute the motion prior of pairs of frames [B, 2, 3, H, W] alone, as :meth:`forward` does: [B, 4, H, W]."""
        return self._searched(frames, None, self.frame_features)[1]

    def _searched(self, frames: Tensor, depth: int | None, compute: FrameFeatures) -> tuple[Tensor, Tensor, Tensor]:
        """Return the finest features of both frames [B, 2, C, H, W], the flow and the hidden map."""
        depth = depth or self.config.depth(frames.shape[-2], frames.shape[-1])
        levels = self._pyramid(frames, self.own_levels(depth), compute)
        return (levels[0], *self._search(frames, levels, depth, fine=depth, compute=compute))

    def matched_step(self, number: int, frames: Tensor, level: Tensor, coarse: CoarseSearch) -> CoarseSearch:
        """Do step ``number``, with matching, on the features [B, 2, C, h, w] of its level in ``frames``."""
        flow, hidden = _entering(coarse, level)
        step, small = self.motion[number], downsampled(frames, 2**number)
        assert isinstance(step, MotionStep)
        return CoarseSearch(*matching_step(step, level, small, flow, hidden, self.config.match_radius))

    def _refined(self, number: int, level: Tensor, coarse: CoarseSearch) -> CoarseSearch:
        """Do step ``number`` of the search on the features [B, 2, C, H, W] of its level, from the level below it."""
        flow, hidden = _entering(coarse, level)
        return CoarseSearch(*self.motion[number](level[:, 0], level[:, 1], flow, hidden.to(level.dtype)))

    def frame_features(self, frames: Tensor) -> Tensor:
        """Compute the finest features of each frame: [N, 3, h, w] in 0 ... 1 to [N, C, h, w]."""
        out: Tensor = self.front(convolve(self.first, frames, slope=LEAK))
        return out

    def own_levels(self, depth: int) -> int:
        """Return the number of levels, of a search of ``depth``, that lie in the frames at their own size.

        These are all levels if each has weights of its own. A deeper search has its two finest levels there (one if
        only one is left). Its other levels are a search in downsampled frames, with the same weights.
        """
        extra = depth - len(self.motion)
        return len(self.motion) if extra == 0 else min(extra, STRIDE_LEVELS, len(self.motion))

    def products(self, height: int, width: int, depth: int) -> int:
        """Return the products of the convolutions for frames of ``height`` x ``width``, of a search of ``depth``."""
        own, area = self.own_levels(depth), height * width
        total = area * (2 * _weights(self.first, self.front) + _weights(self.fuse, self.trunk))
        return total + self._search_products(area, own, depth, STRIDE_LEVELS)

    def outline_products(self, height: int, width: int, depth: int) -> int:
        """Return the products of :meth:`outline`, where one of the two frames has its finest features already."""
        own, area = self.own_levels(depth), height * width
        if own > STRIDE_LEVELS:
            steps = area * _weights(self.motion[0]) + area // 4 * _weights(self.motion[1])
            return (
                area * _weights(self.first, self.front) + self._search_products(area, own, depth, STRIDE_LEVELS) - steps
            )
        small, coarser = area >> 2 * own, depth - own
        if not coarser:
            return 0
        last_step = small * _weights(self.motion[0]) if own == 1 else 0
        front = 2 * small * _weights(self.first, self.front)
        return front + self._search_products(small, self.own_levels(coarser), coarser, STRIDE_LEVELS - own) - last_step

    def _search_products(self, area: int, own: int, depth: int, fine: int) -> int:
        levels = [area >> 2 * level for level in range(own)]
        total = sum(size * _weights(step) for size, step in zip(levels, self.motion, strict=False))
        total += sum(2 * size * _weights(halve) for size, halve in zip(levels[1:], self.halves, strict=False))
        number = self.matching_level(depth, fine)
        if number is not None and number < own:  # Its step is done twice.
            total += levels[number] * _weights(self.motion[number])
        if depth == own:
            return total
        small, coarser = area >> 2 * own, depth - own
        total += 2 * small * _weights(self.first, self.front)
        return total + self._search_products(small, self.own_levels(coarser), coarser, max(0, fine - own))

    def _pyramid(self, frames: Tensor, count: int, compute: FrameFeatures) -> list[Tensor]:
        """Compute the features of both frames at ``count`` levels, fine to coarse, each [B, 2, C, h, w]."""
        maps = [compute(frames.flatten(0, 1))]
        for halve in list(self.halves)[: count - 1]:
            maps.append(halve(maps[-1]))
        return [level.view(len(frames), 2, *level.shape[1:]) for level in maps]

    def _search(
        self, frames: Tensor, levels: list[Tensor], depth: int, *, fine: int, compute: FrameFeatures, last: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Search from the coarsest level to the finest.

        Args:
            frames: The frames that ``levels`` were computed from, [B, 2, 3, H, W].
            levels: Features of both frames, fine to coarse.
            depth: Levels of the whole search, at least as many as ``levels``.
            fine: Number of the finest levels without propagation.
            compute: Computes the finest features of downsampled frames.
            last: The level to end with.

        Returns:
            The flow and the hidden map at level ``last``.
        """
        coarsest, distances = levels[-1], self.config.propagation
        size = (coarsest.shape[-2], coarsest.shape[-1])
        fewer = min(fine, STRIDE_LEVELS)
        flow, hidden = self.start(frames, len(levels), depth, size, coarsest.dtype, fine=fewer, compute=compute)
        for number, step, level in reversed(list(zip(range(len(levels)), self.motion, levels, strict=False))[last:]):
            size = (level.shape[-2], level.shape[-1])
            if flow.shape[-2:] != size:
                flow, hidden = resize(flow, size, gain=2), resize(hidden, size)
                if distances and number >= fine:
                    flow = propagated(level[:, 0], level[:, 1], flow, distances)
            if number == self.matching_level(depth, fewer):
                found = self.matched_step(number, frames, level, CoarseSearch(flow, hidden))
                flow, hidden = found.flow, found.hidden
            else:
                flow, hidden = step(level[:, 0], level[:, 1], flow, hidden)
        return flow, hidden

    def matching_level(self, depth: int, fine: int = STRIDE_LEVELS) -> int | None:
        """Return the level, of a search of ``depth``, on which motion is matched; None: on none.

        ``fine``: number of the finest levels that are left out.
        """
        return max(depth - 1 - LEVELS_BELOW_MATCHING, fine) if self.config.match_radius else None

    def start(
        self, frames: Tensor, count: int, depth: int, size: tuple[int, int], dtype: torch.dtype,
        *, fine: int = STRIDE_LEVELS, compute: FrameFeatures | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return the flow and the hidden map from which the coarsest of ``count`` levels of ``frames`` starts.

        Args:
            frames: [B, 2, 3, H, W].
            count: Levels that lie in these frames at their own size.
            depth: Levels of the whole search, at least ``count``.
            size: (height, width) of the coarsest of the levels.
            dtype: The type of the features.
            fine: Number of the finest levels, those of ``frames`` included, without propagation in smaller frames.
                Sampling costs the same per point at every level, so that only levels of few points have candidates.
            compute: Computes the finest features of the downsampled frames; None: :meth:`frame_features`.

        Returns:
            Zeros of ``size`` if there are no levels beyond ``count``; otherwise the finest maps of the search in
            downsampled frames, of half that size.
        """
        if depth == count:
            flow = frames.new_zeros((len(frames), 4, *size), dtype=torch.float32)
            return flow, frames.new_zeros((len(frames), self.config.motion_channels, *size), dtype=dtype)
        small, coarser = downsampled(frames, 2**count), depth - count
        compute = compute or self.frame_features
        smaller = self._pyramid(small, self.own_levels(coarser), compute)
        return self._search(small, smaller, coarser, fine=max(0, fine - count), compute=compute)


def _entering(coarse: CoarseSearch, level: Tensor) -> tuple[Tensor, Tensor]:
    """Return a search's flow and hidden map in the size of ``level`` [B, 2, C, h, w], twice as large or the same."""
    size = (level.shape[-2], level.shape[-1])
    if coarse.flow.shape[-2:] == size:
        return coarse.flow, coarse.hidden
    return resize(coarse.flow, size, gain=2), resize(coarse.hidden, size)


def _weights(*modules: nn.Module) -> int:
    """Return the number of weights of the convolutions in ``modules``: the products for one pixel."""
    layers = (layer for module in modules for layer in module.modules() if isinstance(layer, nn.Conv2d))
    return sum(int(layer.weight.numel()) for layer in layers)
