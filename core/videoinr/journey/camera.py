"""CameraPath: which part of the picture an output shows at each time of the clip, by keyframes.

A keyframe has a time of the clip, the point in the middle of the output, and a zoom: how many times nearer the picture
is than without a camera. Between two keyframes the zoom changes by equal factors in equal times. Where it changes, the
middle moves so that the one point that keeps its place on the screen from one keyframe to the next keeps it in between.

Every frame is a region of a grid of its own, that of the export ``.scaled(zoom)``. The region's corner is a whole pixel
of that grid, so a frame lies at most half an output pixel beside the path, and a path that rests is exactly a crop.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from math import floor

from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.render.view import MAX_SCALE

MOST_KEYFRAMES = 200
MOST_DENOMINATOR = 10**9
MOST_ZOOM = Fraction(128)


class Easing(Enum):
    """How the camera goes from a keyframe to the next one."""

    SMOOTH = "smooth"
    """It starts and stops gently."""
    LINEAR = "linear"
    """It moves evenly."""
    HOLD = "hold"
    """It rests, and jumps at the next keyframe."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """At ``time_secs`` of the clip, (``x``, ``y``) is in the middle of the output.

    Attributes:
        time_secs: seconds of the clip.
        x, y: clip pixels on the edge axis, 0 ... width or height.
        zoom: how many times nearer the picture is than without a camera.
        easing: how the camera goes on to the next keyframe.
    """

    time_secs: Fraction
    x: Fraction
    y: Fraction
    zoom: Fraction
    easing: Easing = Easing.SMOOTH


@dataclass(frozen=True, slots=True)
class CameraPath:
    """A path through ``keyframes``, in the order of their times. Before the first and after the last it rests.

    Raises:
        UsageError: there are none or too many, two have one time, or a zoom is out of range.
    """

    keyframes: tuple[Keyframe, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.keyframes) <= MOST_KEYFRAMES:
            raise _wrong(f"it has {len(self.keyframes)} keyframes", f"Give 1 to {MOST_KEYFRAMES}.")
        for before, after in pairwise(self.keyframes):
            if after.time_secs <= before.time_secs:
                raise _wrong("its keyframes are not in the order of their times", "Sort them; give each its own time.")
        for keyframe in self.keyframes:
            if not 1 / MOST_ZOOM <= keyframe.zoom <= MOST_ZOOM:
                raise _wrong(f"a zoom of x{float(keyframe.zoom):g} is out of range", f"Choose up to x{MOST_ZOOM}.")

    def at(self, time_secs: Fraction) -> Keyframe:
        """Return where the camera is at ``time_secs``: exact at keyframes and where it rests."""
        times = [keyframe.time_secs for keyframe in self.keyframes]
        number = bisect_right(times, time_secs)
        if number in (0, len(times)):
            return self.keyframes[min(number, len(times) - 1)]
        return _between(self.keyframes[number - 1], self.keyframes[number], time_secs)

    def region(self, time_secs: Fraction, clip: Grid, grid: Grid, size_px: tuple[int, int]) -> tuple[Grid, Rect]:
        """Return the grid at ``time_secs``, and the region of it that an output of ``size_px`` shows.

        Args:
            time_secs: seconds of the clip.
            clip: the clip's own pixels.
            grid: the grid at zoom 1.
            size_px: (width, height) of the output, at most that of the grid.

        Returns:
            The region's middle is the nearest to the path's; at the picture's edges it is moved inside.
        """
        place = self.at(time_secs)
        grid, (width, height) = grid.scaled(float(place.zoom)), size_px
        x = _corner(place.x / clip.width, grid.width, width)
        y = _corner(place.y / clip.height, grid.height, height)
        return grid, Rect(x, y, width, height)

    def check(self, clip: Grid, grid: Grid, size_px: tuple[int, int]) -> None:
        """Raise UsageError if the camera sees more than the picture anywhere, or is too near; as for :meth:`region`."""
        width, height = size_px
        least, most = (pick(self.keyframes, key=lambda keyframe: keyframe.zoom) for pick in (min, max))
        small, large = grid.scaled(float(least.zoom)), grid.scaled(float(most.zoom))
        if small.width < width or small.height < height:
            needed = max(Fraction(width, grid.width), Fraction(height, grid.height))
            raise UsageError(
                f"At {float(least.time_secs):g} s the camera's zoom of x{float(least.zoom):g} makes the picture {small}"
                f", which is less than the output of {width}x{height}.",
                hint=f"Zoom in to x{float(needed):.4g} at least, or make the output smaller (--crop).",
            )
        limit = clip.scaled(MAX_SCALE)
        if large.width > limit.width or large.height > limit.height:
            raise UsageError(
                f"At {float(most.time_secs):g} s the camera's zoom of x{float(most.zoom):g} enlarges the clip by more "
                f"than x{MAX_SCALE:g}.",
                hint="Zoom in less, or make the output smaller (--scale, --size).",
            )

    @property
    def values(self) -> list[dict[str, object]]:
        """The keyframes as plain values, as in a JSON file."""
        return [
            {
                "time": str(one.time_secs),
                "centre": [str(one.x), str(one.y)],
                "zoom": str(one.zoom),
                "easing": one.easing.value,
            }
            for one in self.keyframes
        ]

    def __str__(self) -> str:
        """Return the path as JSON in one line."""
        return json.dumps(self.values, separators=(",", ":"))


def _corner(middle: Fraction, side: int, length: int) -> int:
    """Return the first pixel of ``length`` pixels around ``middle`` (0 ... 1) of ``side`` pixels, inside them."""
    return min(max(0, floor(middle * side - Fraction(length, 2) + Fraction(1, 2))), side - length)


def _between(before: Keyframe, after: Keyframe, time_secs: Fraction) -> Keyframe:
    share = (time_secs - before.time_secs) / (after.time_secs - before.time_secs)
    if before.easing is Easing.HOLD:
        return before
    if before.easing is Easing.SMOOTH:
        share = share * share * (3 - 2 * share)
    if before.zoom == after.zoom:
        zoom, way = before.zoom, share
    else:
        factor = float(after.zoom / before.zoom) ** float(share)
        zoom = Fraction(float(before.zoom) * factor)
        # The share of the way at which the point that both keyframes show at one place stays there.
        way = (1 / before.zoom - 1 / zoom) / (1 / before.zoom - 1 / after.zoom)
    x, y = before.x + way * (after.x - before.x), before.y + way * (after.y - before.y)
    return Keyframe(time_secs, x, y, zoom, before.easing)


def _wrong(why: str, hint: str) -> UsageError:
    return UsageError(f"This is no camera path: {why}.", hint=hint)
