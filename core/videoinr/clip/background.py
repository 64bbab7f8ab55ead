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
    """What is shown behind transparent pixels: a colour (sRGB, 0 ... 255), or squares if ``colour`` is None.

    ``is_alpha``: the alpha channel itself is shown, as grey, instead of the picture.
    """

    name: str
    colour: tuple[int, int, int] | None
    is_alpha: bool = False

    @property
    def suffix(self) -> str:
        """What the background adds to the identity of a clip: nothing for black, the default."""
        return "" if self.colour == (0, 0, 0) and not self.is_alpha else f"|on {self.name}"

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
TRANSPARENT = "transparent"
"""The name of a black background of a clip whose transparency an export keeps."""
ALPHA = "alpha"
"""The name of the "background" by which a clip's alpha channel is read."""


def background_named(name: str) -> Background:
    """Return the background called ``name``: black, grey, white, a colour such as #2060ff, checkerboard, transparent.

    Raises:
        UsageError: it is none of these.
    """
    if name == SQUARES:
        return Background(SQUARES, None)
    if name in (TRANSPARENT, ALPHA):
        return Background(name, (0, 0, 0), is_alpha=name == ALPHA)
    if name in _NAMES:
        return Background(name, _NAMES[name])
    found = _HEX.fullmatch(name)
    if found is None:
        names = ", ".join((*_NAMES, SQUARES, TRANSPARENT, ALPHA))
        raise UsageError(f"There is no background “{name}”.", hint=f"Choose one of: {names}, #rrggbb.")
    red, green, blue = (int(digits, 16) for digits in found.groups())
    return Background(name.lower(), (red, green, blue))
