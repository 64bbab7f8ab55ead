"""The first frames of a video: decoded while it is opened, or known from another opening, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from videoinr.colour import ColourTags

if TYPE_CHECKING:
    import av


@dataclass(frozen=True)
class FrameFacts:
    """What one frame says: its time in ticks (None if unknown), its stored size, whether it is damaged."""

    pts: int | None
    width: int
    height: int
    is_corrupt: bool


@dataclass(frozen=True)
class HeadFacts:
    """What the first frames say.

    Attributes:
        pts: the times of all frames that were decoded, ticks; None where one is unknown.
        errors: how many packets the decoder refused meanwhile.
        frames: the first of the frames; as many as a budget of bytes allows, at least one.
        format: FFmpeg's name of the first frame's pixel format.
        tags: the first frame's colour tags.
        turns: how to set it upright, (clockwise quarter turns, mirrored before); None if no quarter turns do.
        is_interlaced: whether any frame says that it is.
        field_order: FFmpeg's field order of the stream, as the decoder knows it by then.
        siting: where its chroma samples lie; None where its frames say so themselves.
        notes: sentences about transparent pixels.
        timecodes: those of the first frames (H.264, H.265); an empty text where one has none.
    """

    pts: tuple[int | None, ...]
    errors: int
    frames: tuple[FrameFacts, ...]
    format: str
    tags: ColourTags
    turns: tuple[int, bool] | None
    is_interlaced: bool
    field_order: int
    siting: str | None = None
    notes: tuple[str, ...] = ()
    timecodes: tuple[str, ...] = ()

    @property
    def times(self) -> list[int] | None:
        """The frames' times, in ticks; None if some are missing or they do not increase."""
        times = [time for time in self.pts if time is not None]
        return times if len(times) == len(self.pts) and sorted(set(times)) == times else None

    @property
    def size(self) -> tuple[int, int]:
        """The first frame's stored (width, height)."""
        return self.frames[0].width, self.frames[0].height


@dataclass(frozen=True, eq=False)
class Head:
    """The first frames of an open file.

    Attributes:
        facts: what they say.
        frames: the frames of ``facts.frames``; none if the facts are known from another opening, which decoded them.
        packets: how many packets of the open file were decoded.
    """

    facts: HeadFacts
    frames: list[av.VideoFrame] = field(default_factory=list)
    packets: int = 0

    @property
    def is_known(self) -> bool:
        """Whether the facts are known from another opening, and the open file is at its start."""
        return not self.frames

    @property
    def decoded(self) -> int:
        """How many frames of the open file were decoded."""
        return 0 if self.is_known else len(self.facts.pts)
