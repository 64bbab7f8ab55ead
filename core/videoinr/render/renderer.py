"""Two protocols of the render loop: the renderer that it drives, and the listener that it answers."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.render.inspected import BlendMask, Doubt, FlowField, Place, Trajectory
from videoinr.render.messages import Failure, Opened
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion


class Inspector(Protocol):
    """Answers questions about the motion; :class:`videoinr.render.inspector.Inspector` is the real one.

    Each method raises Cancelled if ``token`` was cancelled.
    """

    def flow(self, query: RegionQuery, token: CancelToken) -> FlowField:
        """Decode the motion at the pixels of ``query``."""

    def trajectory(self, instant: Instant, place: Place, token: CancelToken) -> Trajectory:
        """Follow the point that is at ``place`` (clip pixels) at ``instant``."""

    def blend_mask(self, query: RegionQuery, token: CancelToken) -> BlendMask:
        """Decode with which weights both warped frames are mixed at the pixels of ``query``."""

    def doubt(self, instant: Instant, token: CancelToken) -> Doubt:
        """Return where the motion around ``instant`` was not found well."""


class Renderer(Protocol):
    """Reads, encodes and decodes one clip; :class:`videoinr.render.engine.Engine` is the real one."""

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""

    @property
    def inspector(self) -> Inspector:
        """Answers questions about the clip's motion."""

    def source(self, instant: Instant) -> RenderedRegion:
        """Return the source frame shown at ``instant``, whole, at the clip's own size (quality SOURCE)."""

    def is_encoded(self, pair: int, phase: Fraction = Fraction(0), grid: Grid | None = None) -> bool:
        """Return whether the features for the instant (``pair``, ``phase``) are in the cache; reads no frame.

        ``grid``: the grid of the picture; None: the clip's.
        """

    def encode(self, pair: int, token: CancelToken, phase: Fraction = Fraction(0), grid: Grid | None = None) -> None:
        """Put the features for the instant (``pair``, ``phase``) into the cache, unless they are there.

        Args:
            pair: the index of the pair's first frame, 0 ... pairs - 1.
            token: cancels the work between the encoder's stages.
            phase: 0 (first frame) ... 1 (second frame).
            grid: the grid of the picture, which says at which size the frames are encoded (levels.py); None: the
                clip's.

        Raises:
            Cancelled: ``token`` was cancelled.
        """

    def is_motion_ready(self, instant: Instant) -> bool:
        """Return whether :meth:`motion` needs to find no motion first; reads no frame."""

    def find_motion(self, instant: Instant, token: CancelToken) -> None:
        """Find the motion that a quick motion draft of ``instant`` needs, unless it was found.

        Raises:
            Cancelled: ``token`` was cancelled.
        """

    def motion(self, query: RegionQuery, token: CancelToken, *, quick: bool = False) -> RenderedRegion:
        """Draw ``query`` as a motion draft, for which no pair is encoded (quality MOTION).

        Args:
            query: the instant, the grid and the pixels of it.
            token: cancels the work between frames, steps and tiles.
            quick: find the motion in a third of the time, less exactly, unless it was found exactly before.

        Raises:
            Cancelled: ``token`` was cancelled.
        """

    def is_previewed(self, query: RegionQuery) -> bool:
        """Return whether :meth:`preview` of ``query`` needs to encode nothing; reads no frame."""

    def preview(self, query: RegionQuery, crop: Rect, token: CancelToken) -> RenderedRegion:
        """Decode a draft of ``query`` from a crop of both frames, encoding the crop first where needed.

        Args:
            query: the pixels and the instant.
            crop: the pixels to encode, if no crop encoded before covers the query, of frames of the size that levels.py
                gives for the query's grid.
            token: cancels the work between chunks.
        """

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``, encoding its pair first where needed.

        Args:
            query: the instant, the grid and the pixels of it.
            quality: DRAFT or FULL: copied into the answer; it does not change the pixels.
            token: cancels the work between chunks.

        Returns:
            The query and its pixels, uint8 [rect.height, rect.width, 4], RGBX.

        Raises:
            Cancelled: ``token`` was cancelled.
        """

    def close(self) -> None:
        """Release files, threads and memory."""


class RenderListener(Protocol):
    """Receives the loop's answers on the loop's thread: hand the value over (a queued signal) and return at once."""

    def clip_opened(self, opened: Opened) -> None:
        """A clip is open; the requests that follow are about it."""

    def rendered(self, region: RenderedRegion) -> None:
        """A picture is ready: source, draft or full; several may answer one request."""

    def busy(self, is_busy: bool) -> None:
        """The newest request still waits for its full picture (True), or got it (False)."""

    def told(self, answer: object) -> None:
        """A step of an inquiry (see inquiry.py) was done; ``answer`` carries its question."""

    def encoding(self, words: str) -> None:
        """How far the encoding in progress is, in a user's words; empty when there is nothing to say."""

    def warned(self, sentences: tuple[str, ...]) -> None:
        """Something was met in reading the clip that the user should know: frames decoded with errors, and so on."""

    def failed(self, failure: Failure) -> None:
        """A request or an opening failed; the loop goes on."""
