"""Which of the pictures that arrived are worth drawing, and in which order. No Qt, no pixels touched."""

from __future__ import annotations

from dataclasses import dataclass, field

from videoinr.types import Quality, RegionQuery, RenderedRegion

UnitBox = tuple[float, float, float, float]
"""(left, top, right, bottom), 0..1 across the full frame."""
MAX_REGIONS = 8


def unit_box(query: RegionQuery) -> UnitBox:
    """The part of the full frame that ``query`` covers."""
    rect, grid = query.rect, query.grid
    return rect.x / grid.width, rect.y / grid.height, rect.right / grid.width, rect.bottom / grid.height


def covers(outer: UnitBox, inner: UnitBox) -> bool:
    """Whether ``outer`` hides all of ``inner`` (to within a rounding error)."""
    tiny = 1e-9
    return (
        outer[0] <= inner[0] + tiny
        and outer[1] <= inner[1] + tiny
        and outer[2] >= inner[2] - tiny
        and outer[3] >= inner[3] - tiny
    )


@dataclass(eq=False)
class PictureStack:
    """The newest source frame, and above it the decoded regions that nothing better covers, bottom to top.

    Nothing is removed before something covers its place, so the screen never goes blank. Regions of the newest
    instant lie above those of older ones; among them a draft lies below what is finer already.
    """

    source: RenderedRegion | None = None
    regions: list[RenderedRegion] = field(default_factory=list)

    def add(self, new: RenderedRegion) -> None:
        """Take in what arrived. A source frame covers everything: it is of a later request than the regions."""
        if new.quality is Quality.SOURCE:
            self.source, self.regions = new, []
            return
        box = unit_box(new.query)
        kept = [old for old in self.regions if not _hides(new, box, old)]
        place = len(kept)
        while place and _is_finer(kept[place - 1], new):
            place -= 1
        kept.insert(place, new)
        self.regions = kept[-MAX_REGIONS:]

    def full_for(self, query: RegionQuery | None) -> RenderedRegion | None:
        """The full picture that answers exactly ``query``, if it has come."""
        for region in reversed(self.regions):
            if region.quality is Quality.FULL and region.query == query:
                return region
        return None

    def to_draw(self, visible: UnitBox) -> list[RenderedRegion]:
        """What to paint for the ``visible`` part of the frame, bottom to top, less what is hidden anyway."""
        layers = [self.source, *self.regions] if self.source else list(self.regions)
        for index in range(len(layers) - 1, 0, -1):
            if covers(unit_box(layers[index].query), visible):
                return layers[index:]
        return layers


def _is_finer(old: RenderedRegion, new: RenderedRegion) -> bool:
    is_draft, is_same_instant = new.quality is Quality.DRAFT, old.query.instant == new.query.instant
    return is_draft and is_same_instant and old.query.grid.width > new.query.grid.width


def _hides(new: RenderedRegion, box: UnitBox, old: RenderedRegion) -> bool:
    return not _is_finer(old, new) and covers(box, unit_box(old.query))
