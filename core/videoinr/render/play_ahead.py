"""Renders the pictures that playback will show, while no request waits, and keeps them in the play cache.

A picture is rendered whole at rest. While playback asks for motion drafts, it is rendered in bands of one row of tiles,
between which they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from videoinr.cancel import CancelToken
from videoinr.geometry import Rect
from videoinr.playing.cache import PlayCache
from videoinr.render.renderer import Renderer
from videoinr.types import Quality, RegionQuery, RenderedRegion

BAND_ROWS = 128
"""Rows of a band, counted from the grid's first row: those of a tile on a CPU, so that no tile is computed twice."""


class PlayAhead:
    """The part of the play cache that belongs to one open clip. Lives on the render thread.

    Args:
        renderer: reads, encodes and decodes the clip.
        cache: keeps the pictures; None: none are rendered.
    """

    def __init__(self, renderer: Renderer, cache: PlayCache | None) -> None:
        self._renderer, self._cache = renderer, cache
        self._source = renderer.opened.source_id

    def next_query(self) -> RegionQuery | None:
        """Return the picture to render next, or None."""
        return None if self._cache is None else self._cache.next_wanted(self._source)

    def get(self, query: RegionQuery) -> RenderedRegion | None:
        """Return the full picture of ``query``, if it was kept."""
        return None if self._cache is None else self._cache.fetch(self._source, query)

    def put(self, region: RenderedRegion) -> None:
        """Keep ``region``, a full picture."""
        if self._cache is not None:
            self._cache.put(self._source, region)

    def give_up(self) -> None:
        """Render nothing ahead until the plan changes."""
        if self._cache is not None:
            self._cache.give_up()

    def render(self, query: RegionQuery, token: CancelToken, between: CancelToken | None) -> None:
        """Render ``query``, whose pair is encoded, and keep it.

        Args:
            query: the picture.
            token: cancels the work between tiles.
            between: checked between bands, on this thread; None: the picture is rendered whole.
        """
        if between is None:
            self.put(self._renderer.render(query, Quality.FULL, token))
            return
        parts = []
        for band in bands(query.rect):
            between.check()
            parts.append(self._renderer.render(replace(query, rect=band), Quality.FULL, token))
        rgbx = np.concatenate([part.rgbx for part in parts])
        elapsed_secs = sum(part.elapsed_secs for part in parts)
        self.put(replace(parts[-1], query=query, rgbx=rgbx, elapsed_secs=elapsed_secs))


def bands(rect: Rect) -> Iterator[Rect]:
    """Yield the parts of ``rect`` between multiples of BAND_ROWS, from top to bottom."""
    top = rect.y
    while top < rect.bottom:
        bottom = min((top // BAND_ROWS + 1) * BAND_ROWS, rect.bottom)
        yield Rect.from_edges(rect.x, top, rect.right, bottom)
        top = bottom
