"""A zoomed view on a pair that takes long to encode: a crop preview first, whole frames once the view rests."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import pytest

from helpers.loop_under_test import GRID, LoopUnderTest, whole
from helpers.slow_renderer import Pace, SlowRenderer
from videoinr.geometry import Rect
from videoinr.render import gesture
from videoinr.types import Instant, Quality, RegionQuery

ENCODE_SECS = 0.5
CORNER = Rect(10, 20, 64, 48)


def corner(pair: int, phase: Fraction = Fraction(1, 2)) -> RegionQuery:
    return RegionQuery(Instant(pair, phase), GRID, CORNER)


def opened(bench: LoopUnderTest) -> SlowRenderer:
    """Open a clip and show one pair, so that the loop knows how long encoding takes."""
    renderer = bench.open()
    bench.ask(whole(0))
    bench.told.wait_for_full(whole(0))
    renderer.calls.clear()
    bench.told.regions.clear()
    return renderer


def calls(renderer: SlowRenderer) -> list[str]:
    return [name for name, _ in renderer.calls if name != "source"]


def test_a_crop_preview_is_shown_before_whole_frames_are_encoded(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=ENCODE_SECS))
    renderer = opened(bench)
    bench.ask(corner(20))
    bench.told.wait_for_full(corner(20))
    assert calls(renderer)[:4] == ["motion", "preview", "encode", "full"]
    shown = [Quality.SOURCE, Quality.MOTION, Quality.DRAFT, Quality.FULL]
    assert [region.quality for region in bench.told.regions] == shown
    draft = bench.told.regions[2].query
    assert (draft.instant, draft.grid, draft.rect) == (corner(20).instant, GRID, CORNER)
    assert 20 in renderer.encoded


@pytest.mark.parametrize("encode_secs", [0.0, ENCODE_SECS])
def test_there_is_no_crop_preview_for_quick_encoders_or_whole_views(
    bench_of: Callable[[Pace], LoopUnderTest], encode_secs: float
) -> None:
    bench = bench_of(Pace(encode_secs=encode_secs))
    renderer = opened(bench)
    asked = whole(20) if encode_secs else corner(20)  # nearly all is shown, or encoding is quick
    bench.ask(asked)
    bench.told.wait_for_full(asked)
    assert [call for call in calls(renderer) if call != "motion"][:2] == ["encode", "full"]
    assert not renderer.asked("preview")


def test_a_view_that_moves_within_the_crop_does_not_wait_for_whole_frames(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace(encode_secs=4 * ENCODE_SECS))
    renderer = opened(bench)
    bench.ask(corner(20))
    bench.told.wait_for(lambda: bool(bench.told.of(Quality.DRAFT)))
    time.sleep(gesture.REST_SECS)  # whole frames are in work now
    for step in range(1, 9):
        bench.ask(corner(20, Fraction(step, 32)), moving=True)
        bench.told.wait_for(
            lambda step=step: any(each.query.instant.phase == Fraction(step, 32) for each in bench.told.regions[1:])  # type: ignore[misc]
        )
    assert 20 not in renderer.encoded
    assert len(renderer.asked("preview")) == 9
    assert len(renderer.crops) == 1, "one crop was enough for all"
    bench.ask(corner(20, Fraction(1, 2)))
    bench.told.wait_for_full(corner(20, Fraction(1, 2)))
    assert 20 in renderer.encoded


def test_releasing_the_mouse_button_does_not_restart_the_encoding(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=ENCODE_SECS))
    renderer = opened(bench)
    bench.ask(corner(20), moving=True)
    bench.told.wait_for(lambda: "encode" in calls(renderer))
    bench.ask(corner(20))
    bench.told.wait_for_full(corner(20))
    assert calls(renderer).count("encode") == 1
