"""The render loop: one thread, the newest request wins, first pictures are shown, every error is reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.loop_under_test import GRID, SLOW, LoopUnderTest, whole
from helpers.slow_renderer import Pace, SlowRenderer, gradient
from videoinr.cancel import CancelToken
from videoinr.errors import ClipError
from videoinr.geometry import Grid, Rect
from videoinr.render import gesture, pacing, render_loop
from videoinr.render.messages import Failure
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest

FINE = RegionQuery(Instant(20, Fraction(1, 2)), Grid(640, 360), Rect(31, 17, 601, 340))
"""Four pixels for each of the clip's, along either axis."""


def test_a_quick_renderer_answers_with_the_source_and_the_full_picture_only(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace())
    bench.open()
    bench.ask(whole())
    bench.told.wait_for_full(whole())  # Now the loop knows how quick it is.
    bench.told.regions.clear()
    small = RegionQuery(Instant(3, Fraction(1, 4)), GRID, Rect(10, 20, 64, 48))
    bench.ask(small)
    bench.told.wait_for_full(small)
    assert [region.quality for region in bench.told.regions] == [Quality.SOURCE, Quality.FULL]
    assert np.array_equal(bench.told.regions[1].rgbx, gradient(small, Fraction(13, 4) / 50))


def test_a_slow_renderer_shows_a_motion_draft_before_the_full_picture(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(SLOW)
    bench.open()
    bench.ask(whole())
    bench.told.wait_for_full(whole())
    assert [region.quality for region in bench.told.regions] == [Quality.SOURCE, Quality.MOTION, Quality.FULL]
    assert bench.told.regions[1].query == whole()


def test_a_draft_that_is_finer_than_the_source_comes_first_and_on_the_pixels_asked_for(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace(secs_per_pixel=3e-7))
    renderer = bench.open()
    renderer.encoded.update(range(50))
    before = replace(FINE, instant=Instant(3, Fraction(1, 2)))
    bench.ask(before)
    bench.told.wait_for_full(before)  # Now the loop knows how quick it is.
    bench.told.regions.clear()
    bench.ask(FINE)
    bench.told.wait_for_full(FINE)
    assert [region.quality for region in bench.told.regions] == [Quality.SOURCE, Quality.DRAFT, Quality.FULL]
    draft, full = bench.told.regions[1:]
    assert draft.query == FINE
    assert draft.samples is not None
    assert draft.samples.width >= pacing.FINER * renderer.width
    assert FINE.grid.width / draft.samples.width in pacing.DRAFT_DIVISORS
    assert draft.rank < full.rank
    error = draft.rgbx.astype(int) - full.rgbx
    assert abs(error.mean()) < 0.15
    assert np.abs(error).max() <= 2, "it lies where the full picture will"


def test_files_that_change_under_an_open_clip_are_told_once(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_loop, "SOURCE_LOOK_SECS", 0.0)
    changed: list[int] = []

    class Files:
        def check_source(self, pair: int) -> None:
            if changed:
                changed.append(pair)
                raise ClipError("The file is gone.", hint="Look for it.")

    monkeypatch.setattr(SlowRenderer, "clip", Files(), raising=False)
    bench = bench_of(Pace())
    bench.open()
    for pair in (3, 4):
        bench.ask(whole(pair))
        bench.told.wait_for_full(whole(pair))
    assert bench.told.failures == []
    changed.append(-1)
    for pair in (5, 6):
        bench.ask(whole(pair))
        bench.told.wait_for_full(whole(pair))
    bench.told.wait_for(lambda: bool(bench.told.failures))
    bench.loop.close()
    assert bench.told.failures == [Failure("The file is gone.", "Look for it.", opening=False)]
    assert len(changed) == 2, "it is looked no more"


def test_what_reading_a_clip_meets_is_told_once(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    bench.ask(whole())
    bench.told.wait_for_full(whole())
    assert bench.told.warnings == []
    info = replace(renderer.opened.info, warnings=("2 frames decoded with errors.",))
    renderer._info = lambda: info  # type: ignore[method-assign]
    for phase in (Fraction(1, 4), Fraction(3, 4)):
        bench.ask(whole(phase=phase))
        bench.told.wait_for_full(whole(phase=phase))
    bench.told.wait_for(lambda: bool(bench.told.warnings))
    assert bench.told.warnings == ["2 frames decoded with errors."]


def test_only_the_newest_request_gets_a_full_picture(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(SLOW)
    bench.open()
    for sixteenth in range(16):
        bench.ask(whole(phase=Fraction(sixteenth, 16)))
        time.sleep(0.01)
    newest = whole(phase=Fraction(15, 16))
    bench.told.wait_for_full(newest)
    assert [region.query for region in bench.told.of(Quality.FULL)] == [newest]


@pytest.mark.parametrize("secs_per_pixel", [4e-7, 1e-5], ids=["full at once", "draft first"])
def test_a_steady_drag_shows_pictures(bench_of: Callable[[Pace], LoopUnderTest], secs_per_pixel: float) -> None:
    bench = bench_of(Pace(secs_per_pixel=secs_per_pixel))
    renderer = bench.open()
    renderer.encoded.update(range(50))
    bench.ask(whole())
    bench.told.wait_for_full(whole())
    before = len(bench.told.regions)
    for step in range(200):
        bench.ask(whole(phase=Fraction(step, 200)), moving=True)
        time.sleep(0.005)
    shown = bench.told.regions[before:]
    assert len(shown) >= 5, "pictures of 20 ms must be shown although a request comes every 5 ms"
    times = [region.query.instant.phase for region in shown]
    assert times == sorted(times)


def test_a_fast_drag_shows_source_frames_and_encodes_hardly_any_pair(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.3))
    renderer = bench.open()
    for pair in range(30):
        bench.ask(whole(pair), moving=True)
        time.sleep(pacing.DWELL_SECS / 6)
    bench.told.wait_for_full(whole(29))
    # A pause of this machine may look like a dwell once or twice; a drag must not encode pair after pair.
    assert len(renderer.asked("encode")) <= 3
    assert renderer.encoded >= {29}
    assert len(bench.told.of(Quality.SOURCE)) >= 10


def test_a_steady_drag_within_one_pair_encodes_that_pair(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.02))
    renderer = bench.open()
    for step in range(100):
        bench.ask(whole(7, Fraction(step, 200)), moving=True)
        time.sleep(0.01)
    assert renderer.asked("encode") == [7]
    assert len(bench.told.regions) >= 5, "pictures come while the drag goes on"


def test_a_request_for_the_same_pair_does_not_cancel_its_encoding(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.3))
    renderer = bench.open()
    for sixteenth in range(16):
        bench.ask(whole(7, Fraction(sixteenth, 16)))
        time.sleep(0.02)
    bench.told.wait_for_full(whole(7, Fraction(15, 16)))
    assert renderer.asked("encode") == [7]


