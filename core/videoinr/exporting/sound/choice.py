"""What a user wants to happen with the sound, and which part of the clip an output shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Literal

from videoinr.errors import UsageError

SoundName = Literal["keep", "copy", "encode", "none"]


class SoundChoice(Enum):
    """What a user wants to happen with the sound."""

    KEEP = "keep"
    """Copied where it fits, encoded otherwise."""
    COPY = "copy"
    """Copied, or the export is refused."""
    ENCODE = "encode"
    """Encoded to the exact length."""
    NONE = "none"
    """Left out."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of the clip an output shows, and how fast.

    Attributes:
        start_secs: the clip's second at the start of the output.
        is_whole: whether the output shows the clip from its start to its end.
        speed: clip seconds per output second.
    """

    start_secs: Fraction
    is_whole: bool
    speed: Fraction


def sound_named(name: str) -> SoundChoice:
    """Return the choice of that name. Raises UsageError."""
    try:
        return SoundChoice(name)
    except ValueError:
        raise UsageError(
            f"There is no way “{name}” of treating sound.",
            hint=f"Choose one of: {', '.join(each.value for each in SoundChoice)}.",
        ) from None
