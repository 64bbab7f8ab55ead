"""Undo and redo in the real window: every change but those of the view, with its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from helpers.stage import Stage
from videoinr.types import AcrossCuts, Segment
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.history import History
from videoinr_viewer.session import Marks

Do = Callable[[Stage], object]


def at(secs: float, stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(secs).limit_denominator(100))


def marked(stage: Stage) -> None:
    at(0.5, stage)
    stage.viewer.session.mark_in()
    at(1.5, stage)
    stage.viewer.session.mark_out()


def with_segment(stage: Stage) -> None:
    marked(stage)
    stage.viewer.window.annotations.add_segment()
    at(1, stage)


def with_bookmark(stage: Stage) -> None:
    at(1, stage)
    stage.viewer.window.annotations.toggle_bookmark()


def mark_in_late(stage: Stage) -> None:
    at(1.75, stage)
    stage.viewer.session.mark_in()


def mark_out_early(stage: Stage) -> None:
    at(0.25, stage)
    stage.viewer.session.mark_out()


def nothing(_stage: Stage) -> None:
    pass


CHANGES: list[tuple[str, Do, Do]] = [
    ("mark in", nothing, lambda s: s.viewer.session.mark_in()),
    ("mark out", lambda s: at(1, s), lambda s: s.viewer.session.mark_out()),
    ("mark in", marked, mark_in_late),
    ("mark out", marked, mark_out_early),
    ("clear the marks", marked, lambda s: s.viewer.session.clear_marks()),
    ("add the segment", marked, lambda s: s.viewer.window.annotations.add_segment()),
    ("split the segment", with_segment, lambda s: s.viewer.window.annotations.split_segment()),
    ("remove the segment", with_segment, lambda s: s.viewer.window.annotations.remove_segment()),
    ("rename the segment", with_segment, lambda s: s.viewer.window.annotations.rename_segment(0, "start")),
    ("set the bookmark", nothing, lambda s: s.viewer.window.annotations.toggle_bookmark()),
    ("remove the bookmark", with_bookmark, lambda s: s.viewer.window.annotations.toggle_bookmark()),
    ("rename the bookmark", with_bookmark, lambda s: s.viewer.window.annotations.rename_bookmark(0, "jump")),
]


def history_of(stage: Stage) -> History:
    return stage.viewer.window.history


@pytest.mark.parametrize(("words", "before", "change"), CHANGES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CHANGES)])
def test_every_change_is_undone_and_done_again(stage: Stage, words: str, before: Do, change: Do) -> None:
    history, actions = history_of(stage), stage.viewer.window.actions_by_id
    before(stage)
    old, count = history.document, history.stack.count()
    change(stage)
    new = history.document
    assert new != old
    assert history.stack.count() == count + 1
    assert actions["undo"].text() == f"&Undo: {words}"
    actions["undo"].trigger()
    assert history.document == old
    assert actions["redo"].text() == f"&Redo: {words}"
    actions["redo"].trigger()
    assert history.document == new
    assert history.stack.count() == count + 1


def test_keys_undo_and_redo(stage: Stage) -> None:
    handle = stage.viewer.window.windowHandle()
    assert handle is not None
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(handle, Qt.Key.Key_I)
    QTest.keyClick(handle, Qt.Key.Key_Z, control)
    assert stage.viewer.session.marks == Marks()
    QTest.keyClick(handle, Qt.Key.Key_Z, control | shift)
    assert stage.viewer.session.marks == Marks(Fraction(0))


def test_changes_of_the_view_are_no_steps(stage: Stage) -> None:
    for name in ("next-frame", "zoom-in", "compare", "minimap", "loop", "faster", "end", "fit"):
        stage.viewer.window.actions_by_id[name].trigger()
    assert history_of(stage).stack.count() == 0


def test_the_actions_are_enabled_while_there_is_a_step(stage: Stage) -> None:
    actions = stage.viewer.window.actions_by_id

    def states() -> tuple[bool, bool]:
        return actions["undo"].isEnabled(), actions["redo"].isEnabled()

    assert states() == (False, False)
    stage.viewer.session.mark_in()
    assert states() == (True, False)
    actions["undo"].trigger()
    assert states() == (False, True)
    assert actions["undo"].text() == "&Undo"


def test_the_reading_of_the_clip_is_undone_by_opening_it_anew(stage: Stage) -> None:
    history, viewer = history_of(stage), stage.viewer
    with_segment(stage)
    steps = history.stack.count()
    viewer.session.zoom_to(3)
    first, view = history.document, viewer.session.view
    viewer._read_so(replace(first.reading, across_cuts=AcrossCuts.BLEND))
    stage.wait_for(lambda: history.stack.count() == steps + 1)
    viewer.window.annotations.remove_segment()
    assert len(stage.made) == 2
    for _ in range(2):
        history.undo()
    stage.wait_for(lambda: len(stage.made) == 3 and history.document == first)
    assert history.stack.undoText() == "add the segment"
    assert viewer.session.view == view
    assert viewer.reading.current == first.reading
    history.redo()
    stage.wait_for(lambda: len(stage.made) == 4 and history.document.reading.across_cuts is AcrossCuts.BLEND)
    assert history.document.segments == first.segments
    assert history.stack.count() == steps + 2


def test_undoing_on_while_the_clip_is_opened_anew_loses_nothing(stage: Stage) -> None:
    history, viewer = history_of(stage), stage.viewer
    with_segment(stage)
    viewer._read_so(replace(history.document.reading, background="white"))
    stage.wait_for(lambda: history.stack.undoText() == "change how the clip is read")
    history.undo()
    history.undo()
    at(0.25, stage)
    viewer.window.annotations.toggle_bookmark()
    stage.wait_for(lambda: history.document.reading.background == "black")
    assert history.document.segments == ()
    assert history.document.marks == Marks(Fraction(1, 2), Fraction(3, 2))
    assert [one.time_secs for one in history.document.bookmarks] == [Fraction(1, 4)]
    history.undo()
    assert history.document.bookmarks == ()
    assert history.document.reading.background == "black"


def test_a_reading_that_fails_leaves_what_is_there(stage: Stage) -> None:
    history, viewer = history_of(stage), stage.viewer
    with_segment(stage)
    first = history.document
    viewer._read_so(replace(first.reading, background="white"))
    stage.wait_for(lambda: history.document.reading.background == "white")
    assert viewer.session.clip is not None
    # The clip cannot be opened for once.
    viewer.session.open_wanted.disconnect(viewer.loop.open)
    broken = viewer.session.open_wanted.connect(lambda _path: viewer.loop.open(Path("broken.mp4")))
    with stage.qtbot.waitSignal(viewer.session.open_failed):
        history.undo()
    assert history.document == replace(first, reading=replace(first.reading, background="white"))
    viewer.session.open_wanted.disconnect(broken)
    viewer.session.open_wanted.connect(viewer.loop.open)
    viewer.window.annotations.remove_segment()
    history.undo()
    assert history.document.segments == first.segments


def test_another_clip_begins_another_history(stage: Stage) -> None:
    with_segment(stage)
    opened = stage.viewer.session.clip
    stage.viewer.session.open(Path("another.mp4"))
    stage.wait_for(lambda: stage.viewer.session.clip is not opened)
    assert history_of(stage).stack.count() == 0
    assert history_of(stage).document == Document()


def test_any_walk_through_the_history_meets_the_same_documents(stage: Stage) -> None:
    random, history = Random(5), history_of(stage)
    session, notes = stage.viewer.session, stage.viewer.window.annotations

    def rename() -> None:
        if notes.bookmarks:
            notes.rename_bookmark(0, "first")

    intents: list[Callable[[], object]] = [
        session.mark_in, session.mark_out, session.clear_marks, notes.add_segment, notes.split_segment,
        notes.remove_segment, notes.toggle_bookmark, rename,
    ]  # fmt: skip
    documents = [history.document]
    for _ in range(300):
        at(random.uniform(0, 2), stage)
        random.choice(intents)()
        if history.document != documents[-1]:
            documents.append(history.document)
        assert history.stack.count() == len(documents) - 1
    for _ in range(500):
        index = history.stack.index()
        (history.undo if random.random() < 0.5 + (index > len(documents) / 2) / 5 else history.redo)()
        assert history.document == documents[history.stack.index()]
    assert all(isinstance(one.segment, Segment) for one in history.document.segments)


# ---- cuts ----


def cuts(stage: Stage) -> str:
    return history_of(stage).document.reading.cuts


def toggle_cut(stage: Stage) -> None:
    opened = stage.viewer.session.clip
    stage.viewer.window.actions_by_id["cut-here"].trigger()
    stage.wait_for(lambda: stage.viewer.session.clip is not opened)


def test_a_cut_is_set_and_removed_where_the_playhead_is(stage: Stage) -> None:
    history, frame = history_of(stage), Fraction(1, 25)
    stage.viewer.session.seek(5 * frame)
    toggle_cut(stage)
    assert cuts(stage) == "4"
    stage.viewer.session.seek(9 * frame + frame / 3)
    toggle_cut(stage)
    assert cuts(stage) == "4,9"
    assert history.stack.undoText() == "edit a cut"
    stage.viewer.window.timeline.overview._cuts.add(4)
    stage.viewer.session.seek(5 * frame)
    toggle_cut(stage)
    assert cuts(stage) == "-4,9"
    for expected in ("4,9", "4", ""):
        history.undo()
        stage.wait_for(lambda expected=expected: cuts(stage) == expected)  # type: ignore[misc]


def test_no_cut_is_set_before_the_first_frame_and_the_last_pair_is_reached(stage: Stage) -> None:
    stage.viewer.session.go_to_start()
    stage.viewer.window.actions_by_id["cut-here"].trigger()
    assert stage.viewer.reading.current.cuts == ""
    stage.viewer.session.seek(Fraction(2))
    toggle_cut(stage)
    assert cuts(stage) == "48"


def test_cuts_belong_to_their_clip(stage: Stage) -> None:
    stage.viewer.session.seek(Fraction(1))
    toggle_cut(stage)
    opened = stage.viewer.session.clip
    with stage.qtbot.waitSignal(stage.viewer.session.open_failed):
        stage.viewer.session.open(Path("broken.mp4"))
    assert cuts(stage) == stage.viewer.reading.current.cuts == "24"
    stage.viewer.session.open(Path("another.mp4"))
    stage.wait_for(lambda: stage.viewer.session.clip is not opened)
    assert cuts(stage) == ""
