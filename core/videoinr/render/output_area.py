"""The instant, the grid and the region that a user asks for, checked: the same for Python, command line and export."""

from __future__ import annotations

from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect
from videoinr.render.view import MAX_SCALE, MIN_SCALE
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Instant

PICTURE_SCALE = 4
"""The default scale of one picture: the models are trained for x4 most."""
CLIP_SCALE = 2
"""The default scale of a run of frames, which costs far more than one picture."""
_FFMPEG_LIMIT = 2**31
_SEEN_STRETCH = Fraction(1, 100)
"""A shape that differs by no more is not seen: sizes are often multiples of 8."""
_WILD_ASPECT = Fraction(32)
"""Pixels of a wilder shape come from damaged headers."""

_MAX_ASPECT = 255
"""The largest denominator of a pixel aspect; MPEG-4 part 2 and ProRes have no larger ones."""


def instant_of(timeline: Timeline, time_secs: Fraction) -> Instant:
    """Return the instant at a time of the clip.

    Args:
        timeline: the clip's frame times.
        time_secs: the second of the clip, 0 ... duration.

    Raises:
        UsageError: ``time_secs`` is not in 0 ... duration.
    """
    if not 0 <= time_secs <= timeline.duration_secs:
        raise UsageError(
            f"{float(time_secs):g} s lies outside the clip, which lasts {float(timeline.duration_secs):g} s.",
            hint="Choose a time from 0 to its end.",
        )
    return timeline.instant_from_time(time_secs)


def grid_of(info: ClipInfo, *, scale: Fraction | None, size: Grid | None, default_scale: int) -> Grid:
    """Return the full-frame grid of a clip at a scale or of a size.

    Args:
        info: the clip.
        scale: grid pixels for each clip pixel.
        size: the grid itself, (width, height) in pixels, instead of a scale. It may change the aspect ratio.
        default_scale: the scale if neither is given.

    Raises:
        UsageError: both were given, or a side is scaled beyond MIN_SCALE ... MAX_SCALE of :mod:`videoinr.render.view`.
    """
    check_one(scale, size)
    if size is None:
        return info.grid.scaled(float(default_scale if scale is None else scale))
    least, most = (info.grid.scaled(scale) for scale in (MIN_SCALE, MAX_SCALE))
    if not (least.width <= size.width <= most.width and least.height <= size.height <= most.height):
        raise UsageError(
            f"A size of {size} is out of range for a clip of {info.width}x{info.height}.",
            hint=f"Choose {least} (x{MIN_SCALE:g}) to {most} (x{MAX_SCALE:g}).",
        )
    return size


def check_one(scale: Fraction | None, size: Grid | None) -> None:
    """Raise UsageError if both a scale and a size were given, or the scale is out of range."""
    if scale is not None and size is not None:
        raise UsageError("Both a scale and a size were given.", hint="Give one of them.")
    if scale is not None:
        _check_scale(scale)


def _check_scale(scale: Fraction) -> None:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise UsageError(
            f"A scale of x{float(scale):g} is out of range.", hint=f"Choose x{MIN_SCALE:g} to x{MAX_SCALE:g}."
        )


def rect_of(grid: Grid, region: Rect | None) -> Rect:
    """Return ``region``, or all of ``grid`` if it is None.

    Args:
        grid: the size of the full picture.
        region: the region, in pixels of the grid.

    Raises:
        UsageError: pixels of the region lie outside the grid, or they are more than a picture file can hold.
    """
    rect = grid.rect if region is None else region
    if not grid.rect.contains(rect):
        raise UsageError(
            f"{rect.width}x{rect.height} pixels at {rect.x},{rect.y} leave the picture, which is {grid} at this scale.",
            hint="Choose a region inside it.",
        )
    # FFmpeg's own bound on a picture, for 8 bytes a pixel.
    if 8 * (rect.width + 128) * (rect.height + 128) >= _FFMPEG_LIMIT:
        raise UsageError(
            f"A picture of {rect.width}x{rect.height} pixels is larger than a file can hold.",
            hint="Choose a smaller scale, or a region of the picture.",
        )
    return rect


def stretch_note(info: ClipInfo, grid: Grid) -> str:
    """Return the sentence that ``grid`` stretches the picture of the clip ``info``; empty if it does not.

    Pixels that are not square make up for the shape (:func:`output_aspect`), so nothing is said of them.
    """
    if info.pixel_aspect != 1:
        return ""
    off = abs(Fraction(grid.width * info.height, grid.height * info.width) - 1)
    # A scale rounds each side to a pixel.
    if off <= max(_SEEN_STRETCH, Fraction(1, min(grid.width, grid.height))):
        return ""
    return f"{grid} has another shape than the clip ({info.grid}): the picture is stretched. A scale keeps its shape."


def output_aspect(info: ClipInfo, grid: Grid) -> Fraction:
    """Return the pixel aspect (width by height) of pictures of ``grid``, with which they show as the clip does.

    Where the clip's pixels are square, those of the output are too: another shape of the grid is then a wish.
    """
    if info.pixel_aspect == 1 or not 1 / _WILD_ASPECT <= info.pixel_aspect <= _WILD_ASPECT:
        return Fraction(1)
    stretch = Fraction(info.width * grid.height, info.height * grid.width)
    # A scale rounds each side to a pixel.
    rounding = Fraction(1, min(grid.width, grid.height))
    aspect = info.pixel_aspect if abs(stretch - 1) <= rounding else info.pixel_aspect * stretch
    return Fraction(1) if abs(aspect - 1) <= rounding else aspect.limit_denominator(_MAX_ASPECT)
