"""Windows made of still photographs in motion: known exactly at any instant, sharp, and without a codec's traces.

A window has a background and, moving differently over it, a soft-edged blob of another photograph. Each layer moves
by an affine map that changes smoothly; it never makes a photograph smaller, so that nothing aliases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.clip.footage import read_picture
from videoinr.clip.suffixes import has_picture_suffix
from videoinr.errors import ClipError, UsageError
from videoinr.training.data.clip_store import BatchShape, Cut
from videoinr.training.data.pixels import cut, upload
from videoinr.training.data.windows import Windows, turned

REDUCTION = 0.75
"""Photographs are made this much smaller, antialiased, when they are read: away with coding noise and soft pixels."""
REACH = 1.75
"""Side of the crop that a layer is sampled from, over the window's side: most motions stay inside."""

MAX_SHIFT = 0.4
"""How far a layer moves in a window, over the window's side; squared chances: most move less than a quarter of it."""
MAX_BEND = 0.25
"""How far its path is from a straight line, over its length."""
MAX_TURN, MAX_ZOOM, MAX_SHEAR = 0.2, 0.2, 0.05
"""From start to end: radians, logarithm of the magnification, and slope."""
MAX_MAGNIFICATION = 1.3
FOREGROUND_SHARE = 0.7
"""Windows with a foreground."""
BLOB_HARMONICS = 5
BLOB_CHANCES = 4 + 2 * BLOB_HARMONICS
MOTION_CHANCES = 8
BEYOND_ENDS = 0.1
"""Instants are drawn from a range this much longer at both ends, and clamped: some are exactly 0 or 1."""


@dataclass(frozen=True, eq=False)
class Motion:
    """How layers [B] move. All float32 tensors; lengths in pixels of the output, which is ``side`` pixels square.

    At instant t the output's point p (from its centre, x and y) shows the photograph's point
    A(t) p + shift(t), with A(t) = rotation(turn (t - 1/2)) (I + shear (t - 1/2)) / magnification(t).
    """

    start: Tensor
    shift: Tensor
    bend: Tensor
    turn: Tensor
    zoom: Tensor
    shear: Tensor

    def matrices(self, times: Tensor) -> Tensor:
        """A at ``times`` [B, T]: [B, T, 2, 2]."""
        t = times - 0.5
        angle, shear = self.turn[:, None] * t, self.shear[:, None] * t
        size = torch.exp(-self.start[:, None] - self.zoom[:, None] * t)
        cos, sin = angle.cos() * size, angle.sin() * size
        return torch.stack([cos, cos * shear - sin, sin, sin * shear + cos], -1).view(*times.shape, 2, 2)

    def shifts(self, times: Tensor) -> Tensor:
        """Where the output's centre lies at ``times`` [B, T]: [B, T, 2], from the crop's centre."""
        t = times[..., None]
        return self.shift[:, None] * (t - 0.5) + self.bend[:, None] * (t * (1 - t) - 1 / 8)

    def points(self, times: Tensor, side: int) -> Tensor:
        """What each of the output's pixel centres shows at ``times`` [B, T]: [B, T, side, side, 2] (x, y)."""
        line = torch.arange(side, device=times.device, dtype=times.dtype) + 0.5 - side / 2
        ys, xs = torch.meshgrid(line, line, indexing="ij")
        points = torch.stack([xs, ys], -1).flatten(0, 1)
        moved = points @ self.matrices(times).transpose(-1, -2) + self.shifts(times)[..., None, :]
        return moved.view(*times.shape, side, side, 2)


