"""The positions at which the released network reads, and their corrected form; one axis of a grid at a time.

Coordinates here span a picture as -1 ... 1, edge to edge, for maps of any size: coordinate ``c`` lies at
``((c + 1) n - 1) / 2`` in a map of ``n`` pixels (centre coordinates). As released:

- frames are padded with zeros to multiples of four, at the right and at the bottom, and the grid grows with them;
- what is not warped is read at pixel centres, ``c = (2 i + 1) / n - 1``;
- what is warped is read at ``c = 2 (i + flow) / (n - 1) - 1``. That formula puts the outermost *centres* at -1 and 1,
  so even a flow of zero is off by up to half an output pixel. The flow is in output pixels, so the same flow covers
  less of the picture the larger the output is;
- outside a map everything is zero, so its borders fade to black within one of its pixels.

Corrected: no padding; what is warped is read at ``(2 (i + flow) + 1) / n - 1``; outside a map its border is extended;
and
the flow counts as it does at x4, the main scale of the authors' training (its first stage used no other): a flow of 4
moves by one latent pixel at every scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.ops import sample

TRAINED_SCALE = 4
"""Output pixels for each latent pixel at the scale whose flows the corrected form applies at every scale."""


@dataclass(frozen=True, slots=True)
class LatticeAxis:
    """One axis of the grid on which F_s is evaluated.

    Attributes:
        extent: How many grid pixels the (padded) latent feature spans. A whole number for every size that the released
            code can run on.
        pixels: How many grid pixels there are.
        size: How many latent pixels there are, padding included.
        corrected: Whether the conventions are the corrected ones.
    """

    extent: float
    pixels: int
    size: int
    corrected: bool

    @classmethod
    def make(cls, pixels: int, *, clip_size: int, size: int, corrected: bool) -> LatticeAxis:
        """Make one axis of the grid for a picture.

        Args:
            pixels: The picture's columns (rows).
            clip_size: The columns (rows) of the clip's frames.
            size: The columns (rows) of the latent feature, padding included.
            corrected: Whether the conventions are the corrected ones.
        """
        extent = size * pixels / clip_size
        return cls(extent, max(pixels, round(extent)), size, corrected)

    def centres(self, index: Tensor) -> Tensor:
        """Return the coordinates (float32 [n], -1 ... 1) of the grid pixels ``index`` (int64 [n])."""
        # Rounded as in the released code: at some scales the last bit decides which of two pixels is the nearest.
        return (-1 + 1 / self.extent) + (2 / self.extent) * index.float()

    def moved(self, index: Tensor, flow_px: Tensor) -> Tensor:
        """Return the coordinates (float32, -1 ... 1) of grid pixels moved by a flow.

        Args:
            index: int64, the grid pixels; broadcasts with ``flow_px``.
            flow_px: One component of TemporalINR's output. Its unit is a grid pixel; corrected, a quarter of a latent
                pixel.
        """
        if self.corrected:
            latent_px = flow_px / TRAINED_SCALE
            return self.centres(index) + latent_px * (2 / self.size)
        span = max(self.extent - 1, 1.0)
        return (index.double() * (2 / span) - 1).float() + flow_px / (span / 2)

    def nearest(self, coordinate: Tensor, count: int) -> Tensor:
        """Return which pixel of a map is nearest to each coordinate.

        Args:
            coordinate: float32 [n], -1 ... 1.
            count: How many pixels the map has.

        Returns:
            int64 [n], 0 ... count - 1.
        """
        # grid_sample itself decides: half-way between two pixels its rounding differs from device to device.
        numbers = torch.arange(count, dtype=torch.float32, device=coordinate.device).view(1, 1, 1, -1)
        where = torch.stack((coordinate, torch.zeros_like(coordinate)), -1)[None, None]
        return (
            F.grid_sample(numbers, where, mode="nearest", padding_mode="border", align_corners=False).flatten().long()
        )

    def inside(self, position: Tensor, count: float) -> Tensor:
        """Return the weight (0 ... 1) of the map, against the zeros around it, in a bilinear read.

        Args:
            position: Positions in pixels of a map.
            count: How many pixels the map has.
        """
        if self.corrected:
            return torch.ones_like(position)
        return (position + 1).clamp(0, 1) * (count - position).clamp(0, 1)


def on_map(coordinate: Tensor, count: float) -> Tensor:
    """Convert coordinates to pixels of a map (centre coordinates).

    Args:
        coordinate: Coordinates in -1 ... 1.
        count: How many pixels the map has along the axis.

    Returns:
        ``((coordinate + 1) count - 1) / 2``, of the shape of ``coordinate``.
    """
    return ((coordinate + 1) * count - 1) / 2


@dataclass(frozen=True, slots=True)
class Lattice:
    """Both axes of the grid on which F_s is evaluated."""

    columns: LatticeAxis
    rows: LatticeAxis

    def read(self, image: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Sample a map bilinearly.

        Args:
            image: [B, H, W, C].
            x: Coordinates [B, h, w] in -1 ... 1.
            y: Like ``x``.

        Returns:
            [B, h, w, C].
        """
        height, width = image.shape[1:3]
        x, y = on_map(x, width), on_map(y, height)
        return sample(image, x, y) * self.inside(x, y, width=width, height=height)

    def inside(self, x: Tensor, y: Tensor, *, width: float, height: float) -> Tensor:
        """Return :meth:`LatticeAxis.inside` of both axes, multiplied.

        Args:
            x: Positions [B, h, w] in pixels of a map.
            y: Like ``x``.
            width: The map's width in pixels.
            height: The map's height in pixels.

        Returns:
            Weights [B, h, w, 1] in 0 ... 1.
        """
        return (self.columns.inside(x, width) * self.rows.inside(y, height))[..., None]
