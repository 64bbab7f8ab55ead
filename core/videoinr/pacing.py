"""Draft while moving, full at rest: the policy is the table below, fed with the measured speed.

| situation                                             | what is rendered                                      |
|-------------------------------------------------------|-------------------------------------------------------|
| the source frame under the instant changed            | that frame, as it is, at once                         |
| the pair is not encoded, and the view is moving       | nothing more until it dwells on the pair DWELL_SECS   |
| full is expected within DRAFT_SECS                    | full at once                                          |
| otherwise                                             | the finest draft expected within DRAFT_SECS           |
| after a draft, nothing newer for REST_SECS            | full (at once when the request was not moving)        |
"""

from __future__ import annotations

DRAFT_SECS = 0.05
"""A draft must be expected within this time, so that dragging redraws at 10 Hz or more with room to spare."""
REST_SECS = 0.09
"""A view that moved is at rest when nothing newer came for this long; then the full picture is decoded."""
DWELL_SECS = 0.06
"""How long a moving view must stay on a pair that is not encoded before its encoding starts."""
DRAFT_DIVISORS = (1, 2, 4, 8)
"""By how much a draft's grid may be coarser than the screen, each way; powers of two, so that tiles are reused."""


class SpeedMeter:
    """Seconds per decoded pixel, a running mean that follows changes within a few pictures."""

    def __init__(self, secs_per_pixel: float = 2e-6) -> None:
        # The first guess is a slow laptop: the first picture is then a draft, and the second one knows better.
        self.secs_per_pixel = secs_per_pixel

    def add(self, pixels: int, elapsed_secs: float) -> None:
        """Take in that ``pixels`` pixels took ``elapsed_secs``."""
        # Tiny pictures measure the overhead of a call, not the speed.
        if pixels >= 1024:
            self.secs_per_pixel += 0.4 * (elapsed_secs / pixels - self.secs_per_pixel)

    def expected_secs(self, pixels: int) -> float:
        """How long ``pixels`` pixels will take."""
        return pixels * self.secs_per_pixel


def draft_divisor(pixels: int, meter: SpeedMeter) -> int:
    """How much coarser than the screen the first picture should be; 1 means full at once."""
    for divisor in DRAFT_DIVISORS:
        if meter.expected_secs(pixels // divisor**2) <= DRAFT_SECS:
            return divisor
    return DRAFT_DIVISORS[-1]
