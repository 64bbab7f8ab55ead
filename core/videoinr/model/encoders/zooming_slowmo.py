"""Zooming SlowMo, the encoder of the paper (section 4.1): features of both frames and of mid-time between them.

1. Residual blocks compute the feature of each frame.
2. Deformable convolutions, coarse to fine, align each feature with the other; both together make the feature of
mid-time. 3. A ConvLSTM, which aligns its own state in the same way, runs over the three maps in both directions. 4. A
deep trunk of residual blocks refines each of the three maps.

The names of submodules are part of the format of weights files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from videoinr.model.config import ZoomingSlowMoConfig
from videoinr.model.layers import LEAK, DeformableConv, ResidualBlock, conv
from videoinr.model.maps import concat
from videoinr.model.ops import convolve, lstm_step, resize

Levels = Sequence[Tensor]
"""A map [B, C, H, W] at full, half and quarter size."""
SIZE_MULTIPLE = 4
"""Inside the encoder heights and widths are multiples of this, so that each level is half of the one before."""


def twice_as_large(x: Tensor, *, gain: float = 1.0) -> Tensor:
    """Upsample a map bilinearly to twice its size.

    Args:
        x: [B, C, H, W].
        gain: Factor of the result; 2 for a guide, whose offsets are in pixels.

    Returns:
        [B, C, 2H, 2W].
    """
    return resize(x, (2 * x.shape[2], 2 * x.shape[3]), gain=gain)


class Halve(nn.Module):
    """Downsamples a map to half its size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shrink, self.refine = conv(channels, channels, stride=2), conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, H, W] to [B, C, H/2, W/2]."""
        return convolve(self.refine, convolve(self.shrink, x, slope=LEAK), slope=LEAK)


class Pyramid(nn.Module):
    """Computes a map's levels at half and quarter size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.to_half, self.to_quarter = Halve(channels), Halve(channels)

    def forward(self, x: Tensor) -> Levels:
        """Return ``x`` [B, C, H, W] itself and its levels at half and quarter size."""
        half = self.to_half(x)
        return [x, half, self.to_quarter(half)]


class CoarsestAlignment(nn.Module):
    """Aligns one map with another at quarter size, the coarsest level."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.compare, self.refine = conv(2 * channels, channels), conv(channels, channels)
        self.deform = DeformableConv(channels, groups)

    def forward(self, moving: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Align ``moving`` with ``reference``.

        Args:
            moving: [B, C, H, W].
            reference: [B, C, H, W].

        Returns:
            The guide from which the offsets are predicted, and the aligned map; both [B, C, H, W].
        """
        guide = convolve(self.compare, moving, reference, slope=LEAK)
        guide = convolve(self.refine, guide, slope=LEAK)
        return guide, self.deform(moving, guide, slope=LEAK)


class FinerAlignment(nn.Module):
    """Aligns at twice the size of the level before, and uses that level's guide and aligned map."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.compare, self.join_guides = conv(2 * channels, channels), conv(2 * channels, channels)
        self.refine = conv(channels, channels)
        self.deform = DeformableConv(channels, groups)
        self.join_maps = conv(2 * channels, channels)

    def forward(
        self, moving: Tensor, reference: Tensor, coarse_guide: Tensor, coarse_map: Tensor, *, slope: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Align ``moving`` with ``reference``.

        Args:
            moving: [B, C, H, W].
            reference: [B, C, H, W].
            coarse_guide: The guide of the level before [B, C, H/2, W/2].
            coarse_map: The aligned map of the level before [B, C, H/2, W/2].
            slope: Slope of the activation of the aligned map for negative values.

        Returns:
            The guide and the aligned map, both [B, C, H, W].
        """
        guide = convolve(self.compare, moving, reference, slope=LEAK)
        # Times two: the same motion spans twice as many pixels of the finer level.
        guide = convolve(self.join_guides, guide, twice_as_large(coarse_guide, gain=2), slope=LEAK)
        guide = convolve(self.refine, guide, slope=LEAK)
        aligned = self.deform(moving, guide)
        return guide, convolve(self.join_maps, aligned, twice_as_large(coarse_map), slope=slope)


