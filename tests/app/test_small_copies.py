"""Small copies of frames: what the timeline shows of a frame whose shape its thumbnails do not have."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QSize

from videoinr_viewer.picture.small_copies import middle_part, small_copy


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((32, 640), (160, 32), (32, 160)), ((640, 32), (16, 32), (64, 32)), ((90, 160), (57, 32), (90, 160)),
     ((1, 1), (160, 32), (1, 1)), ((1, 4000), (160, 32), (1, 5))],
)  # fmt: skip
def test_a_part_of_the_frame_has_the_shape_of_the_copy(
    shape: tuple[int, int], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    frame = np.zeros((*shape, 4), np.uint8)
    assert middle_part(frame, QSize(*size)).shape[:2] == expected


def test_what_is_round_stays_round_in_a_thumbnail_of_a_very_wide_frame() -> None:
    frame = np.zeros((32, 640, 4), np.uint8)
    y, x = np.mgrid[0:32, 0:640]
    frame[(x - 320) ** 2 + (y - 16) ** 2 < 100] = 255
    size = QSize(160, 32)
    copy = small_copy(middle_part(frame, size), size)
    across = [copy.pixelColor(column, 16).red() > 127 for column in range(160)]
    down = [copy.pixelColor(80, row).red() > 127 for row in range(32)]
    assert abs(sum(across) - sum(down)) <= 1
    assert sum(down) > 15
