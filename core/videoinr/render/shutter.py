"""Shutter synthesis: the mean, in light, of the pictures of an exposure, as a camera's shutter would make it.

The exposure is a stretch of the clip's time around the picture's instant. It ends where the scene does: at the frame
before a cut and the one after it, and at the clip's first and last frame. So many instants are decoded that things
move by about one pixel of the grid from one to the next. An exposure without motion is the plain picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import ceil

import numpy as np
import torch
from torch import Tensor

from videoinr.clip.linear_light import light_from_srgb
from videoinr.timeline import Timeline
from videoinr.types import Instant, PairKind, RegionQuery, Segment

MOST_INSTANTS = 64
UNKNOWN_INSTANTS = 16
"""So many pictures are decoded where the model finds no motion (it warps no frames)."""

KindOf = Callable[[int], PairKind]
MovedPx = Callable[[int], float | None]


def within_scene(exposure: Segment, instant: Instant, timeline: Timeline, kind: KindOf) -> tuple[Fraction, Fraction]:
    """Return the part of ``exposure`` that lies in the scene of ``instant``, (start, end) in seconds.

    Args:
        exposure: the stretch of time, which holds the instant.
        instant: the instant of the picture.
        timeline: the clip's frame times.
        kind: tells whether there is a cut in a pair; asked for the pairs that the exposure reaches.

    Returns:
        Start and end are equal if the instant lies between the two frames of a cut, or in a clip of one frame.
    """
    time = timeline.time_from_instant(instant)
    start = max(exposure.start_secs, Fraction(0))
    end = min(exposure.end_secs, timeline.frame_time(timeline.last_frame))
    if not start <= time <= end or timeline.frame_count == 1:
        return time, time
    first = last = instant.pair
    if kind(instant.pair) is PairKind.CUT:
        if not instant.is_source:
            return time, time
        first, last = (first, last + 1) if instant.phase else (first - 1, last)
        start, end = (time, end) if instant.phase else (start, time)
    while first >= 0 and start < timeline.frame_time(first + 1):
        if kind(first) is PairKind.CUT:
            start = timeline.frame_time(first + 1)
            break
        first -= 1
    while last < timeline.last_frame and timeline.frame_time(last) < end:
        if kind(last) is PairKind.CUT:
            end = timeline.frame_time(last)
            break
        last += 1
    return start, end


def exposed_instants(
    exposure: Segment, instant: Instant, timeline: Timeline, kind: KindOf, moved_px: MovedPx
) -> tuple[Instant, ...]:
    """Return the instants whose mean the picture is, evenly spread; ``instant`` alone if nothing moves.

    Args:
        exposure, instant, timeline, kind: as for :func:`within_scene`.
        moved_px: how far things move in a pair, pixels of the picture's grid; None where that is not known.
    """
    start, end = within_scene(exposure, instant, timeline, kind)
    count = _count(start, end, timeline, moved_px) if end > start else 1
    if count == 1:
        return (instant,)
    step = (end - start) / count
    return tuple(timeline.instant_from_time(start + step * (number + Fraction(1, 2))) for number in range(count))


def _count(start: Fraction, end: Fraction, timeline: Timeline, moved_px: MovedPx) -> int:
    moved = 0.0
    for pair in range(timeline.frame_at(start), timeline.last_frame):
        begin, stop = timeline.frame_time(pair), timeline.frame_time(pair + 1)
        if begin >= end:
            break
        way = moved_px(pair)
        if way is None:
            return UNKNOWN_INSTANTS
        moved += way * float((min(stop, end) - max(begin, start)) / (stop - begin))
        if moved >= MOST_INSTANTS:
            return MOST_INSTANTS
    return max(1, ceil(moved - 1e-3))


def by_parts(query: RegionQuery, picture: Callable[[RegionQuery], Tensor]) -> Tensor:
    """Return the picture [h, w, 4] of ``query``, a part of which may have an exposure of its own.

    Args:
        query: the region.
        picture: makes the picture of a query without such a part, in memory of its own.
    """
    inside, outer = part_of(query), replace(query, part=None)
    if inside is None:
        return picture(outer)
    if inside.rect == query.rect:
        return picture(inside)
    whole = picture(outer)
    whole[inside.rect.relative_to(query.rect).slices] = picture(inside)
    return whole


def part_of(query: RegionQuery) -> RegionQuery | None:
    """Return the query for those pixels of ``query`` that have an exposure of their own; None if there are none."""
    if query.part is None or query.part.exposure == query.exposure:
        return None
    rect = query.part.rect.intersection(query.rect)
    return None if rect is None else replace(query, rect=rect, exposure=query.part.exposure, part=None)


def mean_of_shares(pictures: Iterable[Tensor]) -> Tensor:
    """Return the mean of pictures whose levels are shares, not light, such as those of alpha; else as mean_in_light."""
    total: Tensor | None = None
    count, kind = 0, torch.uint8
    for picture in pictures:
        kind, count = picture.dtype, count + 1
        total = picture.float() if total is None else total.add_(picture)
    assert total is not None
    return total.div_(count).round_().to(kind)


def mean_in_light(pictures: Iterable[Tensor]) -> Tensor:
    """Return the mean of pictures in linear light; their levels are taken as sRGB.

    Args:
        pictures: uint8, or int32 of 16 bits, [h, w, 4], all of one shape and type.

    Returns:
        The same type and shape, rounded to the nearest level.
    """
    total: Tensor | None = None
    count, kind = 0, torch.uint8
    for picture in pictures:
        kind, count = picture.dtype, count + 1
        light = _lights(kind, picture.device).index_select(0, picture.reshape(-1).int()).view(picture.shape)
        total = light if total is None else total.add_(light)
    assert total is not None
    mean = total.div_(count)
    curve = mean.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    levels = torch.where(mean <= 0.0031308, 12.92 * mean, curve)
    return levels.clamp_(0, 1).mul_(255 if kind == torch.uint8 else 65535).round_().to(kind)


@cache
def _lights(kind: torch.dtype, device: torch.device) -> Tensor:
    """Return the light of each level, float32."""
    peak = 255 if kind == torch.uint8 else 65535
    return torch.from_numpy(light_from_srgb(np.arange(peak + 1, dtype=np.float32) / np.float32(peak))).to(device)
