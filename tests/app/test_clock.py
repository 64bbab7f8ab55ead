"""Times as seconds, timecode or frames: in the time field, on the timeline, in the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from helpers.slow_renderer import SlowRenderer
from helpers.stage import Stage
from videoinr.errors import UsageError
from videoinr.text.clip_time import clip_time
from videoinr.timeline import Timeline
from videoinr.types import StartTimecode
from videoinr_viewer.export.form import ExportForm
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.time_form import TimeForm
from videoinr_viewer.timeline.clock import Clock
from videoinr_viewer.timeline.ruler import frame_step
from videoinr_viewer.timeline.time_field import TimeField

INFO = SlowRenderer(Path("clip.mp4")).opened.info
TIMELINE = Timeline.constant(5000, Fraction(25))
SHOWN = {
    TimeForm.SECONDS: "0:01.250",
    TimeForm.TIMECODE: "00:00:01:06 + 0.250",
    TimeForm.COUNTED: "00:00:01:06 + 0.250",
    TimeForm.FRAMES: "frame 31 + 0.250",
}


@pytest.mark.parametrize("form", TimeForm)
def test_a_time_is_read_as_it_is_shown(form: TimeForm) -> None:
    clock = Clock(TIMELINE, INFO, form)
    assert clock.text(Fraction(5, 4)) == SHOWN[form]
    for time in (Fraction(0), Fraction(5, 4), Fraction(31, 25), TIMELINE.frame_time(4999)):
        assert clock.parse(clock.text(time)) == time
        assert len(clock.text(time)) <= len(clock.widest)
    assert clock.parse("f 31") == Fraction(31, 25)
    assert clock.parse("00:00:01:06") == Fraction(31, 25)
    assert clock.parse("31") == Fraction(31, 25 if form is TimeForm.FRAMES else 1)
    assert clock.parse("31 s") == 31


def test_a_clip_of_a_variable_rate_has_seconds_in_place_of_timecode() -> None:
    clock = Clock(TIMELINE, replace(INFO, vfr=True), TimeForm.TIMECODE)
    assert (clock.text(Fraction(5, 4)), clock.duration) == ("0:01.250", "3:20.000")
    assert next(iter(clock.labels(Fraction(0), Fraction(9), 400, least_px=78))) == (Fraction(0), "0:00")


OWN = replace(INFO, frames=5000, timecode=StartTimecode(90_000 - 10))
DROPS = replace(INFO, fps=Fraction(30000, 1001), timecode=StartTimecode(0, drops=True))


def test_timecode_counts_from_that_of_the_clips_file() -> None:
    clock = Clock(TIMELINE, OWN, TimeForm.TIMECODE)
    assert (clock.text(Fraction(0)), clock.text(Fraction(5, 4))) == ("00:59:59:15", "01:00:00:21 + 0.250")
    assert (clock.duration, clock.end(TIMELINE.duration_secs)) == ("00:03:20:00", "01:03:19:15")
    for time in (Fraction(0), Fraction(5, 4), TIMELINE.frame_time(4999)):
        assert clock.parse(clock.text(time)) == time
    with pytest.raises(UsageError, match="00:59:59:15 to 01:03:19:15"):
        clock.parse("00:00:01:00")
    with pytest.raises(UsageError, match="whose timecode runs from 00:00:00:00 to 00:03:20:00"):
        Clock(TIMELINE, OWN, TimeForm.COUNTED).parse("01:00:00:00")
    labels = list(clock.labels(Fraction(0), Fraction(200), 600, least_px=78))
    assert labels[0] == (Fraction(10, 25), "01:00:00:00")
    assert Clock(TIMELINE, OWN, TimeForm.SECONDS).text(Fraction(5, 4)) == "0:01.250"


def test_a_ruler_of_drop_frame_timecode_has_round_names() -> None:
    clock = Clock(Timeline.constant(20_000, DROPS.fps), DROPS, TimeForm.TIMECODE)
    labels = [text for _, text in clock.labels(Fraction(0), Fraction(665), 1200, least_px=78)]
    assert labels[:3] == ["00:00:00;00", "00:01:00;02", "00:02:00;02"]
    assert labels[10] == "00:10:00;00"
    assert all(clock.text(time) == text for time, text in clock.labels(Fraction(59), Fraction(61), 1200, least_px=78))
    times = [time for time, _ in clock.labels(Fraction(119, 2), Fraction(121, 2), 6000, least_px=78)]
    assert times == [frame / DROPS.fps for frame in range(1783, 1814)]


def test_a_start_at_a_timecode_that_the_clip_lacks_is_told_in_the_window(stage: Stage) -> None:
    words = stage.viewer.window.messages.text
    stage.open("other.mp4", StartView(clip_time("00:00:00:99")))
    stage.wait_for(lambda: "no frame 99. The last number is 0 to 24." in words.text())


def test_the_menu_names_where_the_clips_timecode_starts(qapp: QApplication) -> None:
    field, menu = TimeField(), QMenu()
    field.set_clock(Clock(TIMELINE, OWN, TimeForm.TIMECODE))
    field.add_forms(menu)
    assert [each.text() for each in menu.actions()] == [
        "Show seconds", "Show the clip’s own timecode, from 00:59:59:15", "Show timecode from zero", "Show frames",
    ]  # fmt: skip
    wanted: list[TimeForm] = []
    field.form_wanted.connect(wanted.append)
    menu.actions()[2].trigger()
    assert wanted == [TimeForm.COUNTED]


def test_a_form_chosen_in_the_menu_ends_the_edit_that_the_click_began(stage: Stage) -> None:
    field = stage.viewer.window.time_field
    stage.viewer.window.activateWindow()
    field.setFocus()
    stage.wait_for(field.hasFocus)
    QTest.keyClicks(field, "12")
    menu = QMenu(field)
    field.add_forms(menu)
    next(each for each in menu.actions() if each.text() == "Show frames").trigger()
    assert not field.hasFocus()
    assert field.text() == "frame 0"


def test_timecode_may_count_from_zero(qapp: QApplication) -> None:
    clock = Clock(TIMELINE, OWN, TimeForm.COUNTED)
    assert clock.text(Fraction(5, 4)) == "00:00:01:06 + 0.250"
    assert clock.parse("00:00:01:06") == Fraction(31, 25)
    assert (clock.end(TIMELINE.duration_secs), clock.duration) == ("00:03:20:00", "00:03:20:00")
    assert next(iter(clock.labels(Fraction(0), Fraction(200), 600, least_px=78))) == (Fraction(0), "00:00:00:00")
    drops = Clock(Timeline.constant(5000, DROPS.fps), DROPS, TimeForm.COUNTED)
    assert drops.text(1800 / DROPS.fps) == "00:01:00;02"
    # Without a timecode of the file there is one entry for both.
    field, menu = TimeField(), QMenu()
    field.set_clock(Clock(TIMELINE, INFO, TimeForm.COUNTED))
    field.add_forms(menu)
    assert [each.text() for each in menu.actions() if each.isChecked()] == ["Show timecode"]


@pytest.mark.parametrize("base", [0, 1, 24, 25, 240])
def test_the_steps_of_a_ruler_are_round(base: int) -> None:
    steps = [frame_step(Fraction(least, 3), base) for least in range(1, 40_000, 7)]
    assert all(step >= Fraction(least, 3) for step, least in zip(steps, range(1, 40_000, 7), strict=True))
    assert steps == sorted(steps)
    assert all(step % base == 0 or base % step == 0 for step in steps if base)
    assert base or set(steps) <= {step * 10**power for step in (1, 2, 5) for power in range(6)}


@pytest.mark.parametrize(("form", "first"), [
    (TimeForm.TIMECODE, ["00:00:00:00", "00:00:30:00", "00:01:00:00"]), (TimeForm.FRAMES, ["0", "1000", "2000"]),
])  # fmt: skip
def test_the_ruler_has_labels_of_frames(form: TimeForm, first: list[str]) -> None:
    clock = Clock(TIMELINE, INFO, form)
    labels = list(clock.labels(Fraction(0), Fraction(200), 600, least_px=78))
    assert [text for _, text in labels][:3] == first
    assert all(clock.parse(f"frame {text}" if text.isdigit() else text) == time for time, text in labels)
    near = [text for _, text in clock.labels(Fraction(10), Fraction(11), 600, least_px=78)]
    assert near[:2] == (["00:00:10:00", "00:00:10:05"] if form is TimeForm.TIMECODE else ["250", "255"])


def test_the_menu_of_the_time_field_changes_what_is_shown_and_that_is_kept(stage: Stage) -> None:
    window, settings = stage.viewer.window, stage.viewer.settings
    panel, field = window.timeline, window.time_field
    stage.viewer.session.seek(Fraction(5, 4))
    forms = (TimeForm.SECONDS, TimeForm.TIMECODE, TimeForm.FRAMES)
    for form in (TimeForm.TIMECODE, TimeForm.FRAMES, TimeForm.SECONDS):
        menu = QMenu()
        field.add_forms(menu)
        actions = dict(zip(forms, menu.actions(), strict=True))
        assert [one for one, action in actions.items() if action.isChecked()] == [settings.times]
        actions[form].trigger()
        assert settings.times is form
        assert panel.overview._clock is not None
        clock = panel.overview._clock
        assert (field.text(), panel.transport.duration.text()) == (clock.text(Fraction(5, 4)), f"/ {clock.duration}")
        assert clock.form is form
        assert panel.overview._playhead_text().startswith(clock.brief(Fraction(5, 4)))
        assert clock.brief(Fraction(0)) in panel.overview.describe(0)
        assert not panel.overview.grab().isNull()


def test_segments_and_the_export_dialog_show_times_so(stage: Stage) -> None:
    window, session = stage.viewer.window, stage.viewer.session
    assert session.clip is not None
    count, fps = session.clip.timeline.frame_count, session.clip.info.fps
    session.seek(10 / fps)
    session.mark_in()
    window.annotations.add_segment()
    window.actions_by_id["annotations"].trigger()
    dialog = window.side_windows.annotations
    assert dialog is not None
    window.settings_page.choose_times(TimeForm.FRAMES)
    item = dialog.list.topLevelItem(0)
    assert item is not None
    assert (item.text(1), item.text(2)) == ("frame 10", str(count))
    source = window.exports._source()
    assert source is not None
    assert source.clock.form is TimeForm.FRAMES
    form = ExportForm()
    form.set_source(source)
    texts = [form.segment.itemText(index) for index in range(form.segment.count())]
    assert any(text.endswith(f": frame 10 to {count}") for text in texts)
    form.deleteLater()


def test_the_next_start_shows_times_so(stage_of: Callable[..., Stage], tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    Settings(times=TimeForm.TIMECODE).save(path)
    stage = stage_of(settings=Settings.load(path))
    stage.open()
    assert stage.viewer.window.time_field.text() == "00:00:00:00"
    path.write_text('version = 1\ntimes = "fortnights"\n')
    strange = Settings.load(path)
    assert (strange.times, strange.strange) == (TimeForm.SECONDS, {"times": '"fortnights"'})
