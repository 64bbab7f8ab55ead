"""What playback shows of a stretch, and the cache that keeps those pictures in memory and on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.waiting import wait_until
from videoinr.geometry import Grid, Rect
from videoinr.playing.cache import AT_ONCE, PlayCache, Stretch
from videoinr.playing.picture_folder import PictureFolder, remove_left_over
from videoinr.playing.plan import PictureKey, PlayPlan, play_times
from videoinr.playing.times import PlayTimes, display_rate
from videoinr.timeline import Timeline
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, Segment

GRID = Grid(16, 9)
NBYTES = 16 * 9 * 4
TIMELINE = Timeline.constant(32, Fraction(12))
SECS = st.fractions(0, 3, max_denominator=1000)


def plan_of(
    start: Fraction = Fraction(0),
    end: Fraction = Fraction(2),
    *,
    step: Fraction = Fraction(1, 24),
    rect: Rect | None = None,
    source: str = "a",
    most: int | None = None,
) -> PlayPlan:
    times = play_times(TIMELINE, Segment(start, end), step)
    return PlayPlan(source, TIMELINE, times, GRID, rect or GRID.rect, most)


def picture(query: RegionQuery, level: int = 0) -> RenderedRegion:
    pixels = np.full((query.rect.height, query.rect.width, 4), level, np.uint8)
    return RenderedRegion(query, Quality.FULL, pixels, 0.01)


def fill(cache: PlayCache, source: str = "a", most: int = 1000) -> list[int]:
    """Render what ``cache`` wants, as the render loop does; return the indices in that order."""
    done: list[int] = []
    while len(done) < most and (query := cache.next_wanted(source)) is not None:
        plan = cache.plan
        assert plan is not None
        index = plan.places(PictureKey(source, query))[0]
        done.append(index)
        cache.put(source, picture(query, index % 251))
    return done


@pytest.fixture
def cache_of() -> Iterator[Callable[..., PlayCache]]:
    made: list[PlayCache] = []

    def make(pictures: int, folder: PictureFolder | None = None) -> PlayCache:
        made.append(PlayCache(pictures * NBYTES, folder))
        return made[-1]

    yield make
    for cache in made:
        cache.close()


# ---- times ----


@pytest.mark.parametrize(("fps", "rate"), [(12, 24), (25, 25), (60, 60), (120, 60), (Fraction(24000, 1001), None)])
def test_the_clips_rate_brings_its_own_frames(fps: Fraction, rate: Fraction | None) -> None:
    assert display_rate(Fraction(fps)) == (2 * fps if rate is None else rate)
    assert display_rate(Fraction(fps), Fraction(30)) == 30


@given(SECS, SECS, st.fractions(Fraction(1, 96), 1, max_denominator=96))
def test_times_are_the_start_and_multiples_of_the_step(start: Fraction, length: Fraction, step: Fraction) -> None:
    times = PlayTimes(start, start + length + Fraction(1, 50), step)
    every = [times.time(index) for index in range(times.count)]
    assert every[0] == start
    assert every == sorted(set(every))
    assert all(one % step == 0 and one < times.end_secs for one in every[1:])
    assert every[-1] + step >= times.end_secs, "none is missing at the end"
    for index, one in enumerate(every):
        assert times.index_at(one) == index, "a picture is shown from its time on,"
        following = every[index + 1] if index + 1 < len(every) else times.end_secs
        assert times.index_at((one + following) / 2) == index, "until the next one"
    assert times.index_at(Fraction(0)) == 0
    assert times.index_at(times.end_secs + 5) == times.count - 1


def test_two_seconds_of_12_frames_a_second_are_48_pictures_and_half_of_them_are_at_source_frames() -> None:
    plan = plan_of()
    assert plan.count == 48
    phases = [plan.query(index).instant.phase for index in range(48)]
    assert phases.count(Fraction(0)) == 24


def test_the_whole_clip_ends_with_its_last_frame() -> None:
    plan = plan_of(end=TIMELINE.duration_secs)
    assert plan.count == 63
    assert plan.query(62).instant == Instant(30, Fraction(1))
    uneven = Timeline(np.array([0, 40, 95, 143]), Fraction(1, 1000), 190)
    times = play_times(uneven, Segment(Fraction(0), uneven.duration_secs), Fraction(1, 24))
    last = PlayPlan("a", uneven, times, GRID, GRID.rect)
    assert last.query(last.count - 1).instant == Instant(2, Fraction(1))
    assert last.query(last.count - 2).instant != Instant(2, Fraction(1))
    assert [last.places(last.key(index)) for index in range(last.count)] == [(index,) for index in range(last.count)]


def test_a_plan_knows_its_own_pictures_alone() -> None:
    for start in (Fraction(31, 12), Fraction(259, 100)):
        end = plan_of(start, TIMELINE.duration_secs)
        assert end.count == 1, "a stretch after the last frame's time shows that frame"
        assert end.places(end.key(0)) == (0,)
    plan = plan_of(Fraction(1, 2), Fraction(1))
    assert [plan.places(plan.key(index)) for index in range(plan.count)] == [(index,) for index in range(plan.count)]
    own = plan.query(3)
    for other in (
        PictureKey("b", own),
        PictureKey("a", RegionQuery(own.instant, GRID, Rect(0, 0, 8, 9))),
        PictureKey("a", RegionQuery(Instant(own.instant.pair, Fraction(1, 5)), GRID, GRID.rect)),
        PictureKey("a", RegionQuery(Instant(0, Fraction(0)), GRID, GRID.rect)),
        PictureKey("a", RegionQuery(Instant(500, Fraction(0)), GRID, GRID.rect)),
    ):
        assert plan.places(other) == ()


# ---- the cache ----


def test_it_wants_pictures_ahead_of_the_playhead_first(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(100)
    cache.set_plan(plan_of(), 40)
    assert fill(cache) == [*range(40, 48), *range(40)]
    assert cache.coverage().done == cache.coverage().wanted == 48
    assert cache.coverage().stretches == (Stretch(0, 47, False),)
    found = cache.get(plan_of().query(7))
    assert found is not None
    assert found.rgbx[0, 0, 0] == 7


def test_while_it_plays_pictures_follow_each_other(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(100)
    cache.set_plan(plan_of())
    assert fill(cache, most=3) == [0, 1, 2]
    cache.move(20, plays=True)
    assert fill(cache, most=4) == [3, 4, 5, 6], "pictures at the playhead would come too late"
    cache.move(30)
    assert fill(cache, most=2) == [30, 31], "at rest the playhead decides"
    cache.move(40, plays=True)
    assert len(fill(cache)) == 48 - 9


def test_backwards_it_wants_the_pictures_before(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(100)
    cache.set_plan(plan_of(), 2, -1)
    assert fill(cache, most=5) == [2, 1, 0, 47, 46]


def test_memory_holds_what_comes_next_and_the_rest_is_not_wanted(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(10)
    cache.set_plan(plan_of())
    assert fill(cache) == list(range(10))
    assert cache.coverage().wanted == 10
    cache.move(5)
    assert fill(cache) == list(range(10, 15))
    assert cache.coverage().stretches == (Stretch(5, 14, False),), "those that playback reaches last made room"


def test_a_limit_of_pictures_ahead_holds(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(100)
    cache.set_plan(plan_of(most=6))
    assert fill(cache) == list(range(6))


def test_another_view_keeps_the_old_pictures_while_there_is_room(cache_of: Callable[..., PlayCache]) -> None:
    part = Rect(0, 0, 8, 9)
    cache = cache_of(30)
    cache.set_plan(plan_of(end=Fraction(1, 2)))
    assert len(fill(cache)) == 12
    cache.set_plan(plan_of(end=Fraction(1, 2), rect=part))
    assert cache.coverage().done == 0
    assert len(fill(cache)) == 12
    cache.set_plan(plan_of(end=Fraction(1, 2)))
    assert fill(cache) == [], "nothing is rendered twice"
    cache.set_plan(plan_of(end=Fraction(1, 2), source="b"))
    assert cache.get(plan_of().query(0)) is None, "another clip or model has other pictures"
    assert cache.next_wanted("a") is None, "what is open must be what the plan is of"
    assert len(fill(cache, "b")) == 12
    cache.set_plan(plan_of(end=Fraction(3, 2), source="b"))
    assert len(fill(cache, "b")) == 18, "30 pictures of the plan"
    assert cache.fetch("a", plan_of().query(3)) is None, "pictures that the plan does not show go first"


def test_a_moved_mark_and_a_halved_speed_keep_common_pictures(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(200)
    cache.set_plan(plan_of(end=Fraction(1)))
    fill(cache)
    cache.set_plan(plan_of(Fraction(1, 4), Fraction(5, 4)))
    assert cache.coverage().stretches == (Stretch(0, 17, False),)
    cache.set_plan(plan_of(end=Fraction(1), step=Fraction(1, 48)))
    assert cache.coverage().done == 24
    assert len(fill(cache)) == 24


def test_many_kept_pictures_are_looked_up_in_a_new_plan_by_the_render_thread(
    cache_of: Callable[..., PlayCache],
) -> None:
    cache = cache_of(AT_ONCE + 100)
    cache.set_plan(plan_of(end=Fraction(5, 2), step=Fraction(1, 48)))
    assert len(fill(cache)) == 120 > AT_ONCE
    told: list[int] = []
    cache.on_change = lambda: told.append(cache.coverage().done)
    cache.set_plan(plan_of(end=Fraction(5, 2)))
    assert told == [0], "the window does not wait for it"
    assert cache.next_wanted("a") is None, "all of them are there"
    assert told == [0, 60]
    assert cache.get(plan_of().query(7)) is not None


def test_a_picture_larger_than_the_memory_is_not_wanted(cache_of: Callable[..., PlayCache], tmp_path: Path) -> None:
    cache = cache_of(0, PictureFolder(tmp_path, 100 * NBYTES))
    cache.set_plan(plan_of())
    assert cache.next_wanted("a") is None
    cache.put("a", picture(plan_of().query(0)))
    assert cache.fetch("a", plan_of().query(0)) is None


def test_after_a_failure_it_wants_nothing_until_there_is_another_plan(cache_of: Callable[..., PlayCache]) -> None:
    cache = cache_of(100)
    cache.set_plan(plan_of())
    cache.give_up()
    assert cache.next_wanted("a") is None
    cache.set_plan(plan_of())
    assert cache.next_wanted("a") is None, "the same plan"
    cache.set_plan(plan_of(end=Fraction(1)))
    assert cache.next_wanted("a") is not None
    cache.set_plan(None)
    assert cache.next_wanted("a") is None
    assert cache.coverage().wanted == 0


@given(st.lists(st.tuples(st.sampled_from(["move", "put", "plan"]), st.integers(0, 47)), max_size=60))
def test_the_budget_of_the_memory_is_never_exceeded(steps: list[tuple[str, int]]) -> None:
    with PlayCache(7 * NBYTES) as cache:
        plans = [plan_of(), plan_of(Fraction(1, 3), Fraction(1)), plan_of(rect=Rect(0, 0, 16, 9), source="b")]
        cache.set_plan(plans[0])
        for what, number in steps:
            plan = cache.plan
            assert plan is not None
            if what == "plan":
                cache.set_plan(plans[number % 3])
            elif what == "move":
                cache.move(number % plan.count)
            else:
                cache.put(plan.source, picture(plan.query(number % plan.count)))
            held = [one for one in cache._held.values() if one.region is not None]
            assert len(held) <= 7
            assert cache._in_memory == len(held) * NBYTES
        plan = cache.plan
        assert plan is not None
        assert len(fill(cache, plan.source)) <= 7, "it comes to an end"


# ---- on disk ----


def test_what_memory_cannot_hold_goes_to_disk_and_comes_back_in_time(
    cache_of: Callable[..., PlayCache], tmp_path: Path
) -> None:
    folder = PictureFolder(tmp_path / "new", 100 * NBYTES)
    cache = cache_of(20, folder)
    plan = plan_of()
    cache.set_plan(plan)
    assert fill(cache) == list(range(48))
    on_disk = {index for part in cache.coverage().stretches if part.on_disk for index in range(part.first, part.last)}
    assert len(on_disk) >= 20
    for index in [*range(48), *range(48)]:
        cache.move(index)
        wait_until(lambda index=index: cache.get(plan.query(index)) is not None)  # type: ignore[misc]
        found = cache.get(plan.query(index))
        assert found is not None
        assert found.query == plan.query(index)
        assert np.all(found.rgbx == index)
        assert cache._in_memory <= 20 * NBYTES
    assert cache.next_wanted("a") is None, "nothing was lost"
    assert folder.path is not None
    assert sum(file.stat().st_size for file in folder.path.iterdir()) <= 100 * NBYTES


def test_the_budget_of_the_disk_holds_and_drops_what_comes_last(
    cache_of: Callable[..., PlayCache], tmp_path: Path
) -> None:
    folder = PictureFolder(tmp_path, 16 * NBYTES)
    cache = cache_of(4, folder)
    cache.set_plan(plan_of())
    assert fill(cache) == list(range(16))
    assert folder.path is not None
    assert sum(file.stat().st_size for file in folder.path.iterdir()) <= 16 * NBYTES
    cache.set_plan(plan_of(Fraction(1)))
    assert len(fill(cache)) == 16
    assert sum(file.stat().st_size for file in folder.path.iterdir()) <= 16 * NBYTES
    assert cache.fetch("a", plan_of().query(10)) is None


def test_a_damaged_file_is_rendered_again(cache_of: Callable[..., PlayCache], tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, 100 * NBYTES)
    cache = cache_of(2, folder)
    plan = plan_of(end=Fraction(1, 4))
    cache.set_plan(plan)
    assert len(fill(cache)) == 6
    assert folder.path is not None
    for file in folder.path.iterdir():
        file.write_bytes(b"short")
    lost = [index for index in range(6) if cache.fetch("a", plan.query(index)) is None]
    assert len(lost) >= 4
    assert sorted(fill(cache)) == lost


def test_a_disk_that_takes_nothing_leaves_the_memory(cache_of: Callable[..., PlayCache], tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    cache = cache_of(5, PictureFolder(blocked / "folder", 100 * NBYTES))
    cache.set_plan(plan_of())
    fill(cache)
    assert cache.coverage().done == cache.coverage().wanted == 5


def test_the_folder_ends_with_the_cache(tmp_path: Path) -> None:
    with PlayCache(2 * NBYTES, PictureFolder(tmp_path, 100 * NBYTES)) as cache:
        cache.set_plan(plan_of(end=Fraction(1, 4)))
        assert list(tmp_path.iterdir()) == [], "it is made when it is needed"
        fill(cache)
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    cache.put("a", picture(plan_of().query(0)))
    assert cache.fetch("a", plan_of().query(0)) is None
    assert not [one for one in threading.enumerate() if one.name == "videoinr-play-reader"]


CRASH = """
import os, sys
from pathlib import Path
import numpy as np
from videoinr.playing.picture_folder import PictureFolder
folder = PictureFolder(Path(sys.argv[1]), 1 << 20)
folder.write(np.zeros((9, 16, 4), np.uint8))
os.kill(os.getpid(), 9)
"""


def test_the_next_start_removes_what_a_crash_left_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    (left,) = tmp_path.iterdir()
    alive = PictureFolder(tmp_path, 1 << 20)
    alive.write(np.zeros((9, 16, 4), np.uint8))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1").write_bytes(b"kept")
    (tmp_path / "play-link").symlink_to(outside)
    (tmp_path / "play-just-made").mkdir()
    (tmp_path / "play-file").write_bytes(b"")
    remove_left_over(tmp_path)
    assert not left.exists()
    assert alive.path is not None
    assert alive.path.exists()
    assert (outside / "1").exists()
    assert (tmp_path / "play-just-made").exists()
    alive.close()
    remove_left_over(tmp_path / "missing")
