"""Every action of the table: with a clip, without one, while pictures are made; and two thousand of them at random.

A window serves a few actions in turn: opening one takes ten times as long as most actions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu

from helpers.slow_renderer import Pace
from helpers.stage import Stage
from videoinr_viewer.action_row import Row
from videoinr_viewer.actions import TABLE
from videoinr_viewer.dialogs.command_palette import plain
from videoinr_viewer.dialogs.report import ReportCopier

SLOW = Pace(secs_per_pixel=3e-6, encode_secs=0.05)
NOT_ALONE = {"quit"}
"""Actions that end the window."""
RANDOM_STEPS = 2000
SHARING = 8
"""How many actions share a window."""
OPENING = {"open-demo"}
"""Actions that open a clip, which the next one must not find."""


def groups() -> list[list[Row]]:
    """Return the actions in groups that share a window; each is the last one of its window where it opens a clip."""
    found: list[list[Row]] = [[]]
    for row in (row for row in TABLE if row.id not in NOT_ALONE):
        found[-1].append(row)
        if len(found[-1]) == SHARING or row.id in OPENING:
            found.append([])
    return [group for group in found if group]


ROWS = pytest.mark.parametrize("rows", groups(), ids=lambda rows: f"{rows[0].id} to {rows[-1].id}")


@pytest.fixture(autouse=True)
def no_dialogs_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user cancels every file dialog, and no other program is started. There is an output of sound."""
    monkeypatch.setenv("VIDEOINR_SOUND", "null")
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_args, **_kw: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args, **_kw: "")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda *_args: True)
    monkeypatch.setattr(ReportCopier, "start", lambda _: None)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Errors on other threads; pytest-qt reports those of slots."""
    found: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: found.append(repr(args.exc_value)))
    yield found
    assert found == []


def trigger(stage: Stage, row: Row) -> None:
    stage.viewer.window.actions_by_id[row.id].trigger()
    stage.qtbot.wait(5)


@ROWS
@pytest.mark.usefixtures("errors")
def test_with_a_clip(stage: Stage, rows: list[Row]) -> None:
    for row in rows:
        stage.viewer.session.seek(Fraction(1))
        for _ in range(2):
            trigger(stage, row)
        stage.viewer.player.pause()
        stage.wait_until_complete()
        close_dialogs(stage)


@ROWS
@pytest.mark.usefixtures("errors")
def test_without_a_clip(stage_of: Callable[..., Stage], rows: list[Row]) -> None:
    stage = stage_of()
    for row in rows:
        action = stage.viewer.window.actions_by_id[row.id]
        assert action.isEnabled() != row.needs_clip, row.id
        trigger(stage, row)
        if row.needs_clip:
            assert stage.requests == [], row.id
        close_dialogs(stage)


@ROWS
@pytest.mark.usefixtures("errors")
def test_while_pictures_are_made(stage_of: Callable[..., Stage], rows: list[Row]) -> None:
    stage = stage_of(SLOW)
    stage.open()
    for number, row in enumerate(rows):
        # Another pair for each: none is encoded yet.
        stage.viewer.session.seek(number + Fraction(1, 2), moving=True)
        trigger(stage, row)
        stage.viewer.session.zoom_by(1.3)
        trigger(stage, row)
        stage.viewer.player.pause()
        close_dialogs(stage)


def test_every_action_is_in_a_menu(stage: Stage) -> None:
    bar = stage.viewer.window.menuBar()
    listed = {
        one.objectName() for top in bar.actions() if isinstance(menu := top.menu(), QMenu) for one in menu.actions()
    }
    assert {row.id for row in TABLE} <= listed


def test_every_action_is_reached_by_menu_key_and_palette(stage: Stage) -> None:
    """Each way to each action triggers it, and nothing else. What the actions do is cut off."""
    window = stage.viewer.window
    window.activateWindow()
    stage.wait_for(window.isActiveWindow)
    told: list[str] = []
    for row in TABLE:
        action = window.actions_by_id[row.id]
        action.setEnabled(True)
        action.triggered.disconnect()
        action.triggered.connect(lambda _checked=False, name=row.id: told.append(name))
    for row in TABLE:
        told.clear()
        for way in (trigger_by_menu, trigger_by_key, trigger_by_palette):
            if row.id != "palette" or way is not trigger_by_palette:
                way(stage, row)
        assert told == [row.id] * (2 if row.id == "palette" else 3), row.id


def trigger_by_menu(stage: Stage, row: Row) -> None:
    menus = [menu for one in stage.viewer.window.menuBar().actions() if isinstance(menu := one.menu(), QMenu)]
    (entry,) = (one for menu in menus for one in menu.actions() if one.objectName() == row.id)
    entry.trigger()


def trigger_by_key(stage: Stage, row: Row) -> None:
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    assert row.keys, f"{row.id} has no key"
    combination = QKeySequence(row.keys[0])[0]  # type: ignore[index]
    QTest.keyClick(handle, combination.key(), combination.keyboardModifiers())


def trigger_by_palette(stage: Stage, row: Row) -> None:
    commands = stage.viewer.window.commands
    commands.recent = []
    commands.show()
    dialog = commands.dialog
    assert dialog is not None
    dialog.query.setText(plain(stage.viewer.window.actions_by_id[row.id].text()))
    QTest.keyClick(dialog.query, Qt.Key.Key_Return)


@pytest.mark.long
def test_two_thousand_random_actions(stage_of: Callable[..., Stage], errors: list[str]) -> None:
    random = Random(17)
    before = set(threading.enumerate())
    stage = stage_of(Pace(secs_per_pixel=2e-8))
    stage.open()
    rows = [row for row in TABLE if row.id not in NOT_ALONE | {"full-screen", "open-demo"}]
    session = stage.viewer.session
    for step in range(RANDOM_STEPS):
        stage.viewer.window.actions_by_id[random.choice(rows).id].trigger()
        if step % 7 == 0:
            session.zoom_at(2 ** random.uniform(-1, 1), (random.uniform(0, 900), random.uniform(0, 400)))
        if step % 50 == 0:
            stage.qtbot.wait(1)
        assert session.clip is not None
        assert 0 <= session.view.time_secs <= session.clip.timeline.duration_secs
    stage.viewer.player.pause()
    close_dialogs(stage)
    stage.wait_until_complete()
    kept = stage.viewer.window.frame_view.item.stack.regions
    assert len(kept) <= 8
    stage.viewer.window.exports.asks = False
    stage.viewer.window.close()
    assert set(threading.enumerate()) - before == set()
    assert errors == []


def close_dialogs(stage: Stage) -> None:
    for dialog in stage.viewer.window.findChildren(QDialog):
        dialog.hide()
    assert stage.viewer.window.windowState() is not Qt.WindowState.WindowMinimized
