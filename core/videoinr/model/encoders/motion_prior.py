"""The motion-prior encoder: a coarse-to-fine search for the motion at mid-time, and a feature fused along it.

It takes the place of the paper's encoder, Zooming SlowMo (section 3), and gives the heads one map more: the motion
prior, which is the flow from mid-time to each frame. TemporalINR then only has to correct it.

The names of submodules are part of the format of weights files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from videoinr.model.config import MotionPriorConfig
from videoinr.model.layers import LEAK, ExactConv, ResidualBlock, conv, leaky
from videoinr.model.ops import convolve, resize, warp


class Halve(nn.Module):
    """Downsamples a map to half its size, rounded up: one level of the pyramid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shrink, self.block = conv(channels, channels, stride=2), ResidualBlock(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, H, W] to [B, C, ceil(H/2), ceil(W/2)]."""
        out: Tensor = self.block(convolve(self.shrink, x, slope=LEAK))
        return out


class MotionStep(nn.Module):
    """Refines both mid-time flows at one level, given the features of both frames warped by them."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
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
        warped = warp(first, flow[:, :2]), warp(second, flow[:, 2:])
        x = convolve(self.enter, *warped, flow.to(first.dtype), hidden, slope=LEAK)
        for layer in self.middle:
            assert isinstance(layer, nn.Conv2d)
            x = convolve(layer, x, slope=LEAK, add=x)
        out = convolve(self.leave, x)
        return flow + out[:, :4].float(), leaky(out[:, 4:])


class MotionPriorEncoder(nn.Module):
    """Computes a latent feature and, as a motion prior, the flows from mid-time to both frames."""

    def __init__(self, config: MotionPriorConfig) -> None:
        super().__init__()
        channels, hidden, out = config.frame_channels, config.motion_channels, config.feature_channels
        self.first = ExactConv(3, channels)
        self.front = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.front_blocks)))
        self.halves = nn.ModuleList(Halve(channels) for _ in range(config.levels - 1))
        self.motion = nn.ModuleList(MotionStep(channels, hidden) for _ in range(config.levels))
        self.fuse = conv(4 * channels + hidden + 4, out)
        self.trunk = nn.Sequential(*(ResidualBlock(out) for _ in range(config.trunk_blocks)))
        self.hidden_channels = hidden

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Encode pairs of frames.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1, any H and W.

        Returns:
            The feature [B, C, H, W] and the motion prior [B, 4, H, W]: the flow (x, y) from mid-time to the first
            frame, then to the second, in latent pixels.
        """
        levels = self._pyramid(frames)
        flow, hidden = self._search(levels)
        first, second = levels[0][:, 0], levels[0][:, 1]
        maps = (
            first,
            warp(first, flow[:, :2]),
            warp(second, flow[:, 2:]),
            second,
            hidden,
            flow.to(first.dtype),
        )
        return self.trunk(convolve(self.fuse, *maps)), flow

    def _pyramid(self, frames: Tensor) -> list[Tensor]:
        """Compute the features of both frames at every level, fine to coarse, each [B, 2, C, h, w]."""
        maps = [self.front(convolve(self.first, frames.flatten(0, 1), slope=LEAK))]
        for halve in self.halves:
            maps.append(halve(maps[-1]))
        return [level.unflatten(0, (len(frames), 2)) for level in maps]

    def _search(self, levels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Search from the coarsest level to the finest; return the flows and the hidden map of the finest."""
        batch, _, _, height, width = levels[-1].shape
        flow = levels[-1].new_zeros((batch, 4, height, width), dtype=torch.float32)
        hidden = levels[-1].new_zeros((batch, self.hidden_channels, height, width))
        for step, level in zip(reversed(self.motion), reversed(levels), strict=True):
            size = (level.shape[-2], level.shape[-1])
            if flow.shape[-2:] != size:
                flow, hidden = resize(flow, size, gain=2), resize(hidden, size)
            flow, hidden = step(level[:, 0], level[:, 1], flow, hidden)
        return flow, hidden
