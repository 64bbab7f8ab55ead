"""The frozen values that pass from a path to a picture.

    Path -> Clip, ClipInfo
    ViewState -> resolve -> RenderRequest(RegionQuery)
    FramePair -> encode -> Features -> decode(features, RegionQuery) -> RenderedRegion -> screen or file

A :class:`RenderedRegion` holds the :class:`RegionQuery` that it answers. All values are frozen, so that threads can
share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.colour import ColourSpec
from videoinr.geometry import Grid, LinePhases, Readout, Rect

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""[height, width, 3] full-range RGB: uint8 for clips of 8 bits, uint16 (0 ... 65535) for deeper ones."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A time within a pair of source frames: ``phase`` 0 is frame ``pair``, 1 is frame ``pair + 1``."""

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
class StartTimecode:
    """What a file calls its first frame; :mod:`videoinr.text.timecode` has the names of the others.

    Attributes:
        frame: how many frames after 00:00:00:00 it is.
        drops: whether the timecode is drop-frame.
    """

    frame: int
    drops: bool = False


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """The properties of a clip.

    Attributes:
        path: the path that was opened.
        width: columns of a frame as shown, after rotation.
        height: rows of a frame as shown.
        rotation: degrees clockwise (0, 90, 180 or 270). Frames are returned already rotated.
        fps: the mean rate, frames per second.
        frames: the number of frames.
        duration_secs: from the start of the first frame to the end of the last one.
        vfr: whether the rate is variable.
        codec: FFmpeg's name of the codec.
        pix_fmt: FFmpeg's name of the stored pixel format.
        bit_depth: bits of each component as stored.
        colour: how the pixels are read.
        audio: the audio streams.
        interlaced: whether frames hold two fields.
        warnings: sentences for the user about what is unusual or damaged.
        pixel_aspect: width / height of a pixel, as shown. The frames that are returned have not been resampled for it.
        stream: which of the file's video streams this is, counted from 0.
        start_secs: the file's own time of the first frame; None if the file has no one clock.
        timecode: what the file calls the first frame; None if it does not say, or other frames were joined to it.
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
    pixel_aspect: Fraction = Fraction(1)
    stream: int = 0
    start_secs: Fraction | None = Fraction(0)
    timecode: StartTimecode | None = None

    @property
    def grid(self) -> Grid:
        """The clip's own pixels as a grid."""
        return Grid(self.width, self.height)


class PairKind(Enum):
    """What happens between the two frames of a pair."""

    MOTION = "motion"
    """Both frames show one scene."""
    CUT = "cut"
    """The second frame is the first one of another scene."""
    REPEAT = "repeat"
    """The second frame repeats the first one, or ends a run of such frames. The scene's motion goes on across it."""


class AcrossCuts(Enum):
    """What an instant between two frames shows where there is a cut between them."""

    HOLD = "hold"
    """The nearer frame, decoded from the neighbouring pair of its own scene."""
    BLEND = "blend"
    """Both frames, each decoded so, mixed by the phase."""
    DECODE = "decode"
    """Every pair is decoded as it is, repeated frames included: across a cut a mixture."""


@dataclass(frozen=True, slots=True)
class PairKey:
    """Identifies two encoded frames among those of all clips: the clip's identity and the first frame's index.

    The second frame is ``span`` frames later: 1 for a pair, more where repeated frames are skipped, 0 for a frame that
    is encoded with itself.
    """

    clip: str
    pair: int
    span: int = 1


@dataclass(frozen=True, eq=False)
class FramePair:
    """The two source frames of a pair, both [height, width, 3] RGB (see :data:`Pixels`)."""

    key: PairKey
    first: Pixels
    second: Pixels


GUESS_DB = 24.0
"""Expected PSNR below which the motion of a pair counts as beyond reach."""


@dataclass(frozen=True, eq=False)
class PairFailure:
    """How badly the motion of a pair was found, for the instant in its middle. Source frames have no such error.

    Attributes:
        error: float32 [rows, columns]: the expected mean absolute error of each cell, 1 is full brightness. Cells are
            squares of clip pixels from the top left corner.
        cell_px: clip pixels along the side of a cell.
        expected_db: the expected PSNR of the whole picture, dB: a rough figure, on average 2 dB too
            low, with a standard deviation of 4 dB.
    """

    error: NDArray[np.float32]
    cell_px: int
    expected_db: float

    @property
    def is_beyond_reach(self) -> bool:
        """Whether the pictures between the two frames are a guess."""
        return self.expected_db < GUESS_DB


class Quality(Enum):
    """How a region is rendered."""

    SOURCE = "source"
    """The source frame at or before the instant, unchanged, without a model."""
    MOTION = "motion"
    """Both source frames, warped along the motion of a small copy of them (render/motion_drafts.py), and blended."""
    DRAFT = "draft"
    """Decoded on a coarser grid than the screen's."""
    FULL = "full"
    """Decoded at one pixel for each requested pixel."""