def test_a_request_for_another_pair_cancels_an_encoding(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.4))
    renderer = bench.open()
    bench.ask(whole(7))
    bench.told.wait_for(lambda: bool(renderer.asked("encode")) or bool(bench.told.of(Quality.SOURCE)))
    time.sleep(0.1)
    bench.ask(whole(8))
    bench.told.wait_for_full(whole(8))
    assert renderer.encoded == {8}


def test_the_same_request_again_does_not_restart_a_refinement(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=2e-6))
    renderer = bench.open()
    renderer.encoded.update(range(50))
    bench.ask(FINE, moving=True)
    bench.told.wait_for(lambda: bool(bench.told.of(Quality.DRAFT)) or bool(bench.told.of(Quality.MOTION)))
    first = len(bench.told.regions)
    time.sleep(gesture.REST_SECS * 2)
    bench.ask(FINE, moving=False)
    bench.told.wait_for_full(FINE)
    assert len(renderer.asked("full")) == 1
    assert len(renderer.asked("draft")) + len(renderer.asked("quick motion")) == first - 1


def test_a_clip_that_cannot_be_opened_is_reported_and_the_loop_goes_on(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace())
    bench.loop.open(Path("broken.mp4"))
    bench.told.wait_for(lambda: bool(bench.told.failures))
    assert bench.told.failures == [Failure("broken.mp4 is not a video.", "Try another file.", opening=True)]
    bench.open()
    bench.ask(whole())
    bench.told.wait_for_full(whole())


