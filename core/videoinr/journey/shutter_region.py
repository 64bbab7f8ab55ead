"""ShutterRegion: a rectangle of the clip's picture that is exposed by an angle of its own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.text import parsing

_HINT = "Write X,Y,WIDTH,HEIGHT=DEGREES in pixels of the clip, such as 40,0,320,240=180."


@dataclass(frozen=True, slots=True)
class ShutterRegion:
    """A region with a shutter of its own; its text is ``X,Y,WIDTH,HEIGHT=DEGREES``.

    Attributes:
        rect: the region, pixels of the clip.
        degrees: the exposure in it, 0 ... 360 degrees of the time between two frames of the output.
    """

    rect: Rect
    degrees: Fraction

    def __str__(self) -> str:
        rect = self.rect
        return f"{rect.x},{rect.y},{rect.width},{rect.height}={self.degrees}"

    def on(self, grid: Grid, clip: Grid) -> Rect:
        """Return the pixels of ``grid`` that the region covers, for a clip of the size ``clip``."""
        return rect_on_grid(self.rect, clip, grid)

    def check(self, clip: Grid) -> None:
        """Raise UsageError unless the region lies in a clip of the size ``clip``."""
        if not clip.rect.contains(self.rect):
            raise UsageError(
                f"The shutter's region {self} leaves the clip, which has {clip} pixels.",
                hint=f"X + WIDTH is at most {clip.width}, Y + HEIGHT at most {clip.height}.",
            )


def as_shutter_region(value: ShutterRegion | str | None) -> ShutterRegion | None:
    """Return ``value`` as a region; UsageError if it is none, or its text describes none."""
    if value is None or isinstance(value, ShutterRegion):
        return value
    if not isinstance(value, str):
        raise UsageError(f"shutter_region = {value!r} is no region with a shutter.", hint=_HINT)
    return shutter_region(value)


def shutter_region(text: str) -> ShutterRegion:
    """Return the region that ``text`` describes: ``X,Y,WIDTH,HEIGHT=DEGREES``; UsageError if it describes none."""
    where, equals, degrees = text.partition("=")
    if not equals:
        raise UsageError(f"'{text}' is no region with a shutter.", hint=_HINT)
    return ShutterRegion(parsing.region(where), parsing.number(degrees))