def motion_from_chance(chance: Tensor, side: int) -> Motion:
    """Motions from [B, MOTION_CHANCES] uniform in 0 ... 1."""
    length, way, bend, start, turn, zoom, shear, other_way = chance.unbind(1)
    shift = (MAX_SHIFT * side * length.square())[:, None] * _unit(way)
    path = (MAX_SHIFT * side * length.square() * (2 * bend - 1) * MAX_BEND * 4)[:, None] * _unit(other_way)
    change = (2 * zoom - 1) * MAX_ZOOM
    # Smallest at an end, and never below 1: the photograph is never sampled more coarsely than it is.
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
    """How much of a soft-edged blob covers ``points`` [B, T, S, S, 2]: [B, T, 1, S, S], 0 ... 1.

    ``chance`` [B, BLOB_CHANCES]: its centre, size, softness, and the waves of its outline.
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


class Stills:
    """Photographs as bytes on ``device``, and windows made of them."""

    def __init__(self, folders: Sequence[Path], device: torch.device) -> None:
        self.files = sorted({path for folder in folders for path in _pictures_in(folder)})
        with ThreadPoolExecutor(8) as threads:
            photographs = [each for each in threads.map(_read_reduced, self.files) if each is not None]
        if not photographs:
            raise UsageError(
                f"There are no photographs in {', '.join(map(str, folders))}.", hint="It should hold JPEG or PNG files."
            )
        sizes = np.array([photograph.shape[:2] for photograph in photographs], dtype=np.int64)
        self._heights, self._widths = sizes.T
        self._offsets = np.append(0, np.cumsum(sizes.prod(1) * 3))[:-1]
        self._flat = torch.from_numpy(np.concatenate([each.reshape(-1) for each in photographs])).to(device)

    def windows(self, shape: BatchShape, rng: np.random.Generator) -> Cut:
        """``shape.batch`` windows; all their randomness comes from ``rng``. Raises UsageError for too large a size."""
        count, size = shape.batch, shape.size
        layers = self._crops(2 * count, math.ceil(REACH * size), rng).chunk(2)
        chance = upload(
            rng.random((count, 2 * MOTION_CHANCES + BLOB_CHANCES + 1 + shape.targets), np.float32), self._flat.device
        )
        back, front, outline, present, instants = torch.split(
            chance, [MOTION_CHANCES, MOTION_CHANCES, BLOB_CHANCES, 1, shape.targets], dim=1
        )
        targets = (instants * (1 + 2 * BEYOND_ENDS) - BEYOND_ENDS).clamp(0, 1)
        ends = torch.zeros_like(targets[:, :1])
        times = torch.cat([ends, ends + 1, targets], 1)
        behind = motion_from_chance(back, size).points(times, size)
        before = motion_from_chance(front, size).points(times, size)
        cover = blob(before, outline, size) * (present < FOREGROUND_SHARE)[:, :, None, None, None]
        images = torch.lerp(show(layers[0], behind), show(layers[1], before), cover)
        return Cut(images.clamp(0, 1).mul(255).round().div(255), targets)

    def _crops(self, count: int, side: int, rng: np.random.Generator) -> Tensor:
        """[count, 3, side, side] in 0 ... 1, each from some photograph, turned some way."""
        large = np.flatnonzero(np.minimum(self._heights, self._widths) >= side)
        if not len(large):
            raise UsageError(
                f"No photograph is {math.ceil(side / REDUCTION)} pixels wide and high.",
                hint="Use larger photographs, or a recipe with smaller patches or scales.",
            )
        chance = rng.random((count, 4))
        chosen = large[(chance[:, 0] * len(large)).astype(np.int64)]
        y = (chance[:, 1] * (self._heights[chosen] - side + 1)).astype(np.int64)
        x = (chance[:, 2] * (self._widths[chosen] - side + 1)).astype(np.int64)
        moves, rows, columns = turned((chance[:, 3] * 8).astype(np.int64), self._widths[chosen] * 3, side)
        corners = self._offsets[chosen] + (y * self._widths[chosen] + x) * 3 + moves
        none = np.zeros((count, 0), np.int64)
        images, _ = cut(self._flat, Windows(corners[:, None], rows, columns, none, np.ones(count, np.int64)), side)
        return images[:, 0]


def show(layers: Tensor, points: Tensor) -> Tensor:
    """[B, 3, M, M] at ``points`` [B, T, S, S, 2] (pixels from the layer's centre): [B, T, 3, S, S], bicubic."""
    where = points * (2 / layers.shape[-1])
    times, side = points.shape[1], points.shape[2]
    repeated = layers[:, None].expand(-1, times, -1, -1, -1).flatten(0, 1)
    shown = F.grid_sample(repeated, where.flatten(0, 1), mode="bicubic", padding_mode="reflection", align_corners=False)
    return shown.view(len(layers), times, 3, side, side)


def _pictures_in(folder: Path) -> list[Path]:
    return list(filter(has_picture_suffix, folder.rglob("*")))


def _read_reduced(path: Path) -> NDArray[np.uint8] | None:
    try:
        picture = torch.from_numpy(read_picture(path)).permute(2, 0, 1)[None].float()
    except (ClipError, OSError):
        return None
    size = [max(1, round(side * REDUCTION)) for side in picture.shape[-2:]]
    small = F.interpolate(picture, size=size, mode="bicubic", antialias=True, align_corners=False)
    return np.ascontiguousarray(small[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy())
