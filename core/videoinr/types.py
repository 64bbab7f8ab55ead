"""Every frozen value of the walk from a path to a picture, and nothing else.

    Path -> Clip, ClipInfo
    ViewState -> resolve -> RenderRequest(RegionQuery)
    FramePair -> encode -> PairFeatures -> decode(features, RegionQuery) -> RenderedRegion -> screen or file

The answer carries its question: a :class:`RenderedRegion` holds the :class:`RegionQuery` it answers.
What crosses a thread is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.colour import ColourSpec
from videoinr.geometry import Grid, Rect

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""[height, width, 3] RGB, full range; uint8 for clips of 8 bits, uint16 (0..65535) for deeper ones."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment between two source frames: ``phase`` 0 is frame ``pair``, 1 is frame ``pair + 1``."""

    pair: int
    phase: Fraction

    def __post_init__(self) -> None:
        if self.pair < 0 or not 0 <= self.phase <= 1:
            raise ValueError(f"no such instant: pair {self.pair}, phase {self.phase}")

    @property
    def position(self) -> Fraction:
        """The instant as a number of source frames: 12.25 is a quarter of the way from frame 12 to frame 13."""
        return self.pair + self.phase

    @property
    def is_source(self) -> bool:
        """Whether the instant is that of a source frame."""
        return self.phase in (0, 1)

    @property
    def source_frame(self) -> int:
        """The index of the source frame at the instant, or of the last one before it."""
        return self.pair + (self.phase == 1)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """One audio stream of a clip."""

    codec: str
    channels: int
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a clip is, as shown: ``width`` and ``height`` (pixels) are those after ``rotation``.

    ``rotation`` is in degrees clockwise (0, 90, 180, 270) and already applied to every frame read. ``fps`` is
    the mean rate; ``vfr`` says that single frames deviate from it. ``warnings`` are sentences for a user.
    """

    path: Path
    width: int
    height: int
    rotation: int
    fps: Fraction
    frames: int
    duration_secs: Fraction
    vfr: bool
    codec: str
    pix_fmt: str
    bit_depth: int
    colour: ColourSpec
    audio: tuple[AudioInfo, ...]
    interlaced: bool
    warnings: tuple[str, ...]

    @property
    def grid(self) -> Grid:
        """The clip's own pixels as a grid."""
        return Grid(self.width, self.height)


@dataclass(frozen=True, slots=True)
class PairKey:
    """Names a pair of source frames among all clips: the clip's identity and the pair's index."""

    clip: str
    pair: int


@dataclass(frozen=True, eq=False)
class FramePair:
    """The two source frames of a pair, both [height, width, 3] RGB (see :data:`Pixels`)."""

    key: PairKey
    first: Pixels
    second: Pixels


class Quality(Enum):
    """How a region was, or is to be, rendered."""

    SOURCE = "source"
    """The source frame shown at that instant, as it is: no model."""
    DRAFT = "draft"
    """The representation, decoded on a coarser grid than the screen's."""
    FULL = "full"
    """The representation at one decoded pixel for each pixel asked for."""


@dataclass(frozen=True, slots=True)
class RegionQuery:
    """The pixels ``rect`` of the virtual full frame ``grid``, at ``instant``."""

    instant: Instant
    grid: Grid
    rect: Rect

    def __post_init__(self) -> None:
        if not self.grid.rect.contains(self.rect):
            raise ValueError(f"{self.rect} leaves the {self.grid} grid")


@dataclass(frozen=True, slots=True)
class ViewState:
    """Where a person looks.

    ``time_secs``: exact second of the clip. ``centre``: (x, y) at the middle of the view, in clip pixels on the
    edge axis (0 ... width). ``zoom``: screen pixels (physical, not logical) for each clip pixel.
    """

    time_secs: Fraction
    centre: tuple[float, float]
    zoom: float


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A query as the window asks it. ``moving``: the view is changing, so a draft now beats a full picture late."""

    query: RegionQuery
    moving: bool


@dataclass(frozen=True, eq=False)
class RenderedRegion:
    """The answer to ``query``: ``rgbx`` is uint8 [rect.height, rect.width, 4], C-contiguous, X = 255.

    For ``quality`` SOURCE the query's grid is the clip's own size. ``elapsed_secs`` is what it took to render.
    """

    query: RegionQuery
    quality: Quality
    rgbx: NDArray[np.uint8]
    elapsed_secs: float


@dataclass(frozen=True, slots=True)
class Segment:
    """The stretch [start, end) of a clip, exact seconds."""

    start_secs: Fraction
    end_secs: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_secs < self.end_secs:
            raise ValueError(f"a segment ends after it starts, not {self.start_secs} to {self.end_secs}")

    @property
    def duration_secs(self) -> Fraction:
        """Its length, seconds."""
        return self.end_secs - self.start_secs


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is: ``done`` of ``total`` frames, ``elapsed_secs`` since its first frame began."""

    done: int
    total: int
    elapsed_secs: float

    @property
    def remaining_secs(self) -> float | None:
        """Seconds still to go at the speed so far, or None before the first frame is done."""
        return self.elapsed_secs / self.done * (self.total - self.done) if self.done else None
