"""Pictures converted between clip pixels, tensors and 8-bit RGBX, and resized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from videoinr.images import downsample, rgbx_from_pixels, rgbx_from_tensor, tensor_from_pixels, upsample_bicubic

CPU = torch.device("cpu")
EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
EVERY_WORD = np.arange(65536).astype(np.uint16).reshape(256, 256, 1).repeat(3, axis=2)


def test_8_bit_pixels_survive_the_conversion_to_a_tensor_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = tensor_from_pixels(pixels, CPU)
    assert tensor.shape == (3, 5, 7)
    assert tensor.dtype == torch.float32
    rgbx = rgbx_from_tensor(tensor.permute(1, 2, 0)).numpy()
    np.testing.assert_array_equal(rgbx[..., :3], pixels)
    assert (rgbx[..., 3] == 255).all()


def test_every_8_bit_level_survives() -> None:
    np.testing.assert_array_equal(
        rgbx_from_tensor(tensor_from_pixels(EVERY_BYTE, CPU).permute(1, 2, 0))[..., :3].numpy(), EVERY_BYTE
    )


def test_16_bit_levels_span_zero_to_one() -> None:
    tensor = tensor_from_pixels(EVERY_WORD, CPU)
    assert float(tensor.min()) == 0
    assert float(tensor.max()) == 1
    expected = EVERY_WORD.astype(np.float64) / 65535
    np.testing.assert_allclose(tensor.permute(1, 2, 0).numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_read_only_pixels_and_views_are_accepted(dtype: type[np.uint8] | type[np.uint16]) -> None:
    pixels: Any = np.arange(6 * 8 * 3).astype(dtype).reshape(6, 8, 3)
    pixels.flags.writeable = False
    assert tensor_from_pixels(pixels, CPU).shape == (3, 6, 8)
    flipped = tensor_from_pixels(pixels[:, ::-1], CPU)
    assert torch.equal(flipped, tensor_from_pixels(pixels, CPU).flip(-1))


def test_16_bit_pixels_are_rounded_to_the_nearest_8_bit_level() -> None:
    rgbx = rgbx_from_pixels(EVERY_WORD)
    np.testing.assert_array_equal(rgbx[..., :3], np.round(EVERY_WORD / 257.0).astype(np.uint8))
    np.testing.assert_array_equal(rgbx_from_pixels(EVERY_BYTE)[..., :3], EVERY_BYTE)
    for each in (rgbx, rgbx_from_pixels(EVERY_BYTE)):
        assert (each[..., 3] == 255).all()
        assert each.flags.c_contiguous


def test_values_outside_the_range_are_clamped() -> None:
    rgb = torch.tensor([[[-0.5, 0.0, 1.7], [0.5, 0.498, 1.0]]])
    assert rgbx_from_tensor(rgb).tolist() == [[[0, 0, 255, 255], [128, 127, 255, 255]]]


def test_conversions_of_16_bit_pixels_agree_with_and_without_a_tensor() -> None:
    by_tensor = rgbx_from_tensor(tensor_from_pixels(EVERY_WORD, CPU).permute(1, 2, 0)).numpy().astype(int)
    assert np.abs(by_tensor - rgbx_from_pixels(EVERY_WORD)).max() <= 1


def test_a_downsampled_picture_is_8_bit_and_keeps_its_mean() -> None:
    images = torch.rand(2, 3, 24, 32)
    small = downsample(images, height=6, width=8)
    assert small.shape == (2, 3, 6, 8)
    torch.testing.assert_close(small * 255, (small * 255).round(), atol=1e-4, rtol=0)
    torch.testing.assert_close(small.mean((2, 3)), images.mean((2, 3)), atol=0.02, rtol=0)


def test_downsampling_is_antialiased_and_centred() -> None:
    stripes = torch.arange(32).remainder(2).float().expand(1, 3, 16, 32)
    # A filter without antialiasing would show stripes of another width here.
    torch.testing.assert_close(
        downsample(stripes, height=4, width=8)[..., 2:-2], torch.full((1, 3, 4, 4), 0.5), atol=0.01, rtol=0
    )
    ramp = (torch.arange(32) + 0.5).div(32).expand(1, 3, 16, 32)
    expected = (torch.arange(8) + 0.5).div(8).expand(1, 3, 4, 8)
    torch.testing.assert_close(downsample(ramp, height=4, width=8)[..., 2:-2], expected[..., 2:-2], atol=0.003, rtol=0)


def test_downsampling_to_the_same_size_only_rounds() -> None:
    images = torch.rand(1, 3, 9, 7)
    torch.testing.assert_close(downsample(images, height=9, width=7), images, atol=0.5 / 255 + 1e-5, rtol=0)


def test_upsampling_keeps_flat_pictures_flat_and_stays_in_range() -> None:
    flat = torch.full((1, 3, 4, 5), 0.3)
    torch.testing.assert_close(upsample_bicubic(flat, height=13, width=11), torch.full((1, 3, 13, 11), 0.3))
    wild = upsample_bicubic(torch.rand(1, 3, 4, 5).round(), height=33, width=40)
    assert float(wild.min()) >= 0
    assert float(wild.max()) <= 1
