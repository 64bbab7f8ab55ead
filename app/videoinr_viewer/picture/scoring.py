"""How near the decoded picture is to a reference file or another model's: PSNR and SSIM of what is in view."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LEAST_SIDE_PX = 11
"""SSIM has windows of so many pixels."""


@dataclass(frozen=True)
class Score:
    """The nearness of one picture, and what it was compared with: a frame of a file, or another model's picture.

    Attributes:
        psnr_db: PSNR of luma, dB; infinite for equal pictures.
        ssim: SSIM of luma; None for pictures that are too small for it.
        name: the reference's file name, or the other model's name.
        frame: the number of the file's frame; None for a model's picture, which is of the same instant and pixels.
        early_secs: how long before the picture's time that frame starts.
        is_exact: whether it is a frame of that time, but for rounding.
        is_resampled: whether the reference was resampled to the pixels in view.
    """

    psnr_db: float
    ssim: float | None
    name: str
    frame: int | None = None
    early_secs: Fraction = Fraction(0)
    is_exact: bool = True
    is_resampled: bool = False


def nearness(decoded: NDArray[np.uint8], reference: NDArray[np.uint8]) -> tuple[float, float | None]:
    """Return PSNR (dB) and SSIM of luma of two pictures, uint8 [height, width, 4], RGBX."""
    # Imported here: it needs torch, which the engine has loaded when a clip is open.
    import torch

    from videoinr.evaluation.metrics import psnr, ssim

    picture, wanted = (
        torch.from_numpy(np.ascontiguousarray(one[..., :3])).permute(2, 0, 1).float() / 255
        for one in (decoded, reference)
    )
    has_windows = min(decoded.shape[:2]) >= LEAST_SIDE_PX
    return psnr(picture, wanted), ssim(picture, wanted) if has_windows else None
