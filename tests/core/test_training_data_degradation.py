"""Degradation: its strengths, equal for both frames of a window, and its randomness."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from videoinr.errors import UsageError
from videoinr.images import downsample
from videoinr.training.data import degradation
from videoinr.training.data.coding import BLOCK, DctCoding, H264Coding, dct_matrix
from videoinr.training.data.degradation import (
    Clean,
    Coding,
    Realistic,
    blur,
    covariance,
    degradation_named,
    noise_level,
)

CPU = torch.device("cpu")
CODINGS = {"h264": H264Coding(), "dct": DctCoding(CPU)}
GREY = 120 / 255


class NoCoding:
    description = "nothing"

    def __call__(self, images: Tensor, chance: Tensor, rng: np.random.Generator) -> Tensor:
        return images


def windows(count: int = 4, size: int = 64, seed: int = 0) -> Tensor:
    """Smooth random images; both frames of a window are equal."""
    coarse = torch.rand((count, 1, 3, 9, 9), generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse[:, 0], size=(size, size), mode="bicubic", align_corners=False)
    return smooth.clamp(0.1, 0.9)[:, None].repeat(1, 2, 1, 1, 1)


@pytest.mark.parametrize("side", [16, 24, 64])
def test_clean_is_antialiased_bicubic_downsampling(side: int) -> None:
    images = windows()
    low = Clean()(images, side, np.random.default_rng(0))
    assert torch.equal(low[:, 0], downsample(images[:, 0], height=side, width=side))
    assert torch.equal((low * 255).round() / 255, low)


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
@pytest.mark.parametrize("side", [15, 32])
def test_realistic_frames_have_8_bits_and_depend_only_on_the_generator(coding: Coding, side: int) -> None:
    realistic, images = Realistic(coding), windows(3)
    low, again, other = (realistic(images, side, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert low.shape == (3, 2, 3, side, side)
    assert torch.equal((low * 255).round() / 255, low)
    assert torch.equal(low, again)
    assert not torch.equal(low, other)
    assert 0 <= float(low.min()) <= float(low.max()) <= 1


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_degradation_keeps_the_mean(coding: Coding) -> None:
    images = windows(12)
    low = Realistic(coding)(images, 32, np.random.default_rng(0))
    clean = Clean()(images, 32, np.random.default_rng(0))
    assert float((low - clean).mean((0, 1, 3, 4)).abs().max()) < 1.5 / 255
    assert float((low.mean((3, 4)) - clean.mean((3, 4))).abs().max()) < 6 / 255


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_coding_errors_grow_with_worse_quality_and_stay_bounded(coding: Coding) -> None:
    # Grey, because the chroma that 4:2:0 loses does not depend on the quality.
    images = windows(6)[:, :, :1].repeat(1, 1, 3, 1, 1)
    images = (images + 0.02 * torch.randn((6, 2, 1, 64, 64), generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    losses = [
        float(
            (coding(images, torch.full((6,), chance), np.random.default_rng(0)) - images).square().mean().sqrt() * 255
        )
        for chance in (0.0, 0.5, 1.0)
    ]
    assert 1 < losses[0] < losses[1] < losses[2] < 16


def test_the_noise_level_in_black_and_white() -> None:
    levels = torch.tensor([0.0, 0.25, 1.0]).view(1, 3, 1, 1)
    read, shot = torch.tensor([3 / 255]), torch.tensor([4 / 255])
    expected = [3 / 255, math.sqrt(9 + 4) / 255, 5 / 255]
    torch.testing.assert_close(noise_level(levels, read, shot).flatten(), torch.tensor(expected))


def test_noise_differs_from_frame_to_frame_but_its_level_does_not() -> None:
    images = torch.full((40, 2, 3, 64, 64), GREY)
    low = Realistic(NoCoding())(images, 64, np.random.default_rng(0))
    noise = (low - GREY) * 255
    first, second = noise[:, 0].flatten(1), noise[:, 1].flatten(1)
    torch.testing.assert_close(first.std(1), second.std(1), rtol=0.05, atol=0.02)
    noisy = first.std(1) > 1
    assert noisy.sum() > 20
    correlation = (first * second).mean(1) / (first.std(1) * second.std(1))
    assert float(correlation[noisy].abs().max()) < 0.05
    assert 4 < float(first.std(1).max()) < math.hypot(5, 6 * math.sqrt(GREY)) + 0.3
    assert float(first.std(1).min()) < 2


def test_a_blur_has_the_given_covariance() -> None:
    spread = torch.tensor([[[6.0, 2.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]])
    images = torch.zeros((2, 2, 1, 41, 41))
    images[..., 20, 20] = 1
    blurred = blur(images, spread)
    torch.testing.assert_close(blurred[1], images[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(blurred.sum((-1, -2)), torch.ones(2, 2, 1), atol=1e-4, rtol=0)
    place = torch.arange(41.0) - 20
    y, x = torch.meshgrid(place, place, indexing="ij")
    moments = [[(blurred[0, 1, 0] * a * b).sum() for a in (x, y)] for b in (x, y)]
    torch.testing.assert_close(torch.tensor(moments), spread[0], atol=0.02, rtol=0)


def test_a_blur_reflects_the_border() -> None:
    flat = torch.full((1, 2, 3, 32, 32), 0.5)
    torch.testing.assert_close(blur(flat, torch.tensor([[[9.0, 0.0], [0.0, 9.0]]])), flat, atol=1e-5, rtol=0)


def test_blurs_stay_within_their_bounds_and_half_are_round() -> None:
    values = torch.linalg.eigvalsh(covariance(torch.rand((3, 2000), generator=torch.Generator().manual_seed(0))))
    widths = values.clamp(min=1e-9).sqrt()
    assert float(widths.max()) == pytest.approx(degradation.MAX_BLUR_PX, rel=0.01)
    ratio = widths[:, 1] / widths[:, 0]
    assert float((ratio < 1.01).float().mean()) == pytest.approx(0.5, abs=0.05)
    assert 2.8 < float(ratio.max()) < degradation.MAX_ANISOTROPY + 0.05


def test_the_dct_is_orthonormal_and_maps_a_cosine_to_one_coefficient() -> None:
    matrix = dct_matrix()
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(BLOCK), atol=1e-6, rtol=0)
    wave = torch.cos((2 * torch.arange(8) + 1) * 3 * math.pi / 16)
    assert (matrix @ wave).abs().argmax() == 3


def test_dct_blocks_are_quantised_independently_to_whole_steps() -> None:
    coding = DctCoding(CPU)
    planes = (torch.rand((2, 1, 16, 24), generator=torch.Generator().manual_seed(0)) - 0.5) * 200
    steps = coding.steps(torch.tensor([40.0, 90.0]))[:, 0]
    coded, matrix = coding.quantised(planes, steps), dct_matrix()
    for row, column in np.ndindex(2, 3):
        block = coded[:, 0, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        whole = matrix @ block @ matrix.T / steps
        torch.testing.assert_close(whole, whole.round(), atol=1e-3, rtol=0)
        before = matrix @ planes[:, 0, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] @ matrix.T
        assert bool(((before - whole * steps).abs() <= steps / 2 + 1e-3).all())


def test_quantisation_steps_are_the_standards_at_quality_50() -> None:
    steps = DctCoding(CPU).steps(torch.tensor([50.0, 25.0, 90.0]))
    assert steps[0, 0, 0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]
    assert steps[1, 0, 0, 0] == 32
    assert steps[2, 1, 7, 7] == pytest.approx(99 * 0.2)


def test_names_and_descriptions() -> None:
    assert "bicubic" in degradation_named("clean", CPU).description
    assert "H.264 (x264, CRF 18-35" in degradation_named("realistic", CPU).description
    description = Realistic(DctCoding(CPU)).description
    assert "DCT quantisation" in description
    assert "not H.264" in description
    with pytest.raises(UsageError, match="no degradation 'dirty'") as caught:
        degradation_named("dirty", CPU)
    assert "realistic" in caught.value.hint
