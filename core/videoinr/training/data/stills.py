"""Windows of photographs in synthetic motion: exact at every time, sharp, and without compression artefacts.

A window has a background and a foreground, a soft-edged blob of another photograph that moves differently. Each layer
moves by an affine map that changes smoothly. The map never downsamples a photograph, so there is no aliasing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from videoinr.clip.footage import read_picture
from videoinr.clip.suffixes import has_picture_suffix
from videoinr.errors import ClipError, UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Cut
from videoinr.training.data.pixels import cut, upload
from videoinr.training.data.still_flow import true_flow
from videoinr.training.data.still_motion import BLOB_CHANCES, MOTION_CHANCES, SHIFT_POWER, blob, motion_from_chance
from videoinr.training.data.windows import Windows, turned

REDUCTION = 0.75
"""Factor by which photographs are downsampled when read, against compression artefacts and blur."""
REACH = 1.75
"""Side of the crop that a layer is sampled from, over the window's side. Most motions stay inside it."""
FOREGROUND_SHARE = 0.7
"""Share of the windows with a foreground."""
BEYOND_ENDS = 0.1
"""Times are drawn from a range longer by this at both ends, and clamped, so that some are exactly 0 or 1."""


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

    def windows(
        self, shape: BatchShape, rng: np.random.Generator, *, power: float = SHIFT_POWER, with_flow: bool = False
    ) -> Cut:
        """Make windows of photographs in motion. No frames lie beside them: the motion would leave the photographs.

        Args:
            shape: The number and the sizes of the windows.
            rng: The only source of randomness.
            power: Exponent of the shifts' distribution, see :attr:`Stage.stills_power`.
            with_flow: Whether to compute the true flow too.

        Returns:
            The windows.

        Raises:
            UsageError: No photograph is large enough.
        """
        count, size = shape.batch, shape.size
        layers = self.crops(2 * count, math.ceil(REACH * size), rng).chunk(2)
        chance = upload(
            rng.random((count, 2 * MOTION_CHANCES + BLOB_CHANCES + 1 + shape.targets), np.float32), self._flat.device
        )
        back, front, outline, present, instants = torch.split(
            chance, [MOTION_CHANCES, MOTION_CHANCES, BLOB_CHANCES, 1, shape.targets], dim=1
        )
        targets = (instants * (1 + 2 * BEYOND_ENDS) - BEYOND_ENDS).clamp(0, 1)
        ends = torch.zeros_like(targets[:, :1])
        times = torch.cat([ends, ends + 1, targets], 1)
        motions = motion_from_chance(back, size, power), motion_from_chance(front, size, power)
        behind, before = (motion.points(times, size) for motion in motions)
        is_present = present[:, 0] < FOREGROUND_SHARE
        cover = blob(before, outline, size) * is_present[:, None, None, None, None]
        images = torch.lerp(show(layers[0], behind), show(layers[1], before), cover)
        if shape.outer:
            images = torch.cat([images[:, :2], images], 1)
        flow = true_flow(*motions, outline, is_present, side=size, patch=shape.patch) if with_flow else None
        valid = images.new_zeros((count, 2)) if shape.outer else None
        return Cut(images.clamp(0, 1).mul(255).round().div(255), targets, flow, valid)

    def crops(self, count: int, side: int, rng: np.random.Generator) -> Tensor:
        """Cut random crops [count, 3, side, side] in 0 ... 1 out of random photographs, in random orientations.

        Raises:
            UsageError: No photograph is large enough.
        """
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
