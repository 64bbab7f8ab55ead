"""Degradation: make LR input frames from HR frames.

``clean`` is that of the paper and the benchmarks. ``realistic`` adds blur, noise and compression, for models of real
footage.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.images import downsample
from videoinr.training.data.coding import DctCoding, H264Coding

CODED = "coded"
"""As ``clean``, but for the windows that a :class:`~videoinr.training.data.coded_store.CodedStore` makes."""
NAMES = ("clean", "realistic", CODED)

MAX_BLUR_PX = 0.7
"""Largest standard deviation of the blur, LR pixels."""
MAX_ANISOTROPY = 3.0
"""Largest ratio of a blur's two standard deviations."""
MAX_READ_NOISE = 5 / 255
MAX_SHOT_NOISE = 6 / 255
"""Largest standard deviations: of read noise (in black), and of the shot noise that is added in white."""


class Degradation(Protocol):
    """Makes the LR inputs of windows."""

    @property
    def description(self) -> str:
        """A sentence for model cards."""
        ...

    def __call__(self, images: Tensor, side: int, rng: np.random.Generator) -> Tensor:
        """Degrade HR frames. Does not wait for the device.

        Args:
            images: HR frames [B, N, 3, S, S] in 0 ... 1.
            side: Side of the LR frames, pixels.
            rng: The only source of randomness.

        Returns:
            LR frames [B, N, 3, side, side] in 0 ... 1, rounded to 8 bits.
        """
        ...


class Coding(Protocol):
    """Adds compression artefacts."""

    @property
    def description(self) -> str:
        """The method and its range of qualities in words."""
        ...

    def __call__(self, images: Tensor, chance: Tensor, rng: np.random.Generator) -> Tensor:
        """Return ``images`` [B, N, 3, P, P], 0 ... 1, after coding. ``chance`` [B]: 0 best, 1 worst quality."""
        ...


def degradation_named(name: str, device: torch.device) -> Degradation:
    """Return the degradation ``name`` (one of :data:`NAMES`) for windows on ``device``. Raises UsageError.

    ``realistic`` codes with H.264 on a CPU. On a GPU it quantises DCT blocks instead.
    """
    if name in ("clean", CODED):
        return Clean()
    if name == "realistic":
        return Realistic(H264Coding() if device.type == "cpu" else DctCoding(device))
    raise UsageError(f"There is no degradation {name!r}.", hint=f"There are: {', '.join(NAMES)}.")


class Clean:
    """The literature's degradation: antialiased bicubic downsampling, rounded to 8 bits."""

    description = "antialiased bicubic at any scale, rounded to 8 bits"

    def __call__(self, images: Tensor, side: int, rng: np.random.Generator) -> Tensor:
        """See :class:`Degradation`. ``rng`` is not used."""
        return downsample(images.flatten(0, 1), height=side, width=side).view(*images.shape[:3], side, side)


class Realistic:
    """Blur, antialiased bicubic downsampling, noise and compression, with random strengths for each window.

    All frames of a window get the same strengths, as from one camera. Only the noise differs between them.
    """

    def __init__(self, coding: Coding) -> None:
        self._coding = coding

    @property
    def description(self) -> str:
        """A sentence for model cards."""
        return (
            f"Gaussian blur up to {MAX_BLUR_PX} LR pixels, round or up to {MAX_ANISOTROPY:g} times longer than wide; "
            f"antialiased bicubic at any scale; read noise up to {MAX_READ_NOISE * 255:g} and shot noise up to "
            f"{MAX_SHOT_NOISE * 255:g} of 255; {self._coding.description}; rounded to 8 bits"
        )

    def __call__(self, images: Tensor, side: int, rng: np.random.Generator) -> Tensor:
        """See :class:`Degradation`."""
        count, device = len(images), images.device
        generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
        chance = torch.rand((6, count), generator=generator, device=device)
        blurred = blur(images, covariance(chance[:3]) * (images.shape[-1] / side) ** 2)
        small = F.interpolate(
            blurred.flatten(0, 1), size=(side, side), mode="bicubic", antialias=True, align_corners=False
        ).view(*images.shape[:3], side, side)
        normal = torch.randn(small.shape, generator=generator, device=device)
        noisy = small.clamp(0, 1)
        noisy = noisy + normal * noise_level(noisy, chance[3] * MAX_READ_NOISE, chance[4] * MAX_SHOT_NOISE)
        return self._coding(noisy.clamp(0, 1), chance[5], rng).clamp(0, 1).mul(255).round().div(255)


def covariance(chance: Tensor) -> Tensor:
    """Return blur covariances [B, 2, 2], squared LR pixels, from ``chance`` [3, B] in 0 ... 1. Half are isotropic."""
    sigma = chance[0] * MAX_BLUR_PX
    ratio = 1 + (MAX_ANISOTROPY - 1) * (2 * chance[1] - 1).clamp(min=0)
    angle = chance[2] * math.pi
    cos, sin = angle.cos(), angle.sin()
    long, short = sigma.square(), (sigma / ratio).square()
    cross = (long - short) * cos * sin
    rows = [long * cos**2 + short * sin**2, cross, cross, long * sin**2 + short * cos**2]
    return torch.stack(rows, -1).view(-1, 2, 2)


def blur(images: Tensor, covariances: Tensor) -> Tensor:
    """Blur ``images`` [B, N, C, S, S] by Gaussians of ``covariances`` [B, 2, 2] (x, y; squared pixels).

    The border is reflected. In the frequency domain a Gaussian is exp(-w'Cw / 2): exact, and equally fast for every
    width.
    """
    size = images.shape[-1]
    margin = min(size - 1, 16)
    padded = F.pad(images.flatten(1, 2), (margin,) * 4, mode="reflect")
    length = padded.shape[-1]
    wx = 2 * math.pi * torch.fft.rfftfreq(length, device=images.device)[None, None, :]
    wy = 2 * math.pi * torch.fft.fftfreq(length, device=images.device)[None, :, None]
    xx, xy, yy = (covariances[:, i, j, None, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    response = torch.exp(-(xx * wx**2 + 2 * xy * wx * wy + yy * wy**2) / 2)
    spectrum = torch.fft.rfft2(padded) * response[:, None]
    whole: Tensor = torch.fft.irfft2(spectrum, s=(length, length))
    return whole[..., margin:-margin, margin:-margin].reshape(images.shape)


def noise_level(images: Tensor, read: Tensor, shot: Tensor) -> Tensor:
    """Return the noise's standard deviation at each value of ``images`` [B, ...] in 0 ... 1.

    It is ``read`` [B] in black and sqrt(read^2 + shot^2) in white: the variance of shot noise is proportional to the
    light (a Poisson process, approximated by a normal distribution).
    """
    shape = (-1, *(1,) * (images.ndim - 1))
    return (read.square().view(shape) + shot.square().view(shape) * images).sqrt()
