"""What is shown behind transparent pixels: a colour or squares, by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoinr.errors import UsageError

SQUARES = "checkerboard"
_NAMES = {"black": (0, 0, 0), "grey": (128, 128, 128), "gray": (128, 128, 128), "white": (255, 255, 255)}
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_SQUARE_PX = 8
_LIGHT, _DARK = 204, 153


@dataclass(frozen=True, slots=True)
class Background:
    """What is shown behind transparent pixels: a colour (sRGB, 0 ... 255), or squares if ``colour`` is None."""

    name: str
    colour: tuple[int, int, int] | None

    @property
    def suffix(self) -> str:
        """What the background adds to the identity of a clip: nothing for black, the default."""
        return "" if self.colour == (0, 0, 0) else f"|on {self.name}"

    def pixels(self, height: int, width: int, peak: int) -> NDArray[np.uint32]:
        """Return the background.

        Args:
            height: of the frame, in pixels.
            width: of the frame, in pixels.
            peak: the value of white, 255 or 65535.

        Returns:
            [height, width, 3], or [1, 1, 3] for a colour, in 0 ... ``peak``.
        """
        if self.colour is not None:
            return np.array(self.colour, np.uint32)[None, None] * (peak // 255)
        rows, columns = np.arange(height)[:, None] // _SQUARE_PX, np.arange(width)[None] // _SQUARE_PX
        levels = np.where((rows + columns) % 2, _DARK, _LIGHT).astype(np.uint32) * (peak // 255)
        return np.repeat(levels[..., None], 3, axis=2)


BLACK = Background("black", (0, 0, 0))


def background_named(name: str) -> Background:
    """Return the background called ``name``: black, grey, white, a colour such as #2060ff, or checkerboard.

    Raises:
        UsageError: it is none of these.
    """
    if name == SQUARES:
        return Background(SQUARES, None)
    if name in _NAMES:
        return Background(name, _NAMES[name])
    found = _HEX.fullmatch(name)
    if found is None:
        raise UsageError(
            f"There is no background “{name}”.", hint=f"Choose one of: {', '.join(_NAMES)}, {SQUARES}, #rrggbb."
        )
    red, green, blue = (int(digits, 16) for digits in found.groups())
    return Background(name.lower(), (red, green, blue))
