"""Playback shows decoded pictures where there are some, motion drafts elsewhere, and says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPalette

from helpers.slow_renderer import Pace, gradient
from helpers.stage import Stage
from videoinr.geometry import Grid
from videoinr.playing.cache import Coverage, Stretch
from videoinr.playing.plan import PlayPlan, play_times
from videoinr.timeline import Timeline
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion, RenderRequest, Segment
from videoinr_viewer.style.painting import painting
from videoinr_viewer.timeline.overview_painter import COVER_PX, FONT_PX, OverviewPainter, Rows

SLOW = Pace(secs_per_pixel=4e-6, encode_secs=0.2)
SIZE = (700, 500)


def mark(stage: Stage, start: Fraction, end: Fraction) -> None:
    session = stage.viewer.session
    session.seek(end)
    session.mark_out()
    session.seek(start)
    session.mark_in()
    stage.wait_until_complete()


def is_covered(stage: Stage) -> bool:
    coverage = stage.viewer.play_cache.coverage()
    return coverage.done == coverage.wanted > 0


@pytest.fixture
def marked(stage_of: Callable[..., Stage]) -> Stage:
    """Return a stage with 0.4 s of the clip marked, ten pictures, and all of them decoded."""
    stage = stage_of(size=SIZE)
    stage.open()
    stage.wait_until_complete()
    mark(stage, Fraction(0), Fraction(2, 5))
    stage.wait_for(lambda: is_covered(stage))
    return stage


def play_note(stage: Stage) -> str:
    return stage.viewer.window.status.play.text()


def test_a_marked_stretch_is_decoded_and_then_played_without_the_render_thread(marked: Stage) -> None:
    viewer = marked.viewer
    assert viewer.play_cache.coverage().wanted == 10
    asked: list[RenderRequest] = []
    viewer.play.requested.connect(asked.append)
    marked.shown.clear()
    viewer.player.toggle()

    def times() -> list[Fraction]:
        return [viewer.session.clip.timeline.time_from_instant(one.query.instant) for one in marked.shown]  # type: ignore[union-attr]

    # Under load a pass of the loop leaves pictures out; the next one shows them.
    marked.wait_for(lambda: len(marked.shown) >= 12 and len(set(times())) == 10)
    assert set(marked.qualities()) == {Quality.FULL}
    assert asked == []
    assert viewer.play.drafts == 0
    assert viewer.play.decoded >= 12
    assert all(time % Fraction(1, 25) == 0 and 0 <= time < Fraction(2, 5) for time in times())
    pair = marked.shown[-1].query.instant
    assert np.array_equal(marked.shown[-1].rgbx, gradient(marked.shown[-1].query, pair.position / 50))
    marked.wait_for(lambda: play_note(marked) == "playing decoded pictures")
    assert viewer.window.status.picture.isHidden()
    viewer.player.pause()
    assert play_note(marked) == ""
    marked.wait_until_complete()


def test_pausing_rests_on_the_picture_that_is_shown(marked: Stage) -> None:
    viewer = marked.viewer
    viewer.player.toggle()
    marked.wait_for(lambda: viewer.play.decoded >= 3)
    viewer.player.pause()
    assert viewer.session.view.time_secs % Fraction(1, 25) == 0
    assert viewer.session.last_query == viewer.play._wanted[-1]
    marked.wait_until_complete()


def test_where_nothing_is_decoded_motion_drafts_play_and_the_status_line_says_so(
    stage_of: Callable[..., Stage],
) -> None:
    stage = stage_of(SLOW, size=SIZE)
    stage.open()
    stage.viewer.player.toggle()
    stage.wait_for(lambda: stage.viewer.play.drafts >= 5)
    stage.wait_for(lambda: play_note(stage).startswith("playing motion drafts, "))
    assert play_note(stage).endswith("% decoded")
    assert Quality.DRAFT not in stage.qualities()
    stage.viewer.play.set_renders_ahead(False)
    stage.wait_for(lambda: play_note(stage) == "playing motion drafts")
    stage.viewer.player.pause()


def test_another_view_is_decoded_anew_and_the_first_one_is_kept(marked: Stage) -> None:
    viewer = marked.viewer
    renderer = marked.made[-1]
    before = viewer.play_cache.plan
    viewer.session.zoom_by(2)
    marked.wait_for(lambda: viewer.play_cache.plan != before)
    marked.wait_for(lambda: is_covered(marked))
    viewer.session.fit()
    marked.wait_for(lambda: viewer.play_cache.plan == before)
    renderer.calls.clear()
    assert is_covered(marked), "nothing was lost"
    viewer.player.toggle()
    marked.wait_for(lambda: viewer.play.decoded >= 11)
    assert renderer.asked("full") == []


def test_another_speed_or_rate_shows_other_times(marked: Stage) -> None:
    viewer, actions = marked.viewer, marked.viewer.window.actions_by_id
    actions["rate-48"].trigger()
    marked.wait_for(lambda: viewer.play_cache.coverage().wanted == 20)
    actions["rate-of-clip"].trigger()
    marked.wait_for(lambda: viewer.play_cache.coverage().wanted == 10)
    viewer.player.set_speed(Fraction(1, 2))
    marked.wait_for(lambda: viewer.play_cache.coverage().wanted == 20)
    assert viewer.play_cache.coverage().done >= 10, "half of them are those of the full speed"


def test_while_the_source_is_compared_the_render_thread_brings_it(marked: Stage) -> None:
    viewer = marked.viewer
    viewer.window.actions_by_id["compare-wipe"].trigger()
    marked.shown.clear()
    viewer.player.toggle()
    marked.wait_for(lambda: len({one.query.instant for one in marked.shown if one.quality is Quality.SOURCE}) >= 3)
    assert viewer.play.decoded >= 3
    viewer.player.pause()


def test_a_picture_that_comes_after_a_later_one_was_shown_is_dropped(marked: Stage) -> None:
    viewer, play = marked.viewer, marked.viewer.play
    viewer.player.toggle()
    marked.wait_for(lambda: play.decoded >= 4)
    viewer.player._timer.setInterval(10**6)
    older, shown = play._wanted[-3:-1]
    for query, is_late in ((older, True), (shown, True), (play._wanted[-1], False)):
        region = RenderedRegion(query, Quality.MOTION, gradient(query, Fraction(0)), 0.0)
        assert play.is_late(region) == is_late
    elsewhere = replace(shown, instant=Instant(40, Fraction(0)))
    late = RenderedRegion(elsewhere, Quality.MOTION, gradient(elsewhere, Fraction(0)), 0.0)
    assert play.is_late(late)
    marked.shown.clear()
    viewer.bridge.rendered(late)
    marked.qtbot.wait(20)
    assert late not in marked.shown
    assert not play.is_late(replace(late, quality=Quality.SOURCE))
    viewer.player.pause()
    assert not play.is_late(late), "at rest the render thread decides"


def test_without_marks_what_is_ahead_of_the_playhead_is_decoded(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(size=SIZE)
    stage.open()
    stage.viewer.session.seek(Fraction(1))
    stage.wait_until_complete()

    def found() -> set[int]:
        stretches = stage.viewer.play_cache.coverage().stretches
        return {index for one in stretches for index in range(one.first, one.last + 1)}

    stage.wait_for(lambda: found() >= set(range(25, 30)))


def test_the_actions_turn_it_off_and_on(marked: Stage) -> None:
    viewer, actions = marked.viewer, marked.viewer.window.actions_by_id
    assert actions["render-ahead"].isChecked()
    actions["render-ahead"].trigger()
    marked.wait_for(lambda: viewer.play_cache.coverage().wanted == 0)
    actions["render-ahead"].trigger()
    marked.wait_for(lambda: viewer.play_cache.coverage().wanted == 10)


def test_the_timeline_tells_what_is_decoded(marked: Stage) -> None:
    overview = marked.viewer.window.timeline.overview
    marked.wait_for(lambda: overview._covered[0].done == 10)
    assert "decoded for playback" in overview.describe(overview._x_from_time(Fraction(1, 10)))
    assert "decoded for playback" not in overview.describe(overview._x_from_time(Fraction(1)))


@pytest.mark.usefixtures("qapp")
def test_the_bar_tells_memory_disk_and_nothing_apart_without_colour() -> None:
    timeline = Timeline.constant(40, Fraction(10))
    plan = PlayPlan("", timeline, play_times(timeline, Segment(Fraction(0), Fraction(4)), Fraction(1, 10)),
                    Grid(4, 4), Grid(4, 4).rect)  # fmt: skip
    rows = Rows(FONT_PX)
    image = QImage(QSize(400, rows.height_px), QImage.Format.Format_Grayscale8)
    image.fill(255)
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Text, QColor("black"))
    with painting(QPainter(image)) as painter:
        groove = QRectF(0, 0, 400, rows.height_px)
        paint = OverviewPainter(painter, palette, timeline, groove, (Fraction(0), Fraction(4)))
        paint.covered(Coverage((Stretch(0, 9, False), Stretch(20, 29, True)), 20, 40), plan)
    pixels = np.array([[image.pixelColor(x, y).lightness() for x in range(400)]
                       for y in range(rows.cover_top_px, rows.cover_top_px + COVER_PX)])  # fmt: skip
    dark = pixels < 200
    assert dark[:, 2:98].all(), "memory: solid"
    assert 0.1 < dark[:, 202:298].mean() < 0.7, "disk: hatched"
    assert dark[:-1, 102:198].sum() == 0, "nothing but the dotted line of the stretch"
    assert 0.1 < dark[-1, 102:198].mean() < 0.6


def test_kept_pictures_are_what_the_decoder_gives(marked: Stage) -> None:
    plan = marked.viewer.play_cache.plan
    assert plan is not None
    for index in range(plan.count):
        query: RegionQuery = plan.query(index)
        kept = marked.viewer.play_cache.get(query)
        assert kept is not None
        assert np.array_equal(kept.rgbx, gradient(query, query.instant.position / 50))


def test_playback_shows_the_shutter_and_its_drafts_do_without(marked: Stage) -> None:
    viewer, cache = marked.viewer, marked.viewer.play_cache
    asked: list[RenderRequest] = []
    viewer.play.requested.connect(asked.append)
    viewer.window.actions_by_id["shutter-180"].trigger()
    marked.wait_for(lambda: cache.plan is not None and cache.plan.shutter.exposure_secs == Fraction(1, 50))
    marked.wait_for(lambda: is_covered(marked))
    plan = cache.plan
    assert plan is not None
    exposures = [plan.query(index).exposure for index in range(plan.count)]
    half = Fraction(1, 100)
    assert exposures == [
        Segment(max(time - half, Fraction(0)), time + half) for time in map(plan.times.time, range(plan.count))
    ]
    marked.shown.clear()
    asked.clear()
    viewer.player.toggle()
    marked.wait_for(lambda: len(marked.shown) >= 12)
    viewer.player.pause()
    marked.wait_until_complete()
    assert {one.query.exposure for one in marked.shown} <= set(exposures), "all of them are exposed"
    rested = viewer.session.last_query
    assert rested is not None
    assert cache.get(rested) is not None, "the picture at rest is the one that was played"
    viewer.window.actions_by_id["shutter-0"].trigger()
    marked.wait_for(lambda: cache.plan is not None and not cache.plan.shutter.exposure_secs)
    assert is_covered(marked), "the plain pictures were kept"


def test_drafts_of_playback_are_of_one_instant(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(SLOW, size=SIZE)
    stage.open()
    stage.viewer.window.actions_by_id["shutter-360"].trigger()
    asked: list[RenderRequest] = []
    stage.viewer.play.requested.connect(asked.append)
    stage.viewer.player.toggle()
    stage.wait_for(lambda: stage.viewer.play.drafts >= 3)
    assert {one.query.exposure for one in asked if one.is_playing} == {None}
    stage.viewer.player.pause()