class Alignment(nn.Module):
    """Aligns one map with another, coarse to fine, by deformable convolutions."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.coarse = CoarsestAlignment(channels, groups)
        self.middle, self.fine = FinerAlignment(channels, groups), FinerAlignment(channels, groups)

    def forward(self, moving: Levels, reference: Levels) -> Tensor:
        """Align ``moving`` with ``reference``.

        Args:
            moving: The map's levels [B, C, H, W], [B, C, H/2, W/2] and [B, C, H/4, W/4].
            reference: The levels of the other map, like ``moving``.

        Returns:
            The aligned map [B, C, H, W], without activation.
        """
        guide, aligned = self.coarse(moving[2], reference[2])
        guide, aligned = self.middle(moving[1], reference[1], guide, aligned, slope=LEAK)
        out: Tensor = self.fine(moving[0], reference[0], guide, aligned)[1]
        return out


class PairAlignment(nn.Module):
    """Aligns each of two maps with the other, by weights of its own, and fuses the results."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.first, self.second = Alignment(channels, groups), Alignment(channels, groups)
        self.fuse = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, first: Levels, second: Levels) -> Tensor:
        """Align each map with the other and fuse the results.

        Args:
            first: The first map's levels [B, C, H, W], [B, C, H/2, W/2] and [B, C, H/4, W/4].
            second: The second map's levels, like ``first``.

        Returns:
            [B, C, H, W].
        """
        return convolve(self.fuse, self.first(first, second), self.second(second, first))


class StateAlignment(nn.Module):
    """Aligns a state of the ConvLSTM with its input."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.pyramid = Pyramid(channels)
        self.align = PairAlignment(channels, groups)

    def forward(self, entering: Levels, state: Tensor) -> Tensor:
        """Align a state of the ConvLSTM with its input.

        Args:
            entering: The input's levels, as :class:`Pyramid` returns them.
            state: [B, C, H, W].

        Returns:
            The aligned state [B, C, H, W].
        """
        out: Tensor = self.align(entering, self.pyramid(state))
        return out


class TwoWayConvLSTM(nn.Module):
    """A ConvLSTM over a sequence of maps and, with the same weights, over the reversed sequence; both are merged."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.align_hidden, self.align_cell = StateAlignment(channels, groups), StateAlignment(channels, groups)
        self.gates = conv(2 * channels, 4 * channels)
        self.merge = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, sequence: Sequence[Tensor]) -> list[Tensor]:
        """Process maps [B, C, H, W] in the order of time; return as many of the same shape."""
        steps, batch = len(sequence), len(sequence[0])
        # For each step, the map of the forward direction, then that of the backward direction.
        both = torch.cat([x for pair in zip(sequence, reversed(sequence), strict=True) for x in pair])
        # The levels of the inputs do not depend on the state: those of all steps are computed at once.
        for_hidden, for_cell = (
            list(zip(*(level.chunk(steps) for level in alignment.pyramid(both)), strict=True))
            for alignment in (self.align_hidden, self.align_cell)
        )
        hidden = cell = torch.zeros_like(both[: 2 * batch])
        outputs = []
        for step, entering in enumerate(both.chunk(steps)):
            hidden = self.align_hidden(for_hidden[step], hidden)
            cell = self.align_cell(for_cell[step], cell)
            hidden, cell = lstm_step(self.gates, entering, hidden, cell)
            outputs.append(hidden)
        pairs = zip(outputs, reversed(outputs), strict=True)
        return [convolve(self.merge, forwards[:batch], backwards[batch:]) for forwards, backwards in pairs]


class ZoomingSlowMoEncoder(nn.Module):
    """Computes the maps of the first frame, of mid-time and of the second frame, as one latent feature."""

    def __init__(self, config: ZoomingSlowMoConfig) -> None:
        super().__init__()
        channels, groups = config.channels, config.groups
        self.first = conv(3, channels)
        self.front = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.front_blocks)))
        self.pyramid = Pyramid(channels)
        self.interpolate = PairAlignment(channels, groups)
        self.recurrence = TwoWayConvLSTM(channels, groups)
        self.back = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.back_blocks)))

    def forward(self, frames: Tensor) -> Tensor:
        """Encode pairs of frames.

        Args:
            frames: [B, 2, 3, H, W] in 0 ... 1, any H and W. Borders are extended to multiples of 4 inside.

        Returns:
            The feature [B, 3 * channels, H, W].
        """
        height, width = frames.shape[-2:]
        margins = (0, -width % SIZE_MULTIPLE, 0, -height % SIZE_MULTIPLE)
        padded = F.pad(frames.transpose(0, 1).flatten(0, 1), margins, mode="replicate")
        levels = self.pyramid(self.front(convolve(self.first, padded, slope=LEAK)))
        first, second = zip(*(level.chunk(2) for level in levels), strict=True)
        middle = self.interpolate(first, second)
        maps = self.recurrence((first[0], middle, second[0]))
        feature = concat(self.back(torch.cat(maps)).chunk(3))
        return feature[..., :height, :width]
