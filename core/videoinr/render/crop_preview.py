"""Crops of a clip's frames that are encoded for a quick draft, where encoding whole frames would take long.

An encoder's finest level takes most of its time, and there a pixel depends hardly on pixels more than one or two dozen
away. So a zoomed view first gets a draft for which that level is computed on a crop of both frames: the visible pixels
and a margin. (Which motion is found may depend on far more: the search below that level is that of whole frames.) Full
pictures are decoded from whole frames alone. Coordinates are (x, y); rectangles of ``clip`` are in clip pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from videoinr.geometry import Grid, Rect, rect_on_grid
from videoinr.types import PairKey, RegionQuery

if TYPE_CHECKING:
    from videoinr.model.representation import Features

MARGIN_PX = 16
"""Clip pixels that are encoded around the visible ones."""
LEAST_MARGIN_PX = 8
"""A crop is used for a view that moved on as long as this much of its margin is left."""
STEP_PX = 8
"""Crops begin and end at multiples of this, so that an encoder's pyramid halves them as it halves whole frames."""
MOST_SHARE = 0.5
"""A crop larger than this share of the frame does not pay."""


def crop_around(query: RegionQuery, clip: Grid) -> Rect | None:
    """Return the crop to encode for ``query``.

    Args:
        query: the view, on any grid.
        clip: the size of the clip's frames.

    Returns:
        The visible pixels of ``clip`` and a margin, or None if that is more than MOST_SHARE of the frame, or if the
        lines of the view lie in several pairs, of which each would need a crop.
    """
    if query.readout is not None:
        return None
    needed = _widened(query, clip, MARGIN_PX)
    left, top = needed.x // STEP_PX * STEP_PX, needed.y // STEP_PX * STEP_PX
    right, bottom = min(clip.width, _rounded_up(needed.right)), min(clip.height, _rounded_up(needed.bottom))
    crop = Rect.from_edges(left, top, right, bottom)
    return crop if crop.area <= MOST_SHARE * clip.rect.area else None


def is_enough(crop: Rect, query: RegionQuery, clip: Grid) -> bool:
    """Return whether features of ``crop`` cover ``query`` with at least LEAST_MARGIN_PX around it.

    Args:
        crop: the encoded crop, in clip pixels.
        query: the view, on any grid.
        clip: the size of the clip's frames.
    """
    return crop.contains(_widened(query, clip, LEAST_MARGIN_PX))


@dataclass(frozen=True, eq=False)
class EncodedCrop:
    """The features of the crop ``rect`` of a pair's frames."""

    key: PairKey
    rect: Rect
    features: Features

    @property
    def name(self) -> PairKey:
        """A key for the decoder's caches, different for each crop and from the key of the whole pair."""
        return replace(self.key, clip=f"{self.key.clip} {self.rect}")

    def serves(self, key: PairKey, query: RegionQuery, clip: Grid) -> bool:
        """Return whether a draft of ``query`` of the pair ``key`` can be decoded from this crop (:func:`is_enough`)."""
        return self.key == key and is_enough(self.rect, query, clip)


def on_whole_pixels(query: RegionQuery, clip: Grid, most: Grid | None = None) -> RegionQuery:
    """Return ``query`` on the next coarser grid whose size is a whole multiple of the clip's.

    On such a grid the edges of every crop lie between pixels.

    Args:
        query: the view, on any grid.
        clip: the size of the clip's frames.
        most: the finest grid to decode (enlarged.py); None: any.
    """
    times = _times(query, clip)
    if most is not None:
        times = max(1, min(times, most.width // clip.width))
    grid = Grid(clip.width * times, clip.height * times)
    return RegionQuery(query.instant, grid, rect_on_grid(query.rect, query.grid, grid))


def query_on_crop(crop: Rect, query: RegionQuery, clip: Grid) -> RegionQuery:
    """Return ``query`` as a query to a clip that consists of ``crop`` alone.

    Args:
        crop: the crop, in clip pixels.
        query: the view, as :func:`on_whole_pixels` returned it.
        clip: the size of the clip's frames.
    """
    times, rect = _times(query, clip), query.rect
    moved = Rect(rect.x - crop.x * times, rect.y - crop.y * times, rect.width, rect.height)
    return RegionQuery(query.instant, Grid(crop.width * times, crop.height * times), moved)


def _times(query: RegionQuery, clip: Grid) -> int:
    return max(1, query.grid.width // clip.width)


def _widened(query: RegionQuery, clip: Grid, margin: int) -> Rect:
    visible = rect_on_grid(query.rect, query.grid, clip)
    left, top = max(0, visible.x - margin), max(0, visible.y - margin)
    right, bottom = min(clip.width, visible.right + margin), min(clip.height, visible.bottom + margin)
    return Rect.from_edges(left, top, right, bottom)


def _rounded_up(edge: int) -> int:
    return -(-edge // STEP_PX) * STEP_PX
