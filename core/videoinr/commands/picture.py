"""Which grid and which pixels of it a command line asks for."""

from __future__ import annotations

from fractions import Fraction

from videoinr.errors import UsageError
from videoinr.geometry import Grid, Rect, grid_from_scale
from videoinr.render.view import MAX_SCALE, MIN_SCALE
from videoinr.types import ClipInfo

_FFMPEG_LIMIT = 2**31


def grid_of(info: ClipInfo, *, scale: Fraction | None, size: Grid | None, default_scale: int) -> Grid:
    """The grid of the clip at ``scale``, or of ``size`` (width x height), or at ``default_scale``.

    UsageError for both at once, or a scale outside MIN_SCALE ... MAX_SCALE of :mod:`videoinr.render.view`.
    """
    if scale is not None and size is not None:
        raise UsageError("Both --scale and --size were given.", hint="Give one of them.")
    if size is None:
        _check_scale(Fraction(default_scale) if scale is None else scale)
        return grid_from_scale(info.width, info.height, float(default_scale if scale is None else scale))
    for pixels, clip_pixels in ((size.width, info.width), (size.height, info.height)):
        _check_scale(Fraction(pixels, clip_pixels))
    return size


def _check_scale(scale: Fraction) -> None:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise UsageError(
            f"That is scale x{float(scale):g}; the program decodes x{MIN_SCALE:g} to x{MAX_SCALE:g}.",
            hint="Choose a scale in that range.",
        )


def rect_of(grid: Grid, asked: Rect | None) -> Rect:
    """The pixels ``asked`` for, by default all of ``grid``. UsageError if some lie outside, or they are too many."""
    rect = grid.rect if asked is None else asked
    if not grid.rect.contains(rect):
        raise UsageError(
            f"{rect.width}x{rect.height} pixels at {rect.x},{rect.y} leave the picture, which is {grid} at this scale.",
            hint="Choose a part that lies inside.",
        )
    # FFmpeg's own bound on a picture, for 8 bytes a pixel.
    if 8 * (rect.width + 128) * (rect.height + 128) >= _FFMPEG_LIMIT:
        raise UsageError(
            f"A picture of {rect.width}x{rect.height} pixels is larger than a file can hold.",
            hint="Choose a smaller scale, or a part of the picture.",
        )
    return rect
