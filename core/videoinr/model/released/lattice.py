"""Where the released network looks, and how ``corrected`` sets it right; one axis of a grid at a time.

Coordinates here span a picture as -1 ... 1, edge to edge: the reader of a map ``n`` pixels wide takes ``c`` to
``((c + 1) n - 1) / 2``, in whatever map. As released:

- frames are filled up with zeros to multiples of four, at the right and at the bottom, and the grid grows with them;
- what is not warped is read at pixel centres, ``c = (2 i + 1) / n - 1``;
- what is warped is read at ``c = 2 (i + flow) / (n - 1) - 1``, which is a lattice that puts the outermost *centres*
  at -1 and 1: even without any flow it is off by up to half an output pixel. The flow is in output pixels, so one
  motion covers less of the picture the larger the output;
- outside a map there are zeros, so its borders fade to black over one of its pixels.

Corrected: no filling up; what is warped is read at ``(2 (i + flow) + 1) / n - 1``; outside a map its border goes on;
and the flow is taken at its worth in the training's main scale, x4 (its first stage knew no other): a flow of 4
moves by one latent pixel at every scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.model.ops import sample

TRAINED_SCALE = 4
"""The scale in whose output pixels the flow counts when it is to be independent of the zoom."""


@dataclass(frozen=True, slots=True)
class LatticeAxis:
    """One axis of a field's grid.

    ``extent``: grid pixels that the (filled up) latent feature spans; a whole number wherever the released code could
    run at all. ``pixels``: how many of them there are. ``size``: latent features.
    """

    extent: float
    pixels: int
    size: int
    corrected: bool

    @classmethod
    def make(cls, pixels: int, *, clip_size: int, size: int, corrected: bool) -> LatticeAxis:
        """The axis of a grid ``pixels`` wide over a clip ``clip_size`` wide that was filled up to ``size``."""
        extent = size * pixels / clip_size
        return cls(extent, max(pixels, round(extent)), size, corrected)

    def centres(self, index: Tensor) -> Tensor:
        """Coordinates, float32 [n], of the grid's pixels ``index`` (int64 [n])."""
        # Rounded as the released code rounds it: at some scales the nearest of two pixels hangs on the last bit.
        return (-1 + 1 / self.extent) + (2 / self.extent) * index.float()

    def moved(self, index: Tensor, flow_px: Tensor) -> Tensor:
        """Coordinates of the pixels ``index`` moved by ``flow_px``, TemporalINR's answer; the two broadcast."""
        if self.corrected:
            latent_px = flow_px / TRAINED_SCALE
            return self.centres(index) + latent_px * (2 / self.size)
        span = max(self.extent - 1, 1.0)
        return (index.double() * (2 / span) - 1).float() + flow_px / (span / 2)

    def nearest(self, coordinate: Tensor, count: int) -> Tensor:
        """int64 [n]: which of ``count`` pixels of a map is nearest to each of ``coordinate`` (float32 [n])."""
        # Left to the very operator, for between two pixels it decides by its own rounding, which differs by device.
        numbers = torch.arange(count, dtype=torch.float32, device=coordinate.device).view(1, 1, 1, -1)
        where = torch.stack((coordinate, torch.zeros_like(coordinate)), -1)[None, None]
        return (
            F.grid_sample(numbers, where, mode="nearest", padding_mode="border", align_corners=False).flatten().long()
        )

    def inside(self, position: Tensor, count: float) -> Tensor:
        """The share of what is read at ``position`` (pixels of a map ``count`` wide) that is not the zeros outside."""
        if self.corrected:
            return torch.ones_like(position)
        return (position + 1).clamp(0, 1) * (count - position).clamp(0, 1)


def on_map(coordinate: Tensor, count: float) -> Tensor:
    """Centre coordinates, in pixels of a map ``count`` pixels wide, of a coordinate in -1 ... 1."""
    return ((coordinate + 1) * count - 1) / 2


@dataclass(frozen=True, slots=True)
class Lattice:
    """Both axes."""

    columns: LatticeAxis
    rows: LatticeAxis

    def read(self, image: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Bilinear: ``image`` [B, H, W, C] at the coordinates x, y (-1 ... 1; each [B, h, w]) -> [B, h, w, C]."""
        height, width = image.shape[1:3]
        x, y = on_map(x, width), on_map(y, height)
        return sample(image, x, y) * self.inside(x, y, width=width, height=height)

    def inside(self, x: Tensor, y: Tensor, *, width: float, height: float) -> Tensor:
        """[B, h, w, 1]: see :meth:`LatticeAxis.inside`."""
        return (self.columns.inside(x, width) * self.rows.inside(y, height))[..., None]
