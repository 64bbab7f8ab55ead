"""Answers questions about the representation: motion at any instant, the way of a point, where motion is doubtful."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from videoinr.cancel import CancelToken
from videoinr.decode.failure import FailureMaps
from videoinr.decode.flow import decode_flow
from videoinr.decode.shares import decode_first_share, mixes_frames
from videoinr.decode.trajectory import follow
from videoinr.geometry import Grid, Rect
from videoinr.model.projected_regions import OutsidePartError
from videoinr.model.representation import Features
from videoinr.render import visible_part
from videoinr.render.footing import Footing, Footings
from videoinr.render.inspected import Between, BlendMask, Doubt, FlowField, Place, Trajectory
from videoinr.types import Instant, RegionQuery

TICKS = 16
"""Steps of a trajectory from one frame to the next."""


class FeaturesOf(Protocol):
    """Returns the features of two frames, encoding them first where needed: all of them, or at least ``needed``."""

    def __call__(self, footing: Footing, token: CancelToken, needed: Rect | None = None, /) -> Features:
        """Return the features; raises as encoding does."""


class FailureOf(Protocol):
    """Returns the measured failure of two frames, whose features are given."""

    def __call__(self, footing: Footing, features: Features, /) -> FailureMaps:
        """Return the measure."""


class Inspector:
    """Reads the motion of one clip's encoded pairs; part of an engine, whose caches it uses.

    Instants are looked at where their pictures come from: across a cut in the nearer scene, at a repeated frame in the
    distinct frames around it. All methods raise as :meth:`videoinr.render.engine.Engine.encode`.
    """

    def __init__(self, clip: Grid, footings: Footings, features_of: FeaturesOf, failure_of: FailureOf) -> None:
        self._clip, self._footings, self._features_of, self._failure_of = clip, footings, features_of, failure_of

    def flow(self, query: RegionQuery, token: CancelToken) -> FlowField:
        """Decode M(x, t) at the pixels of ``query``, whose grid may be coarser or finer than the clip's."""
        footing = self._footings.nearest(query.instant, token)
        features = self._features_of(footing, token, visible_part.around(query, self._clip))
        flow = decode_flow(features.in_float32(), float(footing.phase), token, grid=query.grid, rect=query.rect)
        return FlowField(query, _between(footing), flow.cpu().numpy(), self._footings.kind(query.instant.pair, token))

    def trajectory(self, instant: Instant, place: Place, token: CancelToken) -> Trajectory:
        """Follow the point that is at ``place`` (clip pixels) at ``instant``, through all its time between two frames.

        There is a tick at every sixteenth of that time.
        """
        footing = self._footings.nearest(instant, token)
        phases = tuple(Fraction(tick, TICKS) for tick in range(TICKS + 1))
        needed = visible_part.widened(_pixel_at(place, self._clip), self._clip)
        while True:
            features = self._features_of(footing, token, needed).in_float32()
            try:
                places = follow(features, (footing.phase, place), phases, token)
            except OutsidePartError as error:  # Of large frames, only what is needed is encoded.
                needed = visible_part.widened(error.rect, self._clip)
            else:
                return Trajectory(instant, place, _between(footing), phases, tuple(places))

    def blend_mask(self, query: RegionQuery, token: CancelToken) -> BlendMask:
        """Decode the shares of both warped frames at the pixels of ``query``."""
        footing, share = self._footings.nearest(query.instant, token), None
        needed = visible_part.around(query, self._clip)
        while share is None:
            features = self._features_of(footing, token, needed).in_float32()
            if not mixes_frames(features):
                break
            try:
                share = decode_first_share(features, float(footing.phase), token, grid=query.grid, rect=query.rect)
            except OutsidePartError as error:  # Of large frames, only what is needed is encoded.
                needed = needed.union(visible_part.widened(error.rect, self._clip))
        kind = self._footings.kind(query.instant.pair, token)
        return BlendMask(query, _between(footing), None if share is None else share.cpu().numpy(), kind)

    def doubt(self, instant: Instant, token: CancelToken) -> Doubt:
        """Return where the motion around ``instant`` was not found well (see decode/failure.py)."""
        footing = self._footings.nearest(instant, token)
        failure = self._failure_of(footing, self._features_of(footing, token)).value
        return Doubt(instant, _between(footing), failure, self._footings.kind(instant.pair, token))


def _pixel_at(place: Place, clip: Grid) -> Rect:
    x, y = (min(max(int(at), 0), side - 1) for at, side in zip(place, (clip.width, clip.height), strict=True))
    return Rect(x, y, 1, 1)


def _between(footing: Footing) -> Between:
    return Between(footing.first, footing.second, footing.phase)
