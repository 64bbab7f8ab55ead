"""A render loop with a slow renderer and a recording listener."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.slow_renderer import Pace, SlowRenderer, opener
from videoinr.cancel import CancelToken
from videoinr.errors import DeviceError
from videoinr.geometry import Grid
from videoinr.playing.cache import PlayCache
from videoinr.render.messages import Failure, Opened
from videoinr.render.render_loop import RenderLoop
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

GRID = Grid(320, 180)
SLOW = Pace(secs_per_pixel=1e-5)
"""Half a second for the whole grid, much longer than a draft may take."""
PATIENCE_SECS = 20.0


class Recorder:
    """A RenderListener that records its calls. A test can wait for them."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.regions: list[RenderedRegion] = []
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.progress: list[str] = []
        self.answers: list[object] = []
        self.is_busy = False
        self._told = threading.Condition()

    def clip_opened(self, opened: Opened) -> None:
        with self._told:
            self.opened.append(opened)
            self._told.notify_all()

    def rendered(self, region: RenderedRegion) -> None:
        with self._told:
            self.regions.append(region)
            self._told.notify_all()

    def told(self, answer: object) -> None:
        with self._told:
            self.answers.append(answer)
            self._told.notify_all()

    def busy(self, is_busy: bool) -> None:
        with self._told:
            self.is_busy = is_busy
            self._told.notify_all()

    def encoding(self, words: str) -> None:
        with self._told:
            self.progress.append(words)

    def warned(self, sentences: tuple[str, ...]) -> None:
        with self._told:
            self.warnings += sentences
            self._told.notify_all()

    def failed(self, failure: Failure) -> None:
        with self._told:
            self.failures.append(failure)
            self._told.notify_all()

    def of(self, quality: Quality) -> list[RenderedRegion]:
        return [region for region in self.regions if region.quality is quality]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._told:
            assert self._told.wait_for(condition, timeout=PATIENCE_SECS), "the loop did not answer in time"

    def wait_for_full(self, query: RegionQuery) -> None:
        self.wait_for(
            lambda: not self.is_busy and any(region.query == query for region in self.of(Quality.FULL)),
        )


class LoopUnderTest:
    """A render loop with a slow renderer."""

    def __init__(self, pace: Pace, play: PlayCache | None = None) -> None:
        self.made: list[SlowRenderer] = []
        self.told, self.play = Recorder(), play
        self.loop = RenderLoop(opener(self.made, pace=pace), self.told, play)

    def open(self) -> SlowRenderer:
        self.loop.open(Path("gradient.mp4"))
        self.told.wait_for(lambda: bool(self.told.opened))
        return self.made[-1]

    def ask(self, query: RegionQuery, *, moving: bool = False) -> None:
        self.loop.submit(RenderRequest(query, moving))


def whole(pair: int = 0, phase: Fraction = Fraction(1, 2)) -> RegionQuery:
    return RegionQuery(Instant(pair, phase), GRID, GRID.rect)


def refuse_to_encode(renderer: SlowRenderer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let ``renderer`` fail to encode from now on; return a list that will hold the pairs that it was asked for."""
    tried: list[int] = []

    def refuse(pair: int, _token: CancelToken, _phase: Fraction, _grid: Grid) -> None:
        tried.append(pair)
        raise DeviceError("no memory", hint="less")

    monkeypatch.setattr(renderer, "encode", refuse)
    return tried
