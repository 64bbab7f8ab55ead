"""How the clip is read: the window about the clip, the menu of models and devices; both keep the view."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu

from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from videoinr.clip.describe import facts_of
from videoinr.types import AcrossCuts, Segment
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.clip_access.second_model import shipped_names
from videoinr_viewer.dialogs.clip_window import ClipWindow, fact_in_words, in_words, title_of


@pytest.fixture
def clip_window(stage: Stage) -> ClipWindow:
    stage.viewer.window.actions_by_id["clip-window"].trigger()
    window = stage.viewer.window.side_windows.clip
    assert window is not None
    assert window.isVisible()
    return window


def rows(window: ClipWindow) -> list[tuple[str, str]]:
    items = (window.facts.topLevelItem(row) for row in range(window.facts.topLevelItemCount()))
    return [(item.text(0), item.text(1)) for item in items if item is not None]


def test_the_window_shows_everything_that_probe_prints(stage: Stage, clip_window: ClipWindow) -> None:
    facts = facts_of(stage.made[-1].opened.info)
    shown = dict(rows(clip_window))
    for name, value in facts.items():
        assert shown[title_of(name)] == fact_in_words(name, value)
    assert len({title_of(name) for name in facts}) == len(facts)
    assert shown["model"] == "gradient"
    assert shown["colour"].startswith("matrix bt709, range tv")
    assert in_words(8 / 3) == "2.66667"
    assert in_words(True) == "yes"
    assert in_words([]) == "none"
    colour = {"matrix": "bt709", "range": "tv", "primaries": "", "guessed": ["matrix"]}
    assert in_words(colour) == "matrix bt709 (guessed), range tv"
    assert [fact_in_words("fps", rate) for rate in ("30/1", "30000/1001")] == ["30", "29.97 (30000/1001)"]
    assert fact_in_words("rotation", 90) == "90°"
    assert [fact_in_words("timecode", None), fact_in_words("audio", [])] == ["not present"] * 2


def test_no_value_is_cut_off(stage: Stage, clip_window: ClipWindow) -> None:
    long = "The recording may have been cut off: 3 frames were decoded with errors. " * 3
    stage.viewer.window.side_windows.add_warning(long)
    facts = clip_window.facts
    last = facts.topLevelItem(facts.topLevelItemCount() - 1)
    assert last is not None
    for width in (700, 420):
        clip_window.resize(width, 640)
        QApplication.processEvents()
        room = facts.columnWidth(1) - 12
        wrapped = facts.fontMetrics().boundingRect(0, 0, room, 0, int(Qt.TextFlag.TextWordWrap), last.text(1))
        assert wrapped.height() > 2 * facts.fontMetrics().height()
        assert facts.visualItemRect(last).height() >= wrapped.height()


def test_what_was_met_in_reading_is_added(stage: Stage, clip_window: ClipWindow) -> None:
    stage.viewer.bridge.warned(("3 frames decoded with errors: the file is damaged there.",))
    assert rows(clip_window)[-1] == ("warnings", "3 frames decoded with errors: the file is damaged there.")


def test_another_reading_opens_the_clip_again_with_the_same_view_and_notes(
    stage: Stage, clip_window: ClipWindow
) -> None:
    session, window = stage.viewer.session, stage.viewer.window
    session.seek(Fraction(1))
    for name in ("mark-in", "split-segment", "bookmark"):
        window.actions_by_id[name].trigger()
    session.zoom_to(8)
    session.pan((30, 10))
    stage.viewer.player.set_speed(Fraction(1, 4))
    before = (session.view, session.marks, window.annotations.segments, window.annotations.bookmarks)
    clip_window.background.setCurrentText("#2060ff")
    clip_window.deinterlace.setCurrentIndex(2)
    clip_window.across_cuts.setCurrentIndex(1)
    clip_window.stream.setValue(1)
    clip_window.apply.click()
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    wanted = Reading(stream=1, background="#2060ff", deinterlace="off", across_cuts=AcrossCuts.BLEND)
    assert stage.viewer.reading.current == wanted
    assert (session.view, session.marks, window.annotations.segments, window.annotations.bookmarks) == before
    assert stage.viewer.player.speed == Fraction(1, 4)
    options = wanted.options()
    assert (options.stream, options.background, options.deinterlace) == (1, "#2060ff", "off")


def test_a_fitted_view_stays_fitted(stage: Stage, clip_window: ClipWindow) -> None:
    clip_window.background.setCurrentText("white")
    clip_window.apply.click()
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    assert stage.viewer.session.is_fitted


def test_a_colour_that_is_none_is_refused_in_the_window(stage: Stage, clip_window: ClipWindow) -> None:
    clip_window.background.setCurrentText("sky")
    clip_window.apply.click()
    assert clip_window.problem.isVisible()
    assert "sky" in clip_window.problem.text()
    assert len(stage.made) == 1


def test_a_reading_with_which_the_clip_cannot_be_opened_is_taken_back(stage: Stage, clip_window: ClipWindow) -> None:
    path = Path("broken by this.mp4")
    stage.viewer.reading.choose(Reading(stream=7))
    stage.viewer.session.open(path, keeps_notes=True)
    stage.wait_for(lambda: stage.viewer.reading.current == Reading())
    stage.wait_for(stage.viewer.window.messages.isVisible)
    assert clip_window.stream.value() == -1
    stage.wait_until_complete()


def test_exports_read_the_clip_as_the_window_does(stage: Stage, clip_window: ClipWindow) -> None:
    clip_window.background.setCurrentText("grey")
    clip_window.across_cuts.setCurrentIndex(2)
    clip_window.apply.click()
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    stage.viewer.window.actions_by_id["export"].trigger()
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    dialog = stage.viewer.window.exports.dialog
    assert dialog is not None
    job = dialog.form.job
    assert job.options.background == "grey"
    assert job.across_cuts is AcrossCuts.DECODE
    assert job.segment == Segment(Fraction(0), Fraction(2))


def entries(menu: QMenu) -> dict[str, bool]:
    return {one.objectName(): one.isChecked() for one in menu.actions() if one.objectName()}


def choose(menu: QMenu, name: str) -> None:
    menu.aboutToShow.emit()
    next(one for one in menu.actions() if one.objectName() == name).trigger()


def test_the_menu_lists_models_and_devices_and_checks_the_present_ones(stage: Stage) -> None:
    models = stage.viewer.window.menus.models
    models.menu.aboutToShow.emit()
    listed = entries(models.menu)
    assert {f"model-{name}" for name in (*shipped_names(), "gradient")} <= set(listed)
    assert {"device-fastest", "device-cpu"} <= set(listed)
    assert [name for name, checked in listed.items() if checked] == ["model-gradient", "device-fastest"]
    assert shipped_names() == ["lite", "base", "lite-real"]


def test_another_model_keeps_the_view(stage: Stage) -> None:
    session, models = stage.viewer.session, stage.viewer.window.menus.models
    session.seek(Fraction(3, 2))
    session.zoom_to(8)
    view = session.view
    choose(models.menu, "model-base")
    stage.wait_for(lambda: len(stage.made) == 2)
    stage.wait_until_complete()
    assert stage.viewer.reading.current.model == "base"
    assert session.view == view
    choose(models.menu, "device-cpu")
    stage.wait_for(lambda: len(stage.made) == 3)
    assert stage.viewer.reading.current == Reading(model="base", device="cpu")


def test_a_choice_is_taken_back_to_the_last_one_that_worked() -> None:
    choice = ReadingChoice(Reading())
    choice.choose(Reading(model="base"))
    choice.prove()
    choice.choose(Reading(model="none"))
    choice.revert()
    assert choice.current == Reading(model="base")
    assert SlowRenderer().opened.model_name == "gradient"
