"""Comparison with the clip as another model decodes it: its pixels, its memory, and what happens when it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import write_clip
from helpers.projects import open_file, written
from helpers.shots import pan
from helpers.slow_renderer import QUICK, Pace, SlowRenderer
from helpers.stage import Stage
from helpers.tiny_model import save_tiny_model
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, DeviceError, UnknownModelError
from videoinr.render import pacing
from videoinr.render.engine import open_engine
from videoinr.render.renderer import Renderer
from videoinr.types import Quality, RegionQuery, RenderedRegion
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.clip_access.second_model import SecondModel, next_model
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.comparison import Comparison
from videoinr_viewer.picture.scoring import nearness
from videoinr_viewer.start import program
from videoinr_viewer.start.program import model_opener


class Inverted(SlowRenderer):
    """The other model: its pictures are negatives."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        region = super().render(query, quality, token)
        region.rgbx[..., :3] = 255 - region.rgbx[..., :3]
        return region


def compared(stage: Stage, made: list[SlowRenderer], pace: Pace = QUICK) -> Comparison:
    """Compare with another model, and wait for its picture."""

    def open_model(path: Path, name: str) -> Renderer:
        if name != "lite":
            raise UnknownModelError(f"There is no model {name}.")
        made.append(Inverted(path, pace=pace))
        return made[-1]

    comparison = stage.viewer.window.frame_view.comparison
    comparison.open_model = open_model
    stage.viewer.window.actions_by_id["against-model"].trigger()
    stage.wait_for(lambda: comparison.is_complete)
    return comparison


def test_its_full_picture_of_the_view_is_what_is_compared(stage: Stage) -> None:
    made: list[SlowRenderer] = []
    comparison = compared(stage, made)
    view, actions = stage.viewer.window.frame_view, stage.viewer.window.actions_by_id
    assert (comparison.mode, comparison.kind, comparison.model_name) == (Compare.WIPE, Reference.MODEL, "lite")
    assert actions["against-model"].isChecked()
    decoded, reference = view.item.newest(), view.item.reference
    assert decoded is not None
    assert reference is not None
    assert np.array_equal(reference.rgbx[..., :3], 255 - decoded.rgbx[..., :3])
    assert view.overlays.badge.text() == "Model lite  |  Model gradient"
    label, (psnr_db, ssim) = stage.viewer.window.status.score, nearness(decoded.rgbx, reference.rgbx)
    assert label.isVisible()
    assert label.text() == f"lite: {psnr_db:.2f} dB · SSIM {ssim:.3f}"
    assert "lite" in label.toolTip()
    actions["compare-off"].trigger()
    assert not label.isVisible()
    actions["compare-wipe"].trigger()
    assert label.isVisible()
    stage.viewer.session.zoom_to(4)
    stage.wait_until_complete()
    stage.wait_for(lambda: comparison.is_complete)
    assert view.item.reference is not None
    assert view.item.reference.query == stage.viewer.session.last_query
    assert {call for call, _ in made[0].calls} == {"full"}, "no time for drafts"


def test_a_project_remembers_which_model_was_compared(stage: Stage, project_clip: Path, tmp_path: Path) -> None:
    made: list[SlowRenderer] = []
    stage.open(str(project_clip))
    stage.wait_until_complete()
    comparison, projects = compared(stage, made), stage.viewer.window.projects
    project = projects.present()
    assert project is not None
    assert (project.look.reference, project.look.model) == (Reference.MODEL, "lite")
    comparison.set_kind(Reference.BLEND)
    open_file(stage, written(replace(project, look=replace(project.look, model="base")), tmp_path / "other.vinr"))
    stage.wait_for(lambda: comparison.kind is Reference.NEAREST)  # This test's models are all named lite.
    open_file(stage, written(project, tmp_path / "work.vinr"))
    stage.wait_for(lambda: comparison.is_complete and comparison.model_name == "lite")
    assert comparison.kind is Reference.MODEL


def test_it_is_freed_when_another_reference_is_chosen_and_with_the_window(stage: Stage) -> None:
    made: list[SlowRenderer] = []
    comparison = compared(stage, made)
    stage.viewer.window.actions_by_id["against-bicubic"].trigger()
    stage.wait_for(lambda: made[0].closed)
    assert comparison.model_name == ""
    compared(stage, made)
    stage.viewer.window.close()
    assert [one.closed for one in made] == [True, True]


def test_it_follows_to_another_clip_with_an_engine_of_its_own(stage: Stage) -> None:
    made: list[SlowRenderer] = []
    comparison = compared(stage, made)
    stage.open("another.mp4")
    stage.wait_for(lambda: len(made) == 2 and comparison.is_complete)
    assert made[1].path == Path("another.mp4")
    assert made[0].closed


def test_while_it_is_computed_the_badge_says_so(stage: Stage) -> None:
    made: list[SlowRenderer] = []
    comparison = compared(stage, made)
    made[0].pace = Pace(secs_per_pixel=1.0)
    stage.viewer.session.step_source_frame(3)
    stage.wait_until_complete()
    badge = stage.viewer.window.frame_view.overlays.badge
    stage.wait_for(lambda: badge.text() == "Model lite: being computed…  |  Model gradient")
    assert not comparison.is_complete
    made[0].pace = Pace()
    stage.viewer.session.step_source_frame(1)
    stage.wait_until_complete()
    stage.wait_for(lambda: comparison.is_complete)
    assert badge.text() == "Model lite  |  Model gradient"


