"""QImages from numpy arrays: colours at any width, and the lifetime of the memory."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PySide6.QtGui import QColor

from videoinr_viewer.picture.qimages import qimage_from_rgbx


@pytest.mark.parametrize("width", [1, 2, 3, 5, 127, 128])
def test_every_pixel_keeps_its_colour(width: int) -> None:
    rng = np.random.default_rng(width)
    pixels = rng.integers(0, 256, (7, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    image = qimage_from_rgbx(pixels)
    assert (image.width(), image.height()) == (width, 7)
    for y, x in [(0, 0), (6, width - 1), (3, width // 2)]:
        assert image.pixelColor(x, y) == QColor(*(int(value) for value in pixels[y, x, :3]))


def test_the_array_lives_as_long_as_the_image() -> None:
    image = qimage_from_rgbx(np.full((64, 65, 4), 200, np.uint8))
    gc.collect()
    others = [np.zeros((64, 65, 4), np.uint8) for _ in range(50)]
    assert image.pixelColor(64, 63) == QColor(200, 200, 200)
    assert len(others) == 50


def test_read_only_pixels_are_accepted() -> None:
    pixels = np.full((4, 3, 4), 9, np.uint8)
    pixels.flags.writeable = False
    assert qimage_from_rgbx(pixels).pixelColor(2, 3) == QColor(9, 9, 9)


def test_other_arrays_than_rgbx_are_refused() -> None:
    with pytest.raises(ValueError, match="RGBX"):
        qimage_from_rgbx(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="RGBX"):
        qimage_from_rgbx(np.zeros((4, 8, 4), np.uint8)[:, ::2])
