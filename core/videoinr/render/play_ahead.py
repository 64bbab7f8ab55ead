"""Renders the pictures that playback will show, while no request waits, and keeps them in the play cache."""

from __future__ import annotations

import math
from dataclasses import replace

from videoinr.playing.cache import PlayCache
from videoinr.render.interlude import InterludeToken
from videoinr.render.renderer import Renderer
from videoinr.types import Quality, RegionQuery, RenderedRegion

_ALONE = 0.05
"""A picture is rendered alone if what is done beside it takes no larger share of its time: to look is work, too."""


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

    def render(self, query: RegionQuery, token: InterludeToken) -> None:
        """Render ``query``, whose pair is encoded, and keep it. ``token``: cancels the work between tiles.

        What is drawn beside it for others shares the cores with it: then it does not say how long it took.
        """
        before_secs = token.spent_secs
        region = self._renderer.render(query, Quality.FULL, token)
        is_alone = token.spent_secs - before_secs <= _ALONE * region.elapsed_secs
        self.put(region if is_alone else replace(region, elapsed_secs=math.nan))
