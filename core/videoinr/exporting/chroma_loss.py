"""Whether the file of an export has fewer colour samples (chroma) than the clip."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from videoinr.exporting.codecs import Codec
from videoinr.exporting.job import ExportJob
from videoinr.types import ClipInfo

if TYPE_CHECKING:
    import av

_SUBSAMPLING = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0", (4, 4): "4:1:0"}
"""What people call chroma of one sample for so many columns and rows of luma."""
_BLOCK = 16
"""A side that all of them divide."""


def chroma_loss(job: ExportJob, codec: Codec, info: ClipInfo, *, deep: bool) -> str:
    """Return in words that the file of ``job`` has fewer colour samples than the clip ``info``; empty if it has not.

    An output of twice the clip's size has as many at 4:2:0 as the clip at 4:4:4, so nothing is lost there.

    Args:
        job: the export.
        codec: its codec.
        info: the clip.
        deep: whether the file has more than 8 bits.
    """
    import av

    from videoinr.clip.pixels import family_of
    from videoinr.colour import PixelFamily

    source = av.VideoFormat(info.pix_fmt)
    family = family_of(source)
    if family is PixelFamily.GREY:
        return ""
    out = av.VideoFormat(codec.pix_fmt_for(*job.size_px, deep=deep, alpha=job.keeps_alpha))
    grid, (across, down), (out_across, out_down) = job.grid, _as_shown(source, info), _steps(out)
    is_coarser = _is_coarser(info.width, grid.width, across, out_across)
    if not is_coarser and not _is_coarser(info.height, grid.height, down, out_down):
        return ""
    name = "RGB" if family is PixelFamily.RGB else _SUBSAMPLING.get((across, down), "more")
    return f"colour samples (the clip has {name}, the file {_SUBSAMPLING[out_across, out_down]})"


def _is_coarser(clip_px: int, grid_px: int, clip_step: int, out_step: int) -> bool:
    """Return whether a side of the output has fewer colour samples than its pixels could show of the clip's."""
    return out_step > clip_step and Fraction(grid_px, out_step) < min(Fraction(grid_px), Fraction(clip_px, clip_step))


def _steps(layout: av.VideoFormat) -> tuple[int, int]:
    """Return how many columns and rows of luma share a sample of chroma."""
    return _BLOCK // layout.chroma_width(_BLOCK), _BLOCK // layout.chroma_height(_BLOCK)


def _as_shown(layout: av.VideoFormat, info: ClipInfo) -> tuple[int, int]:
    """Return the same for a clip's columns and rows as they are shown, perhaps turned."""
    across, down = _steps(layout)
    return (down, across) if info.rotation % 180 else (across, down)
