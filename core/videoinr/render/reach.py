"""Decides whether the motion in view is beyond the model's reach, without flickering from pair to pair."""

from __future__ import annotations

from videoinr.types import GUESS_DB

SURE_DB = GUESS_DB + 1.5
"""Expected PSNR above which a pair no longer counts as beyond reach, if the pair before it did."""


class ReachWatch:
    """Decides pair by pair whether the motion is beyond reach, with two thresholds.

    Attributes:
        is_beyond: the present answer.
    """

    def __init__(self) -> None:
        self.is_beyond = False

    def note(self, expected_db: float | None) -> bool:
        """Take the expected PSNR of the pair in view, None if it is not known, and return the answer."""
        if expected_db is not None:
            self.is_beyond = expected_db < (SURE_DB if self.is_beyond else GUESS_DB)
        return self.is_beyond
