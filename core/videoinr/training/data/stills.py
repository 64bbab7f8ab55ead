"""Windows of photographs in synthetic motion: exact at every time, sharp, and without compression artefacts.

A window has a background and a foreground, a soft-edged blob of another photograph that moves differently. Each layer
moves by an affine map that changes smoothly. The map never downsamples a photograph, so there is no aliasing.
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
"""Factor by which photographs are downsampled when read, against compression artefacts and blur."""
REACH = 1.75
"""Side of the crop that a layer is sampled from, over the window's side. Most motions stay inside it."""

MAX_SHIFT = 0.4
"""Largest shift of a layer in a window, over the window's side. Shifts follow a squared uniform distribution."""
MAX_BEND = 0.25
"""Largest deviation of the path from a straight line, over the path's length."""
MAX_TURN, MAX_ZOOM, MAX_SHEAR = 0.2, 0.2, 0.05
"""Largest changes from start to end: rotation in radians, logarithm of the magnification, and shear."""
MAX_MAGNIFICATION = 1.3
FOREGROUND_SHARE = 0.7
"""Share of the windows with a foreground."""
BLOB_HARMONICS = 5
BLOB_CHANCES = 4 + 2 * BLOB_HARMONICS
MOTION_CHANCES = 8
BEYOND_ENDS = 0.1
"""Times are drawn from a range longer by this at both ends, and clamped, so that some are exactly 0 or 1."""


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

    def points(self, times: Tensor, side: int) -> Tensor:
        """Return the photograph's position (x, y) at each output pixel and time [B, T]: [B, T, side, side, 2]."""
        line = torch.arange(side, device=times.device, dtype=times.dtype) + 0.5 - side / 2
        ys, xs = torch.meshgrid(line, line, indexing="ij")
        points = torch.stack([xs, ys], -1).flatten(0, 1)
        moved = points @ self.matrices(times).transpose(-1, -2) + self.shifts(times)[..., None, :]
        return moved.view(*times.shape, side, side, 2)


def motion_from_chance(chance: Tensor, side: int) -> Motion:
    """Return the motions of layers in windows of ``side`` pixels from ``chance`` [B, MOTION_CHANCES] in 0 ... 1."""
    length, way, bend, start, turn, zoom, shear, other_way = chance.unbind(1)
    shift = (MAX_SHIFT * side * length.square())[:, None] * _unit(way)
    path = (MAX_SHIFT * side * length.square() * (2 * bend - 1) * MAX_BEND * 4)[:, None] * _unit(other_way)
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


class Stills:
    """Photographs as bytes on ``device``, and windows made of them. Raises UsageError if there are no photographs."""

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
        """Make ``shape.batch`` windows. ``rng`` is the only source of randomness. Raises UsageError for large sizes."""
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
        """Cut random crops [count, 3, side, side] in 0 ... 1 out of random photographs, in random orientations."""
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
    """Sample ``layers`` [B, 3, M, M] bicubically at ``points`` [B, T, S, S, 2] (from the centre): [B, T, 3, S, S]."""
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
