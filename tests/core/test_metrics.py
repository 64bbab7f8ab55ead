"""PSNR and SSIM against values computed by hand, slow references, and scikit-image where installed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.evaluation.metrics import Channel, gaussian, luma, psnr, ssim


def pictures(*, height: int = 20, width: int = 27, noise: float = 0.1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return a smooth image with grain, and a noisy version of it, both in 0 ... 1."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.arange(width) / width, torch.arange(height)[:, None] / height
    base = torch.stack([0.5 + 0.3 * torch.sin(9 * x + k) * torch.cos(7 * y - k) for k in range(3)])
    target = (base + 0.05 * torch.randn(base.shape, generator=generator)).clamp(0, 1)
    return (target + noise * torch.randn(base.shape, generator=generator)).clamp(0, 1), target


def plain_luma(rgb: Tensor) -> NDArray[np.float64]:
    red, green, blue = rgb.double().numpy()
    return np.asarray((65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255)


def plain_ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Compute SSIM by equation 13 of Wang et al. 2004, one window at a time."""
    away = np.arange(-5, 6)
    weights = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for row in range(a.shape[0] - 10):
        for column in range(a.shape[1] - 10):
            p, q = a[row : row + 11, column : column + 11], b[row : row + 11, column : column + 11]
            mean_p, mean_q = (weights * p).sum(), (weights * q).sum()
            var_p, var_q = (weights * (p - mean_p) ** 2).sum(), (weights * (q - mean_q) ** 2).sum()
            covariance = (weights * (p - mean_p) * (q - mean_q)).sum()
            c1, c2 = 0.01**2, 0.03**2
            values.append(
                (2 * mean_p * mean_q + c1)
                * (2 * covariance + c2)
                / ((mean_p**2 + mean_q**2 + c1) * (var_p + var_q + c2))
            )
    return float(np.mean(values))


def test_luma_has_the_limited_range_of_bt601() -> None:
    black, white, green = torch.zeros(3, 1, 1), torch.ones(3, 1, 1), torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
    assert [round(float(luma(each)) * 255, 3) for each in (black, white, green)] == [16, 235, 144.553]
    assert luma(torch.rand(4, 2, 3, 5, 6)).shape == (4, 2, 5, 6)


def test_psnr_of_a_known_difference() -> None:
    target = torch.full((3, 4, 4), 0.5)
    # Ten levels in all channels are 10 * 219 / 255 levels of Y.
    assert psnr(target + 10 / 255, target) == pytest.approx(20 * math.log10(255 / (10 * 219 / 255)), abs=1e-3)
    assert psnr(target + 10 / 255, target, "rgb") == pytest.approx(20 * math.log10(255 / 10), abs=1e-3)
    red = target.clone()
    red[0, 0, 0] += 0.2
    assert psnr(red, target) == pytest.approx(-10 * math.log10((0.2 * 65.481 / 255) ** 2 / 16), abs=1e-3)
    assert psnr(red, target, "rgb") == pytest.approx(-10 * math.log10(0.2**2 / 48), abs=1e-3)


@pytest.mark.parametrize("channel", ["y", "rgb"])
def test_the_prediction_is_clamped_and_equal_images_have_infinite_psnr(channel: Channel) -> None:
    assert psnr(torch.full((3, 12, 12), 1.7), torch.ones(3, 12, 12), channel) == math.inf
    assert psnr(torch.full((3, 12, 12), -0.7), torch.zeros(3, 12, 12), channel) == math.inf
    assert ssim(torch.full((3, 12, 12), 1.7), torch.ones(3, 12, 12), channel) == 1


def test_the_window_is_a_gaussian_that_sums_to_one() -> None:
    weights = gaussian(1.5, 5)
    assert len(weights) == 11
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[5] / weights[2]) == pytest.approx(math.exp(9 / 4.5))


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.3])
def test_ssim_matches_the_papers_formula_per_window(noise: float) -> None:
    prediction, target = pictures(noise=noise)
    assert ssim(prediction, target) == pytest.approx(plain_ssim(plain_luma(prediction), plain_luma(target)), abs=1e-6)
    planes = zip(prediction.double().numpy(), target.double().numpy(), strict=True)
    assert ssim(prediction, target, "rgb") == pytest.approx(np.mean([plain_ssim(a, b) for a, b in planes]), abs=1e-6)


def test_ssim_matches_scikit_image() -> None:
    structural_similarity = pytest.importorskip("skimage.metrics").structural_similarity
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    for seed in range(3):
        prediction, target = pictures(height=60, width=71, seed=seed)
        on_y = structural_similarity(plain_luma(prediction), plain_luma(target), **options)
        assert ssim(prediction, target) == pytest.approx(on_y, abs=1e-6)
        arrays = prediction.double().numpy(), target.double().numpy()
        on_rgb = structural_similarity(*arrays, channel_axis=0, **options)
        assert ssim(prediction, target, "rgb") == pytest.approx(on_rgb, abs=1e-6)


def test_ssim_ignores_incomplete_windows() -> None:
    prediction, target = pictures(height=11, width=11)
    assert ssim(prediction, target) == pytest.approx(plain_ssim(plain_luma(prediction), plain_luma(target)), abs=1e-6)
    with pytest.raises(RuntimeError):
        ssim(prediction[:, :10], target[:, :10])


def test_ssim_of_flat_images_is_exact_despite_rounding() -> None:
    flat = torch.full((3, 40, 40), 0.9)
    assert ssim(flat, flat) == pytest.approx(1, abs=1e-9)
    assert ssim(flat * 0.5, flat) < 0.9