def holds_only(stage: Stage, renderer: SlowRenderer, *pairs: int) -> None:
    """Let ``renderer`` hold the encoded ``pairs`` and the motion of all, and take for ever to encode others.

    A free machine has encoded all by now, a busy one few.
    """
    renderer.pace = Pace(encode_secs=3600)
    stage.qtbot.wait(50)
    renderer.encoded.clear()
    renderer.encoded.update(pairs)
    renderer.found.update(range(renderer.frames))


def test_what_is_awaited_comes_before_what_nobody_asked_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "IDLE_SECS", 0.02)
    made: list[SlowRenderer] = []
    comparison, first = compared(stage, made), stage.made[-1]
    holds_only(stage, first, 20, 30)
    made[0].pace = Pace(secs_per_pixel=1.0)
    stage.viewer.session.seek(Fraction(20, 25))
    stage.wait_for(lambda: any(query.instant.pair == 20 for query in made[0].asked("full")))  # type: ignore[attr-defined]
    first.pace = Pace()
    stage.qtbot.wait(200)
    assert 21 not in first.encoded, "the other model has the cores"
    assert comparison.is_awaited
    made[0].pace = Pace()
    stage.viewer.session.seek(Fraction(30, 25))
    stage.wait_for(lambda: 31 in first.encoded)
    stage.wait_for(lambda: comparison.is_complete)


def test_a_pair_that_the_view_has_left_is_given_up_at_once(stage: Stage) -> None:
    made, told = list[SlowRenderer](), list[bool]()
    comparison, first = compared(stage, made), stage.made[-1]
    holds_only(stage, first, 20)
    comparison.hold_ahead = told.append
    # Where encoding was seen to take a while, a motion draft comes before it.
    stage.viewer.loop._pacer.note_encoding(0.5)
    made[0].pace = Pace(secs_per_pixel=1.0)
    stage.viewer.session.seek(Fraction(20, 25))
    stage.wait_for(lambda: told == [True])
    stage.viewer.session.seek(Fraction(61, 50))
    stage.wait_for(lambda: told == [True, False])
    first.pace = made[0].pace = Pace()
    stage.viewer.session.seek(Fraction(20, 25))
    stage.wait_for(lambda: stage.is_complete() and comparison.is_complete)
    assert told == [True, False, True, False], "it is asked for again"


def test_a_failure_is_told_and_the_source_is_compared_again(stage: Stage) -> None:
    def open_model(path: Path, name: str) -> Renderer:
        raise DeviceError("There is too little memory.", hint="Close other programs.")

    comparison = stage.viewer.window.frame_view.comparison
    comparison.open_model = open_model
    stage.viewer.window.actions_by_id["against-model"].trigger()
    stage.wait_for(lambda: comparison.kind is Reference.NEAREST)
    assert "too little memory" in stage.viewer.window.messages.text.text()
    assert stage.viewer.window.actions_by_id["against-pixels"].isChecked()


def test_its_pixels_are_those_of_that_model(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "pan.mkv", list(pan(1, 3)), codec="ffv1")
    weights = save_tiny_model(tmp_path)
    with open_engine(clip, model=str(weights)) as engine:
        instant = engine.clip.timeline.instant_from_time(engine.clip.timeline.duration_secs / 3)
        grid = engine.clip.info.grid.scaled(2)
        query = RegionQuery(instant, grid, grid.rect)
        expected = engine.render(query).rgbx
    second = SecondModel(clip, str(weights), model_opener(ReadingChoice(Reading())))
    assert np.array_equal(second.picture(query, CancelToken()).rgbx, expected)
    second.close()
    with pytest.raises(Cancelled):
        second.picture(query, CancelToken())


@pytest.mark.parametrize("words", ["Preparing the kernels.", ""])
def test_what_takes_long_while_it_opens_is_told_and_ends(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    def open_slowly(path: Path, *, notice: Callable[[str], None], **_: object) -> SlowRenderer:
        if words:
            notice(words)
        return SlowRenderer(path)

    reading, told = ReadingChoice(Reading()), list[str]()
    reading.tell = told.append
    monkeypatch.setattr(program, "_import_engine", lambda: open_slowly)
    model_opener(reading)(Path("a.mp4"), "base").close()
    assert told == ([words, ""] if words else [])


def test_closing_does_not_wait_for_a_picture() -> None:
    renderer = SlowRenderer(pace=Pace(secs_per_pixel=1.0))
    second, token = SecondModel(Path("a.mp4"), "lite", lambda *_: renderer), CancelToken()
    query = RegionQuery(
        renderer.timeline.instant_from_time(Fraction(0)), renderer.opened.info.grid, renderer.opened.info.grid.rect
    )

    def render() -> None:
        with pytest.raises(Cancelled):
            second.picture(query, token)

    thread = threading.Thread(target=render)
    thread.start()
    while not renderer.calls:
        pass
    second.close()
    assert not renderer.closed
    token.cancel()
    thread.join()
    assert renderer.closed, "the thread that renders frees it"


def test_the_next_model_is_another_one() -> None:
    assert next_model("base") == "lite"
    assert next_model("lite") == "base"
    assert next_model("mine") == "lite"
    assert next_model("mine", "lite") == "base"
    assert next_model("mine", "base") == "lite-real"
    assert next_model("mine", "lite-real") == "lite"
