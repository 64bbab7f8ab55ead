"""A renderer without a model: it draws gradients at a speed that a test chooses.

Red and green grow with x and y across the full frame, blue grows with time, so that a test can check positions and
times. A source frame is darker by a fixed step, which distinguishes it from a decoded picture.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import CancelToken
from videoinr.closing import Closeable
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError
from videoinr.geometry import Grid, Rect
from videoinr.render.crop_preview import is_enough, on_whole_pixels
from videoinr.render.inspected import Between, BlendMask, Doubt, FlowField, Place, Trajectory
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import AudioInfo, ClipInfo, Instant, PairFailure, PairKind, Quality, RegionQuery, RenderedRegion

CHUNK_SECS = 0.005
SOURCE_STEP = 40
"""How much (0..255) a source frame is darker in red and green than a decoded picture."""


@dataclass(frozen=True)
class Pace:
    """The durations of a slow renderer's work. ``opens``: what a clip's opening waits for."""

    secs_per_pixel: float = 0.0
    encode_secs: float = 0.0
    motion_secs: float = 0.0
    source_secs: float = 0.0
    opens: Event | None = None
    inquiry_secs: float = 0.0


QUICK = Pace()


@dataclass(eq=False)
class SlowRenderer(Closeable):
    """Implements :class:`videoinr.render.renderer.Renderer`; ``calls`` lists its calls in order.

    Its pictures say that they took the time of ``pace``, however busy the machine is, so that the same drafts follow.
    """

    path: Path = Path("gradient.mp4")
    width: int = 160
    height: int = 90
    frames: int = 50
    fps: Fraction = Fraction(25)
    pace: Pace = QUICK
    calls: list[tuple[str, object]] = field(default_factory=list)
    encoded: set[int] = field(default_factory=set)
    found: set[int] = field(default_factory=set)
    """The pairs whose motion was found."""
    crops: set[tuple[int, Rect]] = field(default_factory=set)
    thread: threading.Thread | None = None
    closed: bool = False
    cuts: frozenset[int] = frozenset()
    """The pairs that it renders as cuts."""
    expected_db: dict[int, float] = field(default_factory=dict)
    """The expected PSNR of the pairs that have one."""
    audio: tuple[AudioInfo, ...] = ()

    @property
    def inspector(self) -> SlowInspector:
        return SlowInspector(self)

    @property
    def timeline(self) -> Timeline:
        return Timeline.constant(self.frames, self.fps)

    @property
    def opened(self) -> Opened:
        return Opened(self._info(), self.timeline, "gradient", (1.0, 4.0), "cpu", str(self.path))

    def source(self, instant: Instant) -> RenderedRegion:
        self._note("source", instant)
        time.sleep(self.pace.source_secs)
        frame = instant.source_frame
        grid = Grid(self.width, self.height)
        query = RegionQuery(instant, grid, grid.rect)
        pixels = gradient(query, Fraction(frame, self.frames))
        pixels[..., :2] -= np.minimum(pixels[..., :2], SOURCE_STEP)
        return RenderedRegion(query, Quality.SOURCE, pixels, self.pace.source_secs)

    def is_encoded(self, pair: int, _phase: Fraction = Fraction(0), _grid: Grid | None = None) -> bool:
        return pair in self.encoded

    def encode(self, pair: int, token: CancelToken, _phase: Fraction = Fraction(0), _grid: Grid | None = None) -> None:
        self._note("encode", pair)
        work(self.pace.encode_secs, token)
        self.encoded.add(pair)

    def is_motion_ready(self, instant: Instant) -> bool:
        return instant.is_source or instant.pair in self.found

    def find_motion(self, instant: Instant, token: CancelToken) -> None:
        self._note("find", instant.pair)
        if not self.is_motion_ready(instant):
            work(self.pace.motion_secs, token)
            self.found.add(instant.pair)

    def motion(self, query: RegionQuery, token: CancelToken, *, quick: bool = False) -> RenderedRegion:
        self._note("motion" if not quick else "quick motion", query)
        secs = 0.0
        if not self.is_motion_ready(query.instant):
            secs = self.pace.motion_secs
            work(secs, token)
            self.found.add(query.instant.pair)
        samples = Grid(min(self.width, query.grid.width), min(self.height, query.grid.height))
        return replace(self._drawn(query, Quality.MOTION, secs), samples=samples)

    def is_previewed(self, query: RegionQuery) -> bool:
        size = Grid(self.width, self.height)
        return any(pair == query.instant.pair and is_enough(crop, query, size) for pair, crop in self.crops)

    def preview(self, query: RegionQuery, crop: Rect, token: CancelToken) -> RenderedRegion:
        self._note("preview", (query, crop))
        if not self.is_previewed(query):
            work(self.pace.encode_secs * crop.area / (self.width * self.height), token)
            self.crops.add((query.instant.pair, crop))
        asked = on_whole_pixels(query, Grid(self.width, self.height))
        region = self.render(asked, Quality.DRAFT, token)
        self.calls.pop()
        return region

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        self._note(quality.value, query)
        secs = self.pace.secs_per_pixel * query.rect.area
        work(secs, token)
        return self._drawn(query, quality, secs)

    def render_deep(self, query: RegionQuery, token: CancelToken) -> RenderedRegion:
        """Render the same picture in 16 bits: level 255 becomes 65,535."""
        rendered = self.render(query, Quality.FULL, token)
        return replace(rendered, rgbx=rendered.rgbx.astype(np.uint16) * np.uint16(257))

    def _drawn(self, query: RegionQuery, quality: Quality, elapsed_secs: float) -> RenderedRegion:
        position = (query.instant.pair + query.instant.phase) / self.frames
        pair = query.instant.pair
        kind = PairKind.CUT if pair in self.cuts else PairKind.MOTION
        pixels = gradient(query, position)
        return RenderedRegion(query, quality, pixels, elapsed_secs, kind, self.expected_db.get(pair))

    def close(self) -> None:
        self._note("close", None)
        self.closed = True

    def asked(self, name: str) -> list[object]:
        return [what for call, what in self.calls if call == name]

    def _note(self, name: str, what: object) -> None:
        self.thread = threading.current_thread()
        self.calls.append((name, what))

    def _info(self) -> ClipInfo:
        return ClipInfo(
            path=self.path,
            width=self.width,
            height=self.height,
            rotation=0,
            fps=self.fps,
            frames=self.frames,
            duration_secs=self.frames / self.fps,
            vfr=False,
            codec="gradient",
            pix_fmt="yuv420p",
            bit_depth=8,
            colour=ColourSpec("bt709", "tv", "bt709", "bt709"),
            audio=self.audio,
            interlaced=False,
            warnings=(),
        )


def work(secs: float, token: CancelToken) -> None:
    """Sleep for ``secs`` like a decoder: in chunks, with a check of ``token`` between them."""
    end = time.perf_counter() + secs
    token.check()
    while (left := end - time.perf_counter()) > 0:
        time.sleep(min(left, CHUNK_SECS))
        token.check()


def gradient(query: RegionQuery, position: Fraction) -> NDArray[np.uint8]:
    """[rect.height, rect.width, 4]: red = x, green = y across the grid (pixel centres), blue = ``position``; 0..255."""
    rect, grid = query.rect, query.grid
    pixels = np.full((rect.height, rect.width, 4), 255, np.uint8)
    pixels[..., 0] = (np.arange(rect.x, rect.right) + 0.5) / grid.width * 255
    pixels[..., 1] = ((np.arange(rect.y, rect.bottom) + 0.5) / grid.height * 255)[:, None]
    pixels[..., 2] = int(position * 255)
    return pixels


VELOCITY = (4.0, -2.0)
"""How far everything moves from frame to frame, clip pixels."""


@dataclass(eq=False)
class SlowInspector:
    """Everything moves by VELOCITY; doubt grows from the left to the right."""

    renderer: SlowRenderer

    def flow(self, query: RegionQuery, token: CancelToken) -> FlowField:
        self._work("flow", query, token)
        phase, shape = float(query.instant.phase), (query.rect.height, query.rect.width, 2)
        flow = [np.broadcast_to(np.array(VELOCITY, np.float32) * np.float32(way), shape) for way in (-phase, 1 - phase)]
        return FlowField(query, _between(query.instant), np.stack(flow))

    def trajectory(self, instant: Instant, place: Place, token: CancelToken) -> Trajectory:
        self._work("trajectory", (instant, place), token)
        phases = tuple(Fraction(tick, 16) for tick in range(17))
        ways = [float(phase - instant.phase) for phase in phases]
        places = tuple((place[0] + way * VELOCITY[0], place[1] + way * VELOCITY[1]) for way in ways)
        return Trajectory(instant, place, _between(instant), phases, places)

    def blend_mask(self, query: RegionQuery, token: CancelToken) -> BlendMask:
        """The first frame's share falls from the left to the right of the whole grid."""
        self._work("blend mask", query, token)
        across = 1 - (np.arange(query.rect.x, query.rect.right, dtype=np.float32) + 0.5) / query.grid.width
        return BlendMask(query, _between(query.instant), np.tile(across, (query.rect.height, 1)))

    def doubt(self, instant: Instant, token: CancelToken) -> Doubt:
        self._work("doubt", instant, token)
        error = np.tile(np.linspace(0, 0.2, 40, dtype=np.float32), (22, 1))
        return Doubt(instant, _between(instant), PairFailure(error, 4, 30.0))

    def _work(self, name: str, what: object, token: CancelToken) -> None:
        self.renderer._note(name, what)
        work(self.renderer.pace.inquiry_secs, token)


def _between(instant: Instant) -> Between:
    return Between(instant.pair, instant.pair + 1, instant.phase)


def opener(
    made: list[SlowRenderer],
    *,
    pace: Pace = QUICK,
    frames: int = 50,
    size: tuple[int, int] = (160, 90),
    audio: tuple[AudioInfo, ...] = (),
) -> Callable[[Path], SlowRenderer]:
    """Return an ``open_renderer`` that appends its renderers to ``made``. It fails for a path named ``broken...``."""

    def open_renderer(path: Path) -> SlowRenderer:
        if pace.opens is not None:
            assert pace.opens.wait(60)
        if path.name.startswith("broken"):
            raise ClipError(f"{path.name} is not a video.", hint="Try another file.")
        made.append(SlowRenderer(path, *size, pace=pace, frames=frames, audio=audio))
        return made[-1]

    return open_renderer
