"""The render loop without a request: it encodes pairs ahead. And the drafts that it does not need."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import pytest

from helpers.loop_under_test import SLOW, LoopUnderTest, refuse_to_encode, whole
from helpers.slow_renderer import Pace
from helpers.waiting import wait_until
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ClipError
from videoinr.geometry import Grid, Rect
from videoinr.render import pacing
from videoinr.render.hand_over import HandOver, Stage, Task
from videoinr.types import Instant, Quality, RegionQuery, RenderRequest


def fine(pair: int) -> RegionQuery:
    """Four pixels for each of the clip's, along either axis."""
    return RegionQuery(Instant(pair, Fraction(1, 2)), Grid(640, 360), Grid(640, 360).rect)


def test_an_idle_loop_encodes_ahead_in_the_direction_of_movement(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    for pair in (21, 20):
        bench.ask(whole(pair))
        bench.told.wait_for_full(whole(pair))
    wait_until(lambda: {18, 19, 20, 21} <= renderer.encoded)
    assert [call for call in renderer.asked("encode") if call != 20][:3] == [21, 19, 18]
    assert not bench.told.is_busy
    assert {region.query.instant.pair for region in bench.told.regions} == {20, 21}, "pairs encoded ahead are not shown"


def test_a_request_for_another_pair_cancels_an_encoding_ahead(
    bench_of: Callable[[Pace], LoopUnderTest],
) -> None:
    bench = bench_of(Pace(encode_secs=0.4))
    renderer = bench.open()
    renderer.encoded.update({20, 40})
    bench.ask(whole(20))
    wait_until(lambda: 21 in renderer.asked("encode"))
    bench.ask(whole(40))
    bench.told.wait_for_full(whole(40))
    assert 21 not in renderer.encoded, "the answer did not wait for it"
    wait_until(lambda: 41 in renderer.asked("encode"))
    bench.ask(whole(41))
    bench.told.wait_for_full(whole(41))
    assert renderer.asked("encode").count(41) == 1


def test_nothing_is_prepared_while_a_picture_from_elsewhere_is_awaited(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "IDLE_SECS", 0.02)
    bench = bench_of(Pace(encode_secs=3600))
    renderer = bench.open()
    renderer.encoded.add(20)
    bench.ask(whole(20))
    wait_until(lambda: 21 in renderer.asked("encode"))
    renderer.pace = Pace()
    bench.loop.hold_ahead(True)
    bench.ask(whole(20, Fraction(1, 4)))
    bench.told.wait_for_full(whole(20, Fraction(1, 4)))
    time.sleep(0.1)
    assert renderer.encoded == {20}, "what was being encoded was given up, and nothing else begun"
    bench.loop.hold_ahead(False)
    wait_until(lambda: {18, 19, 20, 21} <= renderer.encoded)


def test_motion_whose_search_was_put_off_is_sought_later(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "IDLE_SECS", 0.02)
    bench = bench_of(Pace(secs_per_pixel=1e-6, encode_secs=3600, motion_secs=3600))
    renderer = bench.open()
    renderer.encoded.add(20)
    renderer.found.add(20)
    bench.ask(whole(20))
    wait_until(lambda: 21 in renderer.asked("find"))
    bench.loop.hold_ahead(True)
    renderer.pace = Pace()
    bench.loop.hold_ahead(False)
    wait_until(lambda: 21 in renderer.found)


def test_what_plays_is_prepared_all_the_same() -> None:
    hand_over, query = HandOver(), whole(3)
    done: list[RegionQuery] = []
    task = Task(3, Stage.AHEAD, query, is_ahead=True)
    hand_over.hold_ahead(True)
    with pytest.raises(Cancelled):
        hand_over.run(task, lambda _token: done.append(query))
    hand_over.put_request(RenderRequest(query, moving=True, is_playing=True))
    hand_over.run(task, lambda _token: done.append(query))
    assert done == [query]


def test_a_failure_to_encode_ahead_is_not_reported(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(Pace())
    renderer = bench.open()
    renderer.encoded.add(20)
    tried = refuse_to_encode(renderer, monkeypatch)
    bench.ask(whole(20))
    wait_until(lambda: bool(tried))
    time.sleep(pacing.IDLE_SECS * 2)
    assert tried == [21]
    assert bench.told.failures == []
    bench.ask(whole(21))
    bench.told.wait_for(lambda: bool(bench.told.failures))
    assert bench.told.failures[0].message == "no memory", "a request for the pair reports it"


def test_motion_that_cannot_be_found_is_not_sought_again_and_again(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "IDLE_SECS", 0.001)
    bench = bench_of(Pace(encode_secs=0.05))
    renderer = bench.open()
    tried: list[int] = []

    def refuse(instant: Instant, _token: CancelToken) -> None:
        tried.append(instant.pair)
        raise ClipError(f"frame {instant.pair} is damaged", hint="none")

    monkeypatch.setattr(renderer, "find_motion", refuse)
    renderer.encoded.add(20)
    bench.ask(whole(20))
    wait_until(lambda: {16, 24} <= set(tried))
    assert len(tried) == len(set(tried)), "each pair near the view is tried once"
    assert bench.told.failures == []


def test_no_draft_is_decoded_if_the_screen_shows_a_finer_picture(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=3e-7))
    renderer = bench.open()
    renderer.encoded.update(range(50))
    for pair in (3, 7):
        bench.ask(fine(pair))
        bench.told.wait_for_full(fine(pair))
    motion = len(renderer.asked("motion"))
    drafts = len(renderer.asked("draft"))
    closer = RegionQuery(Instant(7, Fraction(1, 2)), Grid(1280, 720), Rect(100, 80, 640, 360))
    bench.ask(closer, moving=True)
    bench.told.wait_for_full(closer)
    assert len(renderer.asked("draft")) == drafts, "the full picture, magnified, is as good as a draft"
    assert len(renderer.asked("motion") + renderer.asked("quick motion")) == motion, "and better than a motion draft"
    later = RegionQuery(Instant(7, Fraction(3, 4)), closer.grid, closer.rect)
    bench.ask(later, moving=True)
    bench.told.wait_for_full(later)
    assert len(renderer.asked("draft")) == drafts + 1, "it shows another moment"


def test_no_motion_draft_replaces_a_better_picture(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(SLOW)
    renderer = bench.open()
    bench.ask(whole(7))
    bench.told.wait_for_full(whole(7))
    assert len(renderer.asked("motion")) == 1
    part = RegionQuery(whole(7).instant, whole(7).grid, Rect(10, 10, 90, 60))
    bench.ask(part, moving=True)
    bench.told.wait_for_full(part)
    assert len(renderer.asked("motion")) == 1
    bench.ask(whole(7, Fraction(3, 4)))
    bench.told.wait_for_full(whole(7, Fraction(3, 4)))
    assert len(renderer.asked("motion")) == 2, "it shows another moment"


def test_playback_decodes_every_pair_if_encoding_is_quick(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.004))
    bench.open()
    bench.ask(whole(0))
    bench.told.wait_for_full(whole(0))
    for pair in range(20, 40):
        bench.ask(whole(pair), moving=True)
        time.sleep(pacing.DWELL_SECS / 2)
    decoded = {region.query.instant.pair for region in bench.told.of(Quality.FULL)}
    # With a dwell it would miss them all but the last. Once a busy machine lets an encoding take long, it does so, too.
    assert decoded & set(range(20, 39))


def test_an_idle_loop_finds_the_motion_of_near_pairs_once(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(encode_secs=0.1))
    renderer = bench.open()
    bench.ask(whole(20))
    bench.told.wait_for_full(whole(20))
    wait_until(lambda: {16, 17, 18, 19, 20, 21, 22, 23, 24} <= renderer.found)
    assert renderer.asked("find")[:3] == [21, 19, 22]
    wait_until(lambda: 21 in renderer.encoded)
    assert len(renderer.asked("find")) == 8


def test_motion_that_the_cache_cannot_hold_is_not_sought_again_and_again(
    bench_of: Callable[[Pace], LoopUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(Pace(encode_secs=0.1))
    renderer = bench.open()
    monkeypatch.setattr(renderer, "is_motion_ready", lambda instant: False)
    bench.ask(whole(20))
    bench.told.wait_for_full(whole(20))
    wait_until(lambda: 21 in renderer.encoded)
    assert sorted(renderer.asked("find"), key=str) == [16, 17, 18, 19, 20, 21, 22, 23, 24]