def test_an_unexpected_error_is_reported_in_words(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()

    def explode(query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(renderer, "render", explode)
    bench.ask(whole())
    bench.told.wait_for(lambda: bool(bench.told.failures))
    assert "boom" in bench.told.failures[0].message
    assert not bench.told.failures[0].opening
    assert not bench.told.is_busy


def test_opening_another_clip_closes_the_first_and_cancels_its_picture(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace(secs_per_pixel=1e-3))
    first = bench.open()
    bench.ask(whole())
    bench.told.wait_for(lambda: bool(bench.told.of(Quality.SOURCE)))
    bench.loop.open(Path("other.mp4"))
    bench.told.wait_for(lambda: len(bench.told.opened) == 2)
    assert first.closed
    assert bench.told.opened[1].info.path == Path("other.mp4")
    assert not bench.told.of(Quality.FULL)


def test_the_renderer_runs_on_one_thread_that_close_ends() -> None:
    bench = LoopUnderTest(Pace(secs_per_pixel=1e-3))
    renderer = bench.open()
    bench.ask(whole())
    bench.told.wait_for(lambda: bool(bench.told.of(Quality.SOURCE)))
    bench.loop.close()
    assert renderer.closed
    assert renderer.thread is not None
    assert renderer.thread is not threading.main_thread()
    assert not renderer.thread.is_alive()
    assert not bench.told.of(Quality.FULL), "closing waits for no full picture"


def test_a_request_for_a_pair_in_work_gets_its_motion_draft_meanwhile(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace(encode_secs=1.0))
    renderer = bench.open()
    bench.ask(whole(7))
    bench.told.wait_for(lambda: bool(renderer.asked("encode")))
    for sixteenth in (3, 5, 11):
        asked = whole(7, Fraction(sixteenth, 16))
        bench.ask(asked)
        bench.told.wait_for(lambda asked=asked: any(each.query == asked for each in bench.told.of(Quality.MOTION)))  # type: ignore[misc]
    assert 7 not in renderer.encoded, "the drafts did not wait for the pair"
    bench.told.wait_for_full(whole(7, Fraction(11, 16)))
    assert renderer.asked("encode") == [7]


def test_a_moving_view_does_not_encode_what_takes_very_long(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "STEADY_SECS", 0.01)
    bench = bench_of(Pace(encode_secs=0.02))
    renderer = bench.open()
    for step in range(40):
        bench.ask(whole(7, Fraction(step, 80)), moving=True)
        time.sleep(0.01)
    assert not renderer.asked("encode")
    assert not renderer.asked("motion")
    assert len(bench.told.of(Quality.MOTION)) >= 5
    last = whole(7, Fraction(39, 80))
    bench.told.wait_for_full(last)
    assert renderer.asked("motion") == [last], "an exact one comes before the pair is encoded"


def test_a_gesture_that_outruns_the_motion_shows_source_frames(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.3, motion_secs=0.1))
    bench.open()
    for pair in range(30):
        bench.ask(whole(pair), moving=True)
        time.sleep(0.03)
    bench.told.wait_for_full(whole(29))
    drawn = [region.query.instant for region in bench.told.of(Quality.MOTION)]
    assert sum(instant.phase == 0 for instant in drawn) >= 5
    assert drawn[-1] == whole(29).instant, "at rest the motion is found"


def test_motion_drafts_are_drawn_on_the_screens_own_pixels(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(SLOW)
    renderer = bench.open()
    small = RegionQuery(whole().instant, Grid(210, 118), Grid(210, 118).rect)
    bench.loop.submit(RenderRequest(whole(), moving=False, on_screen=small))
    bench.told.wait_for_full(whole())
    assert renderer.asked("motion") == [small]
    assert renderer.asked("full") == [whole()]