@dataclass(frozen=True, slots=True)
class ExposedPart:
    """The pixels ``rect`` of a grid, which have an exposure of their own; None: the instant alone."""

    rect: Rect
    exposure: Segment | None


@dataclass(frozen=True, slots=True)
class RegionQuery:
    """Asks for the pixels ``rect`` of the virtual full frame ``grid`` at ``instant``.

    Attributes:
        instant: the time of the picture.
        grid: the virtual full frame.
        rect: the pixels of it.
        exposure: the stretch of the clip's time around the instant whose mean is wanted (see render/shutter.py); None:
            the instant alone.
        part: the part of the grid that has another exposure, if there is one.
        readout: how the clip's frames were read, if that is corrected (see render/rolling_shutter.py).
        lines: set for the decoder by who corrects it: each line's phase between the frames of the instant.
    """

    instant: Instant
    grid: Grid
    rect: Rect
    exposure: Segment | None = None
    readout: Readout | None = None
    lines: LinePhases | None = None
    part: ExposedPart | None = None

    def __post_init__(self) -> None:
        if not self.grid.rect.contains(self.rect):
            raise ValueError(f"{self.rect} leaves the {self.grid} grid")


@dataclass(frozen=True, slots=True)
class ViewState:
    """What the window shows.

    Attributes:
        time_secs: the exact time, seconds of the clip.
        centre: (x, y) at the middle of the view, in clip pixels on the edge axis (0 ... width).
        zoom: physical screen pixels for each clip pixel.
    """

    time_secs: Fraction
    centre: tuple[float, float]
    zoom: float


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A query of the window.

    Attributes:
        query: the pixels of the full picture.
        moving: whether the view is changing, so that a draft soon is better than a full picture later.
        on_screen: the same view on the screen's own pixels, where the query's are finer: motion drafts have a prefilter
            and need no more. None: the query's pixels are the screen's.
        is_playing: whether playback asks: a motion draft is enough where the full picture does not come as soon.
    """

    query: RegionQuery
    moving: bool
    on_screen: RegionQuery | None = None
    is_playing: bool = False


@dataclass(frozen=True, eq=False)
class RenderedRegion:
    """The rendered pixels of a query.

    Attributes:
        query: the query. With quality SOURCE, its grid is the clip's own.
        quality: how the pixels were rendered.
        rgbx: uint8 [rect.height, rect.width, 4], C-contiguous, X = 255.
        elapsed_secs: how long rendering took; NaN where it shared the cores with something else.
        pair_kind: the kind of the instant's pair, where the renderer judged it; MOTION otherwise.
        expected_db: the expected PSNR in the middle of the pair (see :class:`PairFailure`), where it is known.
        samples: the grid that the pixels were computed or read on, if it is coarser than the query's. Of a motion
            draft, that of the source frames, shrunk if the query's is coarser.
    """

    query: RegionQuery
    quality: Quality
    rgbx: NDArray[np.uint8]
    elapsed_secs: float
    pair_kind: PairKind = PairKind.MOTION
    expected_db: float | None = None
    samples: Grid | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels."""
        return self.rgbx.nbytes

    @property
    def rank(self) -> Rank:
        """How good the picture is among pictures of the same place and instant."""
        return rank_of(self.quality, self.samples or self.query.grid)


Rank = tuple[int, int]
"""Orders pictures of the same place and instant: the greater, the better."""


def rank_of(quality: Quality, samples: Grid) -> Rank:
    """Return the rank of a picture of ``quality`` whose pixels were computed or read on the grid ``samples``.

    The finer one is better; of two that are equally fine, the one for which the model did more.
    """
    return samples.width, _QUALITIES.index(quality)


_QUALITIES = tuple(Quality)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a clip: from ``start_secs`` to ``end_secs``, without its end; exact seconds."""

    start_secs: Fraction
    end_secs: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_secs < self.end_secs:
            raise ValueError(f"a segment ends after it starts, not {self.start_secs} to {self.end_secs}")

    @property
    def duration_secs(self) -> Fraction:
        """The segment's length, seconds."""
        return self.end_secs - self.start_secs


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of an export.

    Attributes:
        path: the video file, or the pattern of the pictures' names.
        frames: how many frames it holds.
        sound: what happened to the sound, in words; empty if there is none.
        dropped: what the clip has and the output has not, each in words.
    """

    path: Path
    frames: int
    sound: str = ""
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """The progress of an export: ``done`` of ``total`` frames, ``elapsed_secs`` since the first frame began.

    ``found`` of the frames were done before it began: a killed export has left them.
    """

    done: int
    total: int
    elapsed_secs: float
    found: int = 0

    @property
    def remaining_secs(self) -> float | None:
        """The remaining seconds at the speed so far; None before the first frame is done."""
        made = self.done - self.found
        return self.elapsed_secs / made * (self.total - self.done) if made else None
