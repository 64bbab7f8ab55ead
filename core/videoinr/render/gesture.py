"""The present movement of the view, so that the pictures of one gesture do not alternate in sharpness."""

from __future__ import annotations

from videoinr.types import Quality, RenderRequest

REST_SECS = 0.09
"""A moving view is at rest when no newer request came for this long,"""
REST_INTERVALS = 2.5
"""or, where requests come slowly, for this many times the interval between them,"""
MOST_REST_SECS = 0.5
"""but not longer than this. A gesture ends when the view has been at rest for so long."""


class Gesture:
    """One gesture after the other: a run of moving requests without a rest between them."""

    def __init__(self) -> None:
        self.interval_secs = 0.0
        """How long after the request before it the last one came; 0 at the start of a gesture."""
        self._pair, self._pair_since_secs = -1, 0.0
        self._has_decoded = False
        self.secs_per_pair = float("inf")
        """How long the gesture stays on a pair: seconds between the last two pairs, by their distance."""
        self.keeps_to_motion = False
        """Whether the gesture has fallen back to motion drafts. It shows nothing else until it ends."""

    @property
    def rest_secs(self) -> float:
        """How long no newer request must come until the view is at rest."""
        return min(max(REST_SECS, REST_INTERVALS * self.interval_secs), MOST_REST_SECS)

    def note(self, request: RenderRequest, asked_at_secs: float, interval_secs: float) -> None:
        """Record a request that is answered; a resting one ends the gesture.

        Args:
            request: the request.
            asked_at_secs: when it came, on any clock.
            interval_secs: how long after the request before it, which may not have been answered.
        """
        pair = request.query.instant.pair
        if not request.moving or interval_secs > self.rest_secs:
            self.interval_secs, self.secs_per_pair = 0.0, float("inf")
            self._has_decoded = self.keeps_to_motion = False
        else:
            self.interval_secs = interval_secs
            if pair != self._pair:
                self.secs_per_pair = (asked_at_secs - self._pair_since_secs) / abs(pair - self._pair)
        if pair != self._pair:
            self._pair, self._pair_since_secs = pair, asked_at_secs

    def note_shown(self, quality: Quality) -> None:
        """Record that a picture was shown."""
        if quality is Quality.MOTION:
            self.keeps_to_motion = self.keeps_to_motion or self._has_decoded
        else:
            self._has_decoded = True
