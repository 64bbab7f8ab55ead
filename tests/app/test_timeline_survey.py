"""The survey of a clip: its cuts and repeats are found in the background, and marked on the timeline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace
from helpers.stage import Stage
from videoinr_viewer.clip_access.survey import Found
from videoinr_viewer.timeline.overview import Overview
from videoinr_viewer.timeline.overview_painter import RULER_PX, STRIP_PX

FRAME = Fraction(1, 25)
CUTS, REPEATS = frozenset({9, 30}), frozenset({3, 4, 20})


def trigger(stage: Stage, name: str) -> None:
    stage.viewer.window.actions_by_id[name].trigger()


def overview_of(stage: Stage) -> Overview:
    return stage.viewer.window.timeline.overview


@pytest.fixture
def surveyed(stage_of: Callable[..., Stage]) -> Stage:
    stage = stage_of(frame_source=partial(SlowFrames, cuts=CUTS, repeats=REPEATS))
    stage.open()
    stage.wait_until_complete()
    stage.wait_for(lambda: overview_of(stage).cuts == (9, 30))
    return stage


def test_all_cuts_and_repeats_of_the_clip_are_marked_without_a_visit(surveyed: Stage) -> None:
    overview = overview_of(surveyed)
    surveyed.wait_for(lambda: overview.repeats == (3, 4, 20))
    assert {region.query.instant.pair for region in surveyed.shown} == {0}
    x = overview.x_from_tick(overview.maximum() * 10 / 50)
    assert "cut before frame 10" in overview.describe(x - 1)
    assert "frame 4 repeats frame 3" in overview.describe(overview.x_from_tick(overview.maximum() * 3.5 / 50))
    shot = overview.grab().toImage()
    colours = [shot.pixelColor(round(x) + step, RULER_PX + STRIP_PX + 3) for step in (-1, 0, 1)]
    assert any(colour.red() - colour.blue() > 80 for colour in colours), "the stroke of a cut is warm"


def test_keys_go_from_cut_to_cut(surveyed: Stage) -> None:
    session = surveyed.viewer.session
    times = []
    for name in ("next-cut", "next-cut", "next-cut", "previous-cut"):
        trigger(surveyed, name)
        times.append(session.view.time_secs)
    assert times == [10 * FRAME, 31 * FRAME, 31 * FRAME, 10 * FRAME]


def test_the_survey_of_a_clip_ends_with_it_and_leaves_no_thread(stage_of: Callable[..., Stage]) -> None:
    made: list[SlowFrames] = []

    def open_frames(path: Path) -> SlowFrames:
        made.append(SlowFrames(path, frames=2000, secs=0.002, cuts=frozenset({1500})))
        return made[-1]

    before = set(threading.enumerate())
    stage = stage_of(frames=2000, frame_source=open_frames)
    stage.open("first.mp4")
    found: list[Found] = []
    stage.viewer.window.survey.found.connect(found.append)
    stage.wait_for(lambda: bool(made) and len(made[0].judged) > 20)
    stage.open("second.mp4")
    stage.wait_for(lambda: len(made) == 2 and len(made[1].judged) > 20)
    assert made[0].closed
    assert len(made[0].judged) < 1999
    stage.wait_for(lambda: bool(found) and found[-1].path.name == "second.mp4" and not found[-1].is_complete)
    stage.viewer.window.close()
    assert made[1].closed
    assert {one.name for one in set(threading.enumerate()) - before} == set()


def test_no_survey_begins_after_the_end(surveyed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    window = surveyed.viewer.window
    surveyed.viewer.shut_down()
    begun: list[object] = []
    monkeypatch.setattr(threading.Thread, "start", begun.append)
    # As the signal of a clip does that was opened just before the end.
    window.survey.start(Path("clip.mp4"), 10_000)
    assert begun == []


def test_the_survey_waits_while_pictures_are_made(stage_of: Callable[..., Stage]) -> None:
    made: list[SlowFrames] = []

    def open_frames(path: Path) -> SlowFrames:
        made.append(SlowFrames(path, frames=5000, secs=0.001))
        return made[-1]

    stage = stage_of(Pace(), frames=5000, frame_source=open_frames)
    stage.open()
    stage.wait_until_complete()
    stage.wait_for(lambda: bool(made) and len(made[0].judged) > 5)
    stage.qtbot.wait(100)
    stage.viewer.window.survey.set_paused(True)
    stage.qtbot.wait(50)
    count = len(made[0].judged)
    stage.qtbot.wait(150)
    assert len(made[0].judged) <= count + 1
    stage.viewer.window.survey.set_paused(False)
    stage.wait_for(lambda: len(made[0].judged) > count + 5)


def test_a_damaged_frame_does_not_end_the_survey(stage_of: Callable[..., Stage]) -> None:
    from videoinr.errors import ClipError
    from videoinr.types import PairKind

    class Damaged(SlowFrames):
        def kind(self, pair: int, *args: object) -> PairKind:
            if pair == 5:
                raise ClipError("frame 5 cannot be read")
            return super().kind(pair)

    stage = stage_of(frame_source=partial(Damaged, cuts=CUTS))
    stage.open()
    stage.wait_for(lambda: overview_of(stage).cuts == (9, 30))
