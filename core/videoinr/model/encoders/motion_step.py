"""The parts of the motion search: a level of the pyramid, and the step that refines the flows on it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from videoinr.model.layers import LEAK, ExactConv, ResidualBlock, conv
from videoinr.model.matching import is_clearly_better, matched
from videoinr.model.ops import convolve, finish_motion_step, is_on_cpu, warp

STEP_HALO = 4
"""Rows around a pixel that a MotionStep reads: four convolutions."""
WHOLE_PX, BAND_PX = 2**18, 2**17
"""A CPU refines maps of more than WHOLE_PX pixels (whole levels of frames beyond four megapixels, and parts of finer
ones) in equal bands of at most some BAND_PX: the layers of a step take some 1 kB for a pixel."""


class Halve(nn.Module):
    """Downsamples a map to half its size, rounded up: one level of the pyramid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shrink, self.block = conv(channels, channels, stride=2), ResidualBlock(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, H, W] to [B, C, ceil(H/2), ceil(W/2)]."""
        out: Tensor = self.block(convolve(self.shrink, x, slope=LEAK))
        return out


def limited(flow: Tensor, limit: int) -> Tensor:
    """Return ``flow`` as convolutions are told of it: within ``limit`` pixels, 0 for any.

    Flows longer than those in training would make them answer with something that depends on the length alone: with
    the true flow of 40 px to start from, the finest step of a trained ``lite`` moved it by 0.8 px.
    """
    return flow.clamp(-limit, limit) if limit else flow


class MotionStep(nn.Module):
    """Refines both mid-time flows at one level, given the features of both frames warped by them."""

    def __init__(self, channels: int, hidden: int, flow_limit: int = 0) -> None:
        super().__init__()
        self._flow_limit = flow_limit
        self.enter = conv(2 * channels + 4 + hidden, 2 * hidden)
        self.middle = nn.ModuleList((conv(2 * hidden, 2 * hidden), conv(2 * hidden, 2 * hidden)))
        self.leave = ExactConv(2 * hidden, 4 + hidden)
        self.leave.weight.data.mul_(0.1)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, first: Tensor, second: Tensor, flow: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Refine the flows.

        Args:
            first: The first frame's feature [B, C, H, W].
            second: The second frame's feature [B, C, H, W].
            flow: Flow (x, y) to the first frame, then to the second: [B, 4, H, W], pixels of this level.
            hidden: The hidden map of the coarser level, resized: [B, hidden, H, W].

        Returns:
            The refined flow and the hidden map for the next level.
        """
        return self.refine(warp(first, flow[:, :2]), warp(second, flow[:, 2:]), flow, hidden)

    def refine(self, first: Tensor, second: Tensor, flow: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Refine the flows as :meth:`forward` does, given features that are warped by them already."""
        maps, (height, width) = (first, second, flow, hidden), flow.shape[-2:]
        is_traced = torch.is_grad_enabled() or torch.compiler.is_compiling()
        if is_traced or not is_on_cpu(flow) or height * width <= WHOLE_PX:
            return self._layers(*maps)
        refined, count = list[tuple[Tensor, Tensor]](), -(-height * width // BAND_PX)
        # A last band of the rows that are left over could be so small that its bits would be others (row_bands.py).
        for top, bottom in pairwise(height * number // count for number in range(count + 1)):
            begin = max(0, top - STEP_HALO)
            rows = self._layers(*(one[..., begin : bottom + STEP_HALO, :] for one in maps))
            new_flow, new_hidden = (one[..., top - begin : bottom - begin, :] for one in rows)
            refined.append((new_flow, new_hidden))
        return torch.cat([one for one, _ in refined], 2), torch.cat([one for _, one in refined], 2)

    def _layers(self, first: Tensor, second: Tensor, flow: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        x = convolve(self.enter, first, second, limited(flow, self._flow_limit), hidden, slope=LEAK)
        for layer in self.middle:
            assert isinstance(layer, nn.Conv2d)
            x = convolve(layer, x, slope=LEAK, add=x)
        return finish_motion_step(convolve(self.leave, x), flow, slope=LEAK)


def matching_step(
    step: MotionStep, level: Tensor, frames: Tensor, flow: Tensor, hidden: Tensor, radius: int
) -> tuple[Tensor, Tensor]:
    """Do ``step`` from the flow and from the motion that matching finds; each point keeps the better of both.

    They are compared after the step because a match is right to half a pixel only, and a flow from the coarser level
    is not right yet either: compared before, matches that merely look alike took the place of good flows.

    Args:
        step: The step of the level.
        level: Features of both frames, [B, 2, C, h, w].
        frames: Both frames at the size of the level, [B, 2, 3, h, w] in 0 ... 1.
        flow, hidden: What the coarser level found, resized, as for :meth:`MotionStep.forward`.
        radius: See :func:`matched`.

    Returns:
        The refined flow and the hidden map for the next level.
    """
    starts = flow, matched(frames, flow, radius)
    (kept, hidden), (offered, other) = (step(level[:, 0], level[:, 1], start, hidden) for start in starts)
    choice = is_clearly_better(frames, offered, than=kept)
    return torch.where(choice, offered, kept), torch.where(choice, other, hidden)
