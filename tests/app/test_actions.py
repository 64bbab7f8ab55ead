"""The table of actions: unique ids and shortcuts, and the effect of the keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtTest import QTest

from helpers.screen import shot_of
from helpers.stage import Stage
from videoinr_viewer.actions import TABLE
from videoinr_viewer.dialogs.key_group import KeyGroup
from videoinr_viewer.picture.comparing import Compare

Key, Modifier = Qt.Key, Qt.KeyboardModifier
FRAME = Fraction(1, 25)
HERE = Fraction(1) + FRAME / 4
"""Pair 25, phase 1/4."""


def press(stage: Stage, key: Qt.Key, modifier: Qt.KeyboardModifier = Modifier.NoModifier) -> None:
    """Send the key to the system's window, like the keyboard."""
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, key, modifier)


def test_ids_and_shortcuts_are_unique() -> None:
    names = Counter(row.id for row in TABLE)
    names.update(QKeySequence(key).toString() for row in TABLE for key in row.keys)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    ("key", "modifier", "expected"),
    [
        (Key.Key_Left, Modifier.NoModifier, Fraction(1)),
        (Key.Key_Right, Modifier.NoModifier, 1 + FRAME),
        (Key.Key_Left, Modifier.AltModifier, HERE - FRAME / 16),
        (Key.Key_Right, Modifier.AltModifier, HERE + FRAME / 16),
        (Key.Key_Left, Modifier.ShiftModifier, HERE - 1),
        (Key.Key_Right, Modifier.ShiftModifier, Fraction(2)),
        (Key.Key_Comma, Modifier.NoModifier, HERE - FRAME),
        (Key.Key_Period, Modifier.NoModifier, HERE + FRAME),
        (Key.Key_Home, Modifier.NoModifier, Fraction(0)),
        (Key.Key_End, Modifier.NoModifier, 2 - FRAME),
    ],
)
def test_keys_move_in_time(stage: Stage, key: Qt.Key, modifier: Qt.KeyboardModifier, expected: Fraction) -> None:
    stage.viewer.session.seek(HERE)
    press(stage, key, modifier)
    assert stage.viewer.session.view.time_secs == expected


def test_keys_move_in_time_with_the_focus_on_a_slider(stage: Stage) -> None:
    stage.viewer.window.timeline.overview.setFocus()
    stage.viewer.session.seek(HERE)
    press(stage, Key.Key_Right)
    assert stage.viewer.session.view.time_secs == 1 + FRAME


@pytest.mark.parametrize(("key", "zoom"), list(zip("123456", (1, 2, 4, 8, 16, 32), strict=True)))
def test_number_keys_set_the_zoom(stage: Stage, key: str, zoom: int) -> None:
    press(stage, Qt.Key(ord(key)))
    assert stage.viewer.session.view.zoom == zoom
    assert not stage.viewer.session.is_fitted


@pytest.mark.parametrize("key", [Key.Key_F, Key.Key_0])
def test_keys_fit_the_picture_to_the_window(stage: Stage, key: Qt.Key) -> None:
    fitted = stage.viewer.session.view
    press(stage, Key.Key_6)
    press(stage, key)
    assert stage.viewer.session.view == fitted
    assert stage.viewer.session.is_fitted


def test_keys_set_visit_and_clear_the_marks(stage: Stage) -> None:
    session = stage.viewer.session
    session.seek(Fraction(1, 2))
    press(stage, Key.Key_I)
    session.seek(Fraction(3, 2))
    press(stage, Key.Key_O)
    assert (session.marks.in_secs, session.marks.out_secs) == (Fraction(1, 2), Fraction(3, 2))
    press(stage, Key.Key_I, Modifier.ShiftModifier)
    assert session.view.time_secs == Fraction(1, 2)
    press(stage, Key.Key_O, Modifier.ShiftModifier)
    assert session.view.time_secs == Fraction(3, 2)
    press(stage, Key.Key_X, Modifier.AltModifier)
    assert session.marks.in_secs is None
    assert session.marks.out_secs is None


def test_keys_control_playback(stage: Stage) -> None:
    player = stage.viewer.player
    press(stage, Key.Key_Space)
    assert player.is_playing
    press(stage, Key.Key_L)
    assert player.speed == 2
    press(stage, Key.Key_J)
    assert player.direction == -1
    assert float(player.speed) == 2.0
    press(stage, Key.Key_K)
    assert not player.is_playing
    press(stage, Key.Key_BracketLeft)
    assert player.speed == 1
    press(stage, Key.Key_L, Modifier.ShiftModifier)
    assert not player.loops
    assert not stage.viewer.window.actions_by_id["loop"].isChecked()


