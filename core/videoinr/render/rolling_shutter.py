"""Rolling-shutter correction: each line of a picture is decoded at the time at which the camera saw the scene there.

Most cameras read a frame line by line, so what moves sideways leans, and what moves up or down becomes longer or
shorter. Line y of H was read (y + 1/2) / H - 1/2 readouts after the middle of its frame. The representation has a time
for each pixel (eq. 1): the scene at time t, seen at line y, is what a frame would show there whose middle was read as
much earlier. So the phases of a picture's lines differ, and some lie in the pairs before and after. The picture is put
together from bands of lines, one for each pair, with the exact time of each line. Lines never leave the scene: beyond
a cut, or the clip's ends, they are held at the nearest frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

import torch
from torch import Tensor

from videoinr.geometry import LinePhases, Readout, Rect
from videoinr.render.footing import Footing
from videoinr.render.shutter import KindOf, within_scene
from videoinr.timeline import Timeline
from videoinr.types import Instant, RegionQuery, Segment

FootingOf = Callable[[Instant], Footing]
Draw = Callable[[Footing, RegionQuery], Tensor]
"""Draws a query to the frames of a footing: [h, w, 4]."""


def query_to(footing: Footing, query: RegionQuery, timeline: Timeline, kind: KindOf) -> RegionQuery:
    """Return ``query`` to the frames of ``footing``, that of its instant; as it is, for :func:`drawn`, if lines differ.

    Args:
        footing: the frames.
        query: the region.
        timeline, kind: as for :func:`bands`.
    """
    if query.readout is not None:
        start, end = _times_within(query, query.readout, timeline, kind)
        if start < end:
            return query
    return footing.query(replace(query, readout=None))


def drawn(query: RegionQuery, timeline: Timeline, kind: KindOf, footing_of: FootingOf, draw: Draw) -> Tensor:
    """Return the picture [h, w, 4] of ``query``, which has a readout, put together from its bands.

    Args:
        query, timeline, kind, footing_of: as for :func:`bands`.
        draw: draws a band; the next may be written over it.
    """
    assert query.readout is not None
    parts = [draw(footing, band).clone() for footing, band in bands(query, timeline, kind, footing_of)]
    return torch.cat(parts, 1 if query.readout.is_sideways else 0)


def bands(
    query: RegionQuery, timeline: Timeline, kind: KindOf, footing_of: FootingOf
) -> tuple[tuple[Footing, RegionQuery], ...]:
    """Return the bands of lines that the picture of ``query`` consists of, from its first line to its last.

    A line depends on the full frame alone, not on the region that asked for it.

    Args:
        query: the region, which has a readout.
        timeline: the clip's frame times.
        kind: tells whether there is a cut in a pair.
        footing_of: the frames and the phase that an instant within a scene is decoded from.

    Returns:
        For each band its frames, and its query to these.
    """
    readout, rect = query.readout, query.rect
    assert readout is not None
    if readout.is_sideways:
        first, last, count = rect.x, rect.right, query.grid.width
    else:
        first, last, count = rect.y, rect.bottom, query.grid.height
    time, (start, end) = timeline.time_from_instant(query.instant), _times_within(query, readout, timeline, kind)
    times = (min(max(time - readout.delay_secs(line, count), start), end) for line in range(first, last))
    footings = [footing_of(timeline.instant_from_time(each)) for each in times]
    found, line = list[tuple[Footing, RegionQuery]](), first
    for _, group in groupby(footings, key=lambda footing: (footing.first, footing.second)):
        band = list(group)
        found.append((band[0], _band_query(query, readout, line, band)))
        line += len(band)
    return tuple(found)


def _times_within(
    query: RegionQuery, readout: Readout, timeline: Timeline, kind: KindOf
) -> tuple[Fraction, Fraction]:  # fmt: skip
    """Return the first and the last time of the whole picture's lines; both are its own within a cut."""
    time, half = timeline.time_from_instant(query.instant), abs(readout.secs) / 2
    return within_scene(Segment(max(time - half, Fraction(0)), time + half), query.instant, timeline, kind)


def _band_query(query: RegionQuery, readout: Readout, line: int, band: Sequence[Footing]) -> RegionQuery:
    rect, phases = query.rect, tuple(float(footing.phase) for footing in band)
    if readout.is_sideways:
        part = Rect(line, rect.y, len(band), rect.height)
    else:
        part = Rect(rect.x, line, rect.width, len(band))
    # Lines that are held have one time, and are those of the plain picture.
    lines = LinePhases(line, phases, readout.is_sideways) if len(set(phases)) > 1 else None
    return replace(band[0].query(query), rect=part, readout=None, lines=lines)
