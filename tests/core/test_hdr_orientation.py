"""Radiance HDR pictures are upright, whatever order of rows and columns their header says."""

from pathlib import Path

import numpy as np
import pytest

from videoinr.clip import open_clip
from videoinr.clip.hdr_orientation import turns_from_hdr, with_lines_as_rows
from videoinr.errors import ClipError

HEIGHT, WIDTH = 20, 32
UPRIGHT = np.random.default_rng(0).integers(128, 256, (HEIGHT, WIDTH, 3), np.uint8)
"""Mantissas of light, of the exponent 0, row by row from the top."""


def hdr(order: str, kind: str = "rgbe") -> bytes:
    """Return an HDR file, without run lengths, that holds UPRIGHT in the order of ``order``, such as "+X -Y"."""
    stored = UPRIGHT
    for axis, sign, forward in ((0, "Y", "-"), (1, "X", "+")):
        stored = stored if f"{forward}{sign}" in order else np.flip(stored, axis)
    stored = stored if order[1] == "Y" else stored.swapaxes(0, 1)
    lines, length = stored.shape[:2]
    first, second = order.split()
    header = f"#?RADIANCE\nFORMAT=32-bit_rle_{kind}\n\n{first} {lines} {second} {length}\n"
    return header.encode() + np.dstack([stored, np.full((lines, length), 128, np.uint8)]).tobytes()


@pytest.mark.parametrize("order", ["-Y +X", "-Y -X", "+Y -X", "+Y +X", "+X -Y", "-X -Y", "-X +Y", "+X +Y"])
def test_an_hdr_is_upright(tmp_path: Path, order: str) -> None:
    (tmp_path / "a.hdr").write_bytes(hdr(order))
    light = UPRIGHT / 256
    wanted = 65535 * (1.055 * light ** (1 / 2.4) - 0.055)
    with open_clip(tmp_path / "a.hdr") as clip:
        assert (clip.info.width, clip.info.height) == (WIDTH, HEIGHT)
        np.testing.assert_allclose(clip.frame(0), wanted, atol=200)


def test_an_hdr_of_xyz_is_refused_and_not_shown_in_wrong_colours(tmp_path: Path) -> None:
    (tmp_path / "a.hdr").write_bytes(hdr("-Y +X", "xyze"))
    with pytest.raises(ClipError, match="XYZ colours"):
        open_clip(tmp_path / "a.hdr")


def test_damaged_headers_are_left_to_the_decoder() -> None:
    for data in (b"", b"#?RADIANCE\n", b"#?RADIANCE\n\n+X 3\n", b"#?RADIANCE\n\n+X 3 +X\n"):
        assert with_lines_as_rows(data) == data
        assert turns_from_hdr(data) == (0, False)
