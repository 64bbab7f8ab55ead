"""Selects which of the rendered pictures are drawn, and in which order. No Qt; reads no pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

from videoinr.types import Quality, RegionQuery, RenderedRegion

UnitBox = tuple[float, float, float, float]
"""(left, top, right, bottom), 0..1 across the full frame."""
MAX_REGIONS = 8


def unit_box(query: RegionQuery) -> UnitBox:
    """Return the box of the full frame that ``query`` covers."""
    rect, grid = query.rect, query.grid
    return rect.x / grid.width, rect.y / grid.height, rect.right / grid.width, rect.bottom / grid.height


def covers(outer: UnitBox, inner: UnitBox) -> bool:
    """Return whether ``outer`` hides all of ``inner``, up to a rounding error."""
    tiny = 1e-9
    return (
        outer[0] <= inner[0] + tiny
        and outer[1] <= inner[1] + tiny
        and outer[2] >= inner[2] - tiny
        and outer[3] >= inner[3] - tiny
    )


@dataclass(eq=False)
class PictureStack:
    """The newest source frame, and above it the rendered regions that no better region covers, bottom to top.

    A region is removed only when another one covers it, so the screen never goes blank. Regions of the newest
    instant lie above those of older instants. Among regions of one instant a better one lies above, whatever their
    order. The source frame is for comparisons: regions stay above it.
    """

    source: RenderedRegion | None = None
    regions: list[RenderedRegion] = field(default_factory=list)

    def add(self, new: RenderedRegion) -> None:
        """Add a rendered region, or take a new source frame."""
        if new.quality is Quality.SOURCE:
            self.source = new
            return
        box = unit_box(new.query)
        kept = [old for old in self.regions if not _hides(new, box, old)]
        place = len(kept)
        while place and _is_better(kept[place - 1], new):
            place -= 1
        kept.insert(place, new)
        self.regions = kept[-MAX_REGIONS:]

    def full_for(self, query: RegionQuery | None) -> RenderedRegion | None:
        """Return the full picture of exactly ``query``, or None if there is none yet."""
        for region in reversed(self.regions):
            if region.quality is Quality.FULL and region.query == query:
                return region
        return None

    def to_draw(self, visible: UnitBox) -> list[RenderedRegion]:
        """Return the regions to paint for the ``visible`` box of the frame, bottom to top, without hidden ones."""
        layers = [self.source, *self.regions] if self.source else list(self.regions)
        for index in range(len(layers) - 1, 0, -1):
            if covers(unit_box(layers[index].query), visible):
                return layers[index:]
        return layers


def _is_better(old: RenderedRegion, new: RenderedRegion) -> bool:
    # The full picture of a view has the screen's own pixels: a finer one of another zoom would be resampled.
    return new.quality is not Quality.FULL and _is_same_instant(old, new) and old.rank > new.rank


def _is_same_instant(old: RenderedRegion, new: RenderedRegion) -> bool:
    return old.query.instant == new.query.instant


def _hides(new: RenderedRegion, box: UnitBox, old: RenderedRegion) -> bool:
    return not _is_better(old, new) and covers(box, unit_box(old.query))
