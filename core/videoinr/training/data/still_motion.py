"""The motion of the layers of a window made of photographs, and the outline of the foreground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

MAX_SHIFT = 0.4
"""Largest shift of a layer in a window, over the window's side."""
SHIFT_POWER = 2.0
"""Exponent of the shifts' distribution: a shift is a uniform random number to this power, times the largest shift."""
MAX_BEND = 0.25
"""Largest deviation of the path from a straight line, over the path's length."""
MAX_TURN, MAX_ZOOM, MAX_SHEAR = 0.2, 0.2, 0.05
"""Largest changes from start to end: rotation in radians, logarithm of the magnification, and shear."""
MAX_MAGNIFICATION = 1.3
BLOB_HARMONICS = 5
BLOB_CHANCES = 4 + 2 * BLOB_HARMONICS
MOTION_CHANCES = 8


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion of B layers. All fields are float32 tensors [B, ...]; lengths are in output pixels.

    At time t the output position p (x and y, from the output's centre) shows the photograph's position
    A(t) p + shift(t), with A(t) = rotation(turn (t - 1/2)) (I + shear (t - 1/2)) / magnification(t).
    """

    start: Tensor
    shift: Tensor
    bend: Tensor
    turn: Tensor
    zoom: Tensor
    shear: Tensor

    def matrices(self, times: Tensor) -> Tensor:
        """Return A(t) at ``times`` [B, T]: [B, T, 2, 2]."""
        t = times - 0.5
        angle, shear = self.turn[:, None] * t, self.shear[:, None] * t
        size = torch.exp(-self.start[:, None] - self.zoom[:, None] * t)
        cos, sin = angle.cos() * size, angle.sin() * size
        return torch.stack([cos, cos * shear - sin, sin, sin * shear + cos], -1).view(*times.shape, 2, 2)

    def shifts(self, times: Tensor) -> Tensor:
        """Return shift(t) at ``times`` [B, T], from the crop's centre: [B, T, 2]."""
        t = times[..., None]
        return self.shift[:, None] * (t - 0.5) + self.bend[:, None] * (t * (1 - t) - 1 / 8)

    def points(self, times: Tensor, side: int, count: int | None = None) -> Tensor:
        """Return the photograph's position (x, y) at each output pixel and time.

        Args:
            times: [B, T].
            side: Side of the output, pixels.
            count: Number of sample points per side, evenly spaced over the output; None: one per pixel.

        Returns:
            [B, T, count, count, 2].
        """
        return self.at(lattice(side, count or side, times).expand(*times.shape, -1, -1, -1), times)

    def at(self, points: Tensor, times: Tensor) -> Tensor:
        """Return the photograph's positions at ``points`` of the output [B, T, h, w, 2] and ``times`` [B, T]."""
        flat = points.flatten(2, 3)
        moved = flat @ self.matrices(times).transpose(-1, -2) + self.shifts(times)[..., None, :]
        return moved.view(points.shape)

    def inverse(self, shown: Tensor, times: Tensor) -> Tensor:
        """Return the output's points that show the photograph's positions ``shown``: the inverse of :meth:`at`."""
        flat = shown.flatten(2, 3) - self.shifts(times)[..., None, :]
        (a, b), (c, d) = (row.unbind(-1) for row in self.matrices(times).unbind(-2))
        # Not torch.linalg.inv, which waits for the GPU.
        rows = torch.stack([d, -b, -c, a], -1) / (a * d - b * c)[..., None]
        return (flat @ rows.view(*times.shape, 2, 2).transpose(-1, -2)).view(shown.shape)


def lattice(side: int, count: int, like: Tensor) -> Tensor:
    """Return the centres (x, y) of ``count`` x ``count`` cells that cover ``side`` output pixels: [count, count, 2]."""
    line = (torch.arange(count, device=like.device, dtype=like.dtype) + 0.5) * (side / count) - side / 2
    ys, xs = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([xs, ys], -1)


def motion_from_chance(chance: Tensor, side: int, power: float = SHIFT_POWER) -> Motion:
    """Return the motions of layers in windows of ``side`` pixels.

    Args:
        chance: Uniform random numbers in 0 ... 1, [B, MOTION_CHANCES].
        side: Side of the windows, pixels.
        power: Exponent of the shifts' distribution.

    Returns:
        The motions of B layers.
    """
    length, way, bend, start, turn, zoom, shear, other_way = chance.unbind(1)
    shift = (MAX_SHIFT * side * length.pow(power))[:, None] * _unit(way)
    path = (MAX_SHIFT * side * length.pow(power) * (2 * bend - 1) * MAX_BEND * 4)[:, None] * _unit(other_way)
    change = (2 * zoom - 1) * MAX_ZOOM
    # The magnification is smallest at an end, and never below 1, so the photograph is never downsampled.
    smallest = start * (math.log(MAX_MAGNIFICATION) - MAX_ZOOM / 2)
    return Motion(
        smallest + change.abs() / 2 + MAX_SHEAR / 2,
        shift,
        path,
        (2 * turn - 1) * MAX_TURN,
        change,
        (2 * shear - 1) * MAX_SHEAR,
    )


def _unit(chance: Tensor) -> Tensor:
    return torch.stack([(2 * math.pi * chance).cos(), (2 * math.pi * chance).sin()], -1)


def blob(points: Tensor, chance: Tensor, side: int) -> Tensor:
    """Return the opacity of a soft-edged blob at ``points`` [B, T, S, S, 2]: [B, T, 1, S, S] in 0 ... 1.

    ``chance`` [B, BLOB_CHANCES] determines its centre, size, softness and outline.
    """
    shaped = chance[:, :, None, None, None]
    x = points[..., 0] - (shaped[:, 0] - 0.5) * 0.5 * side
    y = points[..., 1] - (shaped[:, 1] - 0.5) * 0.5 * side
    angle, radius = torch.atan2(y, x), torch.sqrt(x * x + y * y)
    outline = torch.ones_like(angle)
    for wave in range(BLOB_HARMONICS):
        height, phase = shaped[:, 4 + 2 * wave], shaped[:, 5 + 2 * wave]
        outline = outline + (height - 0.5) * 0.6 / (wave + 1) * torch.cos((wave + 1) * angle + 2 * math.pi * phase)
    edge = (0.12 + 0.25 * shaped[:, 2]) * side * outline - radius
    softness = 0.5 + 2 * shaped[:, 3].square()
    return torch.sigmoid(edge / softness)[:, :, None]
