"""The render loop renders what playback will show while no request waits, and answers playback in between."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.loop_under_test import GRID, LoopUnderTest, refuse_to_encode, whole
from helpers.shots import pan
from helpers.slow_renderer import Pace, SlowRenderer, gradient
from helpers.tiny_model import load_tiny_model
from helpers.waiting import wait_until
from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.geometry import Grid, Rect
from videoinr.playing.cache import PlayCache
from videoinr.playing.plan import PlayPlan, play_times
from videoinr.render.engine import Engine
from videoinr.render.interlude import InterludeToken
from videoinr.render.play_ahead import PlayAhead
from videoinr.timeline import Timeline
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest, Segment

TIMELINE = Timeline.constant(50, Fraction(25))
HALF = Fraction(1, 2)


def plan_of(start: Fraction = Fraction(0), secs: Fraction = Fraction(1, 5)) -> PlayPlan:
    times = play_times(TIMELINE, Segment(start, start + secs), Fraction(1, 50))
    return PlayPlan("gradient.mp4", TIMELINE, times, GRID, GRID.rect)


@pytest.fixture
def bench_of() -> Iterator[Callable[..., LoopUnderTest]]:
    benches: list[LoopUnderTest] = []

    def make(pace: Pace) -> LoopUnderTest:
        benches.append(LoopUnderTest(pace, PlayCache(64 << 20)))
        return benches[-1]

    yield make
    for bench in benches:
        bench.loop.close()
        assert bench.play is not None
        bench.play.close()


def start(bench: LoopUnderTest, plan: PlayPlan | None = None) -> PlayCache:
    assert bench.play is not None
    bench.play.set_plan(plan or plan_of())
    bench.loop.look_again()
    return bench.play


def play(bench: LoopUnderTest, query: RegionQuery) -> None:
    bench.loop.submit(RenderRequest(query, moving=True, is_playing=True))


def is_complete(cache: PlayCache) -> bool:
    coverage = cache.coverage()
    return coverage.done == coverage.wanted > 0


def test_an_idle_loop_renders_the_plan_and_shows_nothing_of_it(bench_of: Callable[..., LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    bench.ask(whole(30))
    bench.told.wait_for_full(whole(30))
    shown = len(bench.told.regions)
    cache = start(bench)
    wait_until(lambda: is_complete(cache))
    assert len(bench.told.regions) == shown
    assert [query for query in renderer.asked("full") if query != whole(30)] == [
        plan_of().query(index) for index in range(plan_of().count)
    ], "in the order of playback"
    found = cache.get(plan_of().query(3))
    assert found is not None
    assert np.array_equal(found.rgbx, gradient(found.query, found.query.instant.position / 50))


def test_a_request_ends_the_work_ahead_and_what_is_there_is_shown_at_once(
    bench_of: Callable[..., LoopUnderTest],
) -> None:
    bench = bench_of(Pace(secs_per_pixel=1e-6))
    renderer = bench.open()
    cache = start(bench)
    wait_until(lambda: cache.coverage().done >= 2)
    bench.ask(whole(40))
    bench.told.wait_for_full(whole(40))
    first = plan_of().query(0)
    renderer.calls.clear()
    bench.ask(first)
    bench.told.wait_for_full(first)
    assert first not in renderer.asked("full")
    wait_until(lambda: is_complete(cache))


def test_playback_gets_motion_drafts_while_pictures_are_rendered(bench_of: Callable[..., LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=2e-6, encode_secs=0.03))
    bench.open()
    wanted = [RegionQuery(Instant(pair, HALF), GRID, GRID.rect) for pair in range(6, 22)]
    cache = start(bench)
    for query in wanted:
        play(bench, query)
        time.sleep(0.02)
    wait_until(lambda: is_complete(cache))
    drafts = {region.query for region in bench.told.of(Quality.MOTION)}
    assert len(drafts & set(wanted)) >= 3
    assert not bench.told.of(Quality.DRAFT), "no other kind of draft alternates with them"
    assert wanted[-1] in drafts, "the newest one is never left out"
    assert not bench.told.is_busy


def test_playback_of_kept_pictures_needs_nothing_from_the_renderer(bench_of: Callable[..., LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=1e-6))
    renderer = bench.open()
    cache = start(bench)
    wait_until(lambda: is_complete(cache))
    renderer.calls.clear()
    for index in range(plan_of().count):
        query = plan_of().query(index)
        play(bench, query)
        bench.told.wait_for(lambda query=query: any(one.query == query for one in bench.told.of(Quality.FULL)))  # type: ignore[misc]
    assert renderer.asked("full") == renderer.asked("quick motion") == []


def test_a_fast_renderer_plays_full_pictures_itself(bench_of: Callable[..., LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    renderer.encoded.update(range(50))
    bench.ask(whole(0))
    bench.told.wait_for_full(whole(0))
    bench.ask(whole(0, Fraction(1, 3)))
    bench.told.wait_for_full(whole(0, Fraction(1, 3)))
    play(bench, whole(1))
    bench.told.wait_for(lambda: any(one.query == whole(1) for one in bench.told.of(Quality.FULL)))


def test_a_failure_is_not_reported_and_ends_the_plan(
    bench_of: Callable[..., LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    tried = refuse_to_encode(renderer, monkeypatch)
    cache = start(bench)
    wait_until(lambda: bool(tried))
    wait_until(lambda: cache.next_wanted("gradient.mp4") is None)
    assert len(tried) == 1
    assert bench.told.failures == []


@pytest.mark.parametrize(("beside_secs", "is_said"), [(0.75, False), (0.001, True)], ids=["a draft", "looks only"])
def test_a_picture_says_its_time_only_if_nothing_was_drawn_beside_it(beside_secs: float, is_said: bool) -> None:
    query = whole(2)
    between = InterludeToken(CancelToken(), lambda: None)
    between.spent_secs = 5.0

    class Renderer(SlowRenderer):
        def render(
            self, query: RegionQuery, quality: Quality = Quality.FULL, token: CancelToken = NEVER
        ) -> RenderedRegion:
            assert token is between
            between.spent_secs += beside_secs
            return replace(super().render(query, quality, NEVER), elapsed_secs=1.0)

    with PlayCache(64 << 20) as cache:
        ahead = PlayAhead(Renderer(), cache)
        ahead.render(query, between)
        kept = ahead.get(query)
    assert kept is not None
    assert kept.elapsed_secs == 1.0 if is_said else math.isnan(kept.elapsed_secs)


class _AfterADraft(InterludeToken):
    """Lets other threads begin their work only after an interlude: a small picture may be done before the first one."""

    def __init__(self, interlude: Callable[[], None]) -> None:
        self._had_one = threading.Event()

        def noted() -> None:
            interlude()
            self._had_one.set()

        super().__init__(CancelToken(), noted)

    def check(self) -> None:
        if threading.get_ident() != self._thread:
            assert self._had_one.wait(60)
        super().check()


def test_drafts_that_are_drawn_while_a_picture_is_decoded_change_no_bit_of_either(tmp_path: Path) -> None:
    query, grid = RegionQuery(Instant(1, Fraction(1, 3)), Grid(300, 330), Rect(0, 0, 300, 330)), Grid(150, 165)
    playing = RegionQuery(Instant(2, Fraction(1, 7)), grid, grid.rect)
    clip, profile = open_frames(pan(1, 5), fps=Fraction(12)), profile_for(pick_device("cpu"))
    with Engine(clip, load_tiny_model(tmp_path), profile) as engine, PlayCache(64 << 20) as cache:
        alone = engine.render(query), engine.motion(playing, quick=True)
        drafts = list[RenderedRegion]()
        between = _AfterADraft(lambda: drafts.append(engine.motion(playing, quick=True)))
        ahead = PlayAhead(engine, cache)
        ahead.render(query, between)
        kept = ahead.get(query)
    assert kept is not None
    assert np.array_equal(kept.rgbx, alone[0].rgbx)
    assert drafts
    assert all(np.array_equal(draft.rgbx, alone[1].rgbx) for draft in drafts)