def test_keys_switch_the_comparison(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    press(stage, Key.Key_C)
    seen = [view.compare]
    for key in (Key.Key_W, Key.Key_Escape):
        press(stage, key)
        seen.append(view.compare)
    assert seen == [Compare.WIPE, Compare.WIPE_FOLLOWS, Compare.OFF]


def test_w_switches_between_a_wipe_that_follows_the_mouse_and_one_that_stays(stage: Stage) -> None:
    view, seen = stage.viewer.window.frame_view, []
    for _ in range(3):
        press(stage, Key.Key_W)
        seen.append(view.compare)
    assert seen == [Compare.WIPE_FOLLOWS, Compare.WIPE, Compare.WIPE_FOLLOWS]


def test_escape_closes_a_message(stage: Stage) -> None:
    messages = stage.viewer.window.messages
    messages.show_notice("A notice.")
    press(stage, Key.Key_Escape)
    assert not messages.isVisible()


def test_full_screen_shows_only_the_picture_and_keeps_the_shortcuts(stage: Stage) -> None:
    window = stage.viewer.window
    press(stage, Key.Key_F11)
    stage.wait_for(window.isFullScreen)
    assert not window.timeline.isVisible()
    assert not window.menuBar().isVisible()
    stage.wait_for(lambda: fills_the_screen(stage))
    press(stage, Key.Key_End)
    assert stage.viewer.session.view.time_secs == 2 - FRAME
    press(stage, Key.Key_Escape)
    stage.wait_for(lambda: not window.isFullScreen())
    assert window.timeline.isVisible()
    stage.wait_for(lambda: not fills_the_screen(stage))


def test_full_screen_leaves_no_border_around_the_fitted_picture(stage: Stage) -> None:
    view = stage.viewer.window.frame_view
    press(stage, Key.Key_F11)
    stage.wait_for(lambda: fills_the_screen(stage))
    stage.wait_until_complete()
    shot = shot_of(stage)
    dark = view.palette().color(QPalette.ColorRole.Dark)
    ground = (dark.red(), dark.green(), dark.blue())
    middle_row, middle_column = shot[shot.shape[0] // 2, :, :3], shot[:, shot.shape[1] // 2, :3]
    ends = [[tuple(int(level) for level in line[end]) for end in (0, -1)] for line in (middle_row, middle_column)]
    assert any(ground not in pair for pair in ends), "the picture reaches two opposite sides"


def fills_the_screen(stage: Stage) -> bool:
    """Return whether the fitted picture touches two opposite sides of its widget."""
    session, info = stage.viewer.session, stage.made[-1].opened.info
    sides = zip(session.screen_px, (info.width, info.height), strict=True)
    return min(side - session.view.zoom * clip for side, clip in sides) < 1


def test_actions_that_need_a_clip_are_disabled_without_one(
    stage_of: Callable[[], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOINR_SOUND", "null")  # Without an output, nothing can be muted.
    stage = stage_of()
    actions = stage.viewer.window.actions_by_id
    assert {row.id for row in TABLE if not row.needs_clip} == {key for key, one in actions.items() if one.isEnabled()}
    stage.open()
    assert {key for key, one in actions.items() if not one.isEnabled()} == {row.id for row in TABLE if row.by_history}
    stage.viewer.session.mark_in()
    stage.viewer.session.clear_marks()
    actions["undo"].trigger()
    stage.viewer.window.views.note()
    assert {key for key, one in actions.items() if not one.isEnabled()} == {"view-back", "view-forward"}


def test_f6_moves_the_focus_to_every_control(stage: Stage) -> None:
    seen = set()
    for _ in range(20):
        press(stage, Key.Key_F6)
        seen.add(type(stage.viewer.window.focusWidget()).__name__)
    assert seen == {"FrameView", "Overview", "PairSlider", "TimeField", "SpeedBox"}


def test_the_key_sheet_lists_every_shortcut(stage: Stage) -> None:
    press(stage, Key.Key_Question)
    sheet = stage.viewer.window.help.key_sheet
    assert sheet is not None
    assert sheet.isVisible()
    text = " ".join(group.accessibleDescription() for group in sheet.findChildren(KeyGroup))
    for row in TABLE:
        if row.keys:
            assert row.text.replace("&", "").rstrip("…") in text
        for key in row.keys:
            assert QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) in text
