"""The real engine behind the render loop: for every view the pictures only get better, and none jumps or pulses."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.loop_under_test import Recorder
from helpers.shots import HEIGHT, WIDTH, demo_frames
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.geometry import Grid, Rect
from videoinr.model.weights import load_model
from videoinr.render import levels, pacing
from videoinr.render.engine import Engine
from videoinr.render.render_loop import RenderLoop
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

GESTURES = 200
SLACK_DB = 0.2
MOST_BRIGHTER = 0.3
"""Levels, at the times of source frames."""
MODEL_BIAS = 0.4
"""Levels more, between them: what the model adds to the warped frames is not 0 on average."""
MOST_SHIFT_PX = 0.05
"""Clip pixels."""
PAIRS = 4
SIZE = Grid(WIDTH, HEIGHT)
ZOOMS = (1.0, 1.7, 2.0, 3.0)
Pixels = NDArray[np.float64]


@dataclass(eq=False)
class Replay:
    """A loop with the real engine, and a hand that moves the view in scripted gestures."""

    loop: RenderLoop
    told: Recorder
    hand: random.Random = field(default_factory=lambda: random.Random(7))
    position: Fraction = Fraction(1, 2)
    zoom: float = 2.0
    corner: tuple[float, float] = (0.0, 0.0)

    def query(self) -> RegionQuery:
        grid = SIZE.scaled(self.zoom)
        width, height = min(grid.width, 2 * SIZE.width), min(grid.height, 2 * SIZE.height)
        room = grid.width - width, grid.height - height
        x, y = (round(share * most) for share, most in zip(self.corner, room, strict=True))
        pair = min(int(self.position), PAIRS - 1)
        return RegionQuery(Instant(pair, self.position - pair), grid, Rect(x, y, width, height))

    def ask(self, *, moving: bool) -> RegionQuery:
        query = self.query()
        self.loop.submit(RenderRequest(query, moving))
        return query

    def rest(self) -> None:
        self.told.wait_for_full(self.ask(moving=False))

    def click(self) -> None:
        """Go to an instant: now and then that of a source frame."""
        self.position = Fraction(self.hand.randrange(0, 4 * PAIRS + 1), 4)

    def drag(self) -> None:
        """Drag the time slowly or fast, within a pair or across pairs, with or without a pause in between."""
        start, reach = self.position, Fraction(self.hand.choice((1, 2, 8, 24)), 8) * self.hand.choice((-1, 1))
        secs, pause = self.hand.choice((0.004, 0.02, 0.06)), self.hand.randrange(20)
        for step in range(1, 7):
            self.position = min(max(start + reach * Fraction(step, 6), Fraction(0)), Fraction(PAIRS))
            self.ask(moving=True)
            time.sleep(0.15 if step == pause else secs)

    def wheel(self) -> None:
        """Zoom in steps."""
        for _ in range(2):
            self.zoom = self.hand.choice(ZOOMS)
            self.ask(moving=True)
            time.sleep(0.02)

    def pan(self) -> None:
        """Pan in steps, if the view is smaller than the picture."""
        for _ in range(3):
            self.corner = (self.hand.random(), self.hand.random())
            self.ask(moving=True)
            time.sleep(0.02)


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    # As on a slower machine: so there are drafts, of pictures as small as these, whatever the speed of this one.
    monkeypatch.setattr(pacing.Pacer, "divisor_for", lambda *_: pacing.HALF)
    frames = demo_frames()[: PAIRS + 1]
    made = [Engine(open_frames(frames, fps=Fraction(25)), load_model("lite"), profile_for(pick_device("cpu")))]
    told = Recorder()
    loop = RenderLoop(lambda _: made[0], told)
    loop.open(Path("demo"))
    yield Replay(loop, told)
    loop.close()


@pytest.mark.long
def test_pictures_of_a_view_only_get_better_and_keep_their_brightness_and_place(replay: Replay) -> None:
    for number in range(GESTURES):
        gesture = (replay.click, replay.drag, replay.drag, replay.wheel, replay.pan)[number % 5]
        gesture()
        replay.rest()
    assert not replay.told.failures
    views = defaultdict[RegionQuery, list[RenderedRegion]](list)
    for region in replay.told.regions:
        if region.quality is not Quality.SOURCE:
            views[region.query].append(region)
    compared, kinds = 0, set[tuple[Quality, Quality]]()
    for shown in views.values():
        if shown[-1].quality is Quality.FULL:
            compared += _check(shown)
            kinds.update((one.quality, other.quality) for one, other in pairwise(shown))
    assert compared > GESTURES / 4
    assert (Quality.MOTION, Quality.FULL) in kinds
    assert (Quality.DRAFT, Quality.FULL) in kinds


def test_below_x1_the_pictures_agree_too(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames are encoded at half their size."""
    monkeypatch.setattr(levels, "LEAST_PX", 0)
    replay.zoom = 0.5
    for _ in range(8):
        replay.click()
        replay.rest()
    views = defaultdict[RegionQuery, list[RenderedRegion]](list)
    for region in replay.told.regions:
        if region.quality is not Quality.SOURCE:
            views[region.query].append(region)
    assert {query.grid for query in views} == {Grid(48, 30)}
    assert sum(_check(shown) for shown in views.values()) >= 4


def _check(shown: list[RenderedRegion]) -> int:
    """Check the pictures of one view, in order; return how many were compared with the last one."""
    final, scale = _pixels(shown[-1]), shown[-1].query.grid.width / SIZE.width
    for before, after in pairwise(shown):
        assert after.rank >= before.rank, _words(shown)
        one, other = _pixels(before), _pixels(after)
        assert _psnr(other, final) >= _psnr(one, final) - SLACK_DB, _words(shown)
        most = MOST_BRIGHTER + (0.0 if after.query.instant.is_source else MODEL_BIAS)
        assert abs(other.mean() - one.mean()) <= most, _words(shown)
        assert float(np.abs(_shift(one, other)).max()) / scale <= MOST_SHIFT_PX, _words(shown)
    return len(shown) - 1


def _words(shown: list[RenderedRegion]) -> str:
    final = _pixels(shown[-1])
    pictures = [
        f"{one.quality.name} {one.rank}: {_psnr(_pixels(one), final):.2f} dB, mean {_pixels(one).mean():.2f}, "
        f"shift {_shift(_pixels(one), final)}"
        for one in shown
    ]
    return f"{shown[-1].query}: " + "; ".join(pictures)


def _pixels(region: RenderedRegion) -> Pixels:
    return region.rgbx[..., :3].astype(np.float64)


def _psnr(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / max(1e-6, float(np.mean((one - other) ** 2)))))


def _shift(one: Pixels, other: Pixels) -> tuple[float, float]:
    """Return by how many pixels ``other`` is shifted against ``one``, (x, y), by least squares."""
    first, second = one.mean(2), other.mean(2)
    down, right = np.gradient((first + second) / 2)
    inner = np.s_[4:-4, 4:-4]
    difference = ((first - first.mean()) - (second - second.mean()))[inner].ravel()
    answer = np.linalg.lstsq(np.stack((right[inner].ravel(), down[inner].ravel()), 1), difference, rcond=None)[0]
    return float(answer[0]), float(answer[1])
