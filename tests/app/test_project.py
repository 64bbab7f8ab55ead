"""Projects in the real window: saving, opening, media that moved, unsaved work."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton

from helpers.clips import write_clip
from helpers.projects import DOCUMENT, document, full_project, idle, open_file, trigger, written
from helpers.stage import Stage
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.project_file import read_project
from videoinr_viewer.project.project_text import Look


def answers(monkeypatch: pytest.MonkeyPatch, *, save: str = "", opened: str = "") -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kw: (save, ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, **_kw: (opened, ""))


def test_a_project_is_saved_and_opened_again(
    stage_of: Callable[..., Stage], project_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stage_of(), stage_of()
    path = project_clip.with_name("mine.vinr")
    answers(monkeypatch, save=str(path.with_suffix("")))
    first.open(str(project_clip))
    session, window = first.viewer.session, first.viewer.window
    session.seek(Fraction(1, 3))
    session.mark_in()
    window.annotations.add_segment()
    window.annotations.toggle_bookmark()
    session.zoom_to(3)
    trigger(first, "compare-difference")
    trigger(first, "against-bicubic")
    with first.qtbot.waitSignal(window.projects.saved):
        trigger(first, "save-project")
    assert window.windowTitle() == "mine.vinr[*] — VideoINR Viewer"
    assert not window.isWindowModified()
    assert first.viewer.settings.recent[0] == path
    assert not list(project_clip.parent.glob("*.part"))
    open_file(second, path)
    assert document(second) == document(first)
    assert second.viewer.session.view == session.view
    view = second.viewer.window.frame_view
    assert (view.compare, view.comparison.kind) == (Compare.DIFFERENCE, Reference.BICUBIC)
    assert second.viewer.settings.recent == [path]
    assert second.viewer.window.windowTitle() == "mine.vinr[*] — VideoINR Viewer"
    assert not second.viewer.window.actions_by_id["undo"].isEnabled()


def test_everything_in_the_file_is_shown(stage: Stage, project_file: Path) -> None:
    open_file(stage, project_file)
    assert document(stage) == replace(DOCUMENT, reading=replace(DOCUMENT.reading, model="lite"))
    assert stage.viewer.reading.current == DOCUMENT.reading
    view = stage.viewer.session.view
    assert (view.time_secs, view.zoom) == (Fraction(7, 25), 3.7)
    assert view.centre == (40.25, 30.5)


def test_a_star_says_that_the_project_is_modified(stage: Stage, project_file: Path) -> None:
    open_file(stage, project_file)
    window = stage.viewer.window
    stage.viewer.session.clear_marks()
    assert window.isWindowModified()
    trigger(stage, "undo")
    assert not window.isWindowModified()
    trigger(stage, "redo")
    with stage.qtbot.waitSignal(window.projects.saved):
        trigger(stage, "save-project")
    assert not window.isWindowModified()
    assert read_project(project_file).project.document.marks == Document().marks
    trigger(stage, "undo")
    assert window.isWindowModified()


def test_what_is_changed_while_a_project_is_written_stays_modified(stage: Stage, project_file: Path) -> None:
    open_file(stage, project_file)
    stage.viewer.session.clear_marks()
    with stage.qtbot.waitSignal(stage.viewer.window.projects.saved):
        trigger(stage, "save-project")
        stage.viewer.window.annotations.toggle_bookmark()
    assert stage.viewer.window.isWindowModified()


def test_another_clip_closes_the_project(stage: Stage, project_file: Path, tmp_path: Path) -> None:
    open_file(stage, project_file)
    open_file(stage, tmp_path / "other.mp4")
    assert stage.viewer.window.projects.path is None
    assert stage.viewer.window.windowTitle().startswith("other.mp4")
    assert document(stage).segments == ()


def test_notes_beyond_the_end_of_the_clip_are_left_out(stage: Stage, project_clip: Path) -> None:
    longer = replace(DOCUMENT, bookmarks=(*DOCUMENT.bookmarks, replace(DOCUMENT.bookmarks[0], time_secs=Fraction(3))))
    open_file(stage, written(replace(full_project(project_clip), document=longer), project_clip.with_name("long.vinr")))
    assert document(stage).bookmarks == DOCUMENT.bookmarks


def test_a_fitted_view_is_fitted_again(stage: Stage, project_clip: Path) -> None:
    fitted = stage.viewer.session.view
    stage.viewer.session.zoom_to(8)
    project = full_project(project_clip)
    look = replace(project.look, zoom=None, centre=None)
    open_file(stage, written(replace(project, look=look), project_clip.with_name("fitted.vinr")))
    assert stage.viewer.session.is_fitted
    assert replace(stage.viewer.session.view, time_secs=fitted.time_secs) == fitted


def test_the_file_that_is_compared_with_belongs_to_the_project(stage: Stage, tmp_path: Path) -> None:
    frames = [np.full((90, 160, 3), level, np.uint8) for level in range(8)]
    clip, reference = tmp_path / "a.mp4", write_clip(tmp_path / "better.mp4", frames, fps=Fraction(50))
    clip.write_bytes(b"not read")
    comparison = stage.viewer.window.frame_view.comparison
    look = Look(compare=Compare.BLINK, reference=Reference.FILE, file=reference)
    path = written(replace(full_project(clip), look=look), tmp_path / "compared.vinr")
    assert json.loads(path.read_text("utf-8"))["view"]["file"] == "better.mp4"
    open_file(stage, path)
    stage.wait_for(lambda: comparison.kind is Reference.FILE)
    assert (comparison.mode, comparison.file_path) == (Compare.BLINK, reference)
    project = stage.viewer.window.projects.present()
    assert project is not None
    assert (project.look.reference, project.look.file) == (Reference.FILE, reference)


def test_projects_are_dropped_and_listed(stage: Stage, project_file: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(project_file))])
    for kind in (QDragEnterEvent, QDropEvent):
        event = kind(
            QPoint(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(stage.viewer.window, event)
    stage.wait_for(lambda: stage.viewer.window.projects.path == project_file)
    assert stage.viewer.window.menus.recent.actions()[1].text() == "work.vinr"


def test_a_damaged_project_leaves_the_clip_open(stage: Stage, project_file: Path) -> None:
    project_file.write_text("{")
    opened = stage.viewer.session.clip
    stage.viewer.settings.add_recent(project_file)
    stage.viewer.window.projects.open_file(project_file)
    stage.wait_for(stage.viewer.window.messages.isVisible)
    assert "is no project" in stage.viewer.window.messages.text.text()
    assert stage.viewer.session.clip is opened
    assert project_file not in stage.viewer.settings.recent


def test_a_project_whose_clip_cannot_be_opened_leaves_the_clip_and_its_reading(stage: Stage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"x")
    opened, reading = stage.viewer.session.clip, stage.viewer.reading.current
    with stage.qtbot.waitSignal(stage.viewer.session.open_failed):
        stage.viewer.window.projects.open_file(written(full_project(broken), tmp_path / "b.vinr"))
    assert stage.viewer.session.clip is opened
    assert stage.viewer.reading.current == reading
    assert not stage.viewer.window.projects.opens_project
    open_file(stage, tmp_path / "next.mp4")
    assert stage.viewer.window.projects.path is None


def test_a_file_that_cannot_be_written_is_told(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, save=str(tmp_path / "missing" / "a.vinr"))
    with stage.qtbot.waitSignal(stage.viewer.window.projects.failed):
        trigger(stage, "save-project")
    assert "could not be written" in stage.viewer.window.messages.text.text()
    assert stage.viewer.window.projects.path is None


# ---- media that moved ----


class Boxes:
    """Answers message boxes: presses the button ``press``; notes the texts."""

    def __init__(self) -> None:
        self.press, self.texts = "Cancel", list[str]()

    def exec(self, box: QMessageBox) -> int:
        self.texts.append(box.text())
        buttons = {one.text().replace("&", ""): one for one in box.findChildren(QPushButton)}
        QTimer.singleShot(0, buttons[self.press].click)
        return int(self._exec(box))

    _exec = staticmethod(QMessageBox.exec)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> Boxes:
    found = Boxes()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: found.exec(box))
    return found


def test_a_clip_that_moved_is_found_beside_the_project(
    stage: Stage, project_file: Path, project_clip: Path, boxes: Boxes
) -> None:
    moved = project_clip.parent / "clips" / project_clip.name
    moved.parent.mkdir()
    project_clip.rename(moved)
    open_file(stage, project_file)
    assert boxes.texts == []
    assert stage.viewer.session.clip is not None
    assert stage.viewer.session.clip.info.path == moved


def test_the_user_says_where_a_missing_clip_is(
    stage: Stage, project_file: Path, project_clip: Path, boxes: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = project_clip.with_name("renamed.mp4")
    project_clip.rename(moved)
    boxes.press = "Choose a file…"
    answers(monkeypatch, opened=str(moved))
    open_file(stage, project_file)
    assert "clip.mp4 is missing" in boxes.texts[0]
    assert document(stage) == DOCUMENT
    with stage.qtbot.waitSignal(stage.viewer.window.projects.saved):
        trigger(stage, "save-project")
    assert json.loads(project_file.read_text("utf-8"))["clip"]["path"] == "renamed.mp4"


def test_another_file_with_the_name_of_the_clip_is_used_only_if_the_user_says_so(
    stage: Stage, project_file: Path, project_clip: Path, boxes: Boxes
) -> None:
    project_clip.write_bytes(b"another one")
    opened = stage.viewer.session.clip
    stage.viewer.window.projects.open_file(project_file)
    stage.wait_for(lambda: len(boxes.texts) == 1)
    idle(stage)
    assert "is not the clip that the project was made with" in boxes.texts[0]
    assert stage.viewer.session.clip is opened
    boxes.press = "Use it"
    open_file(stage, project_file)
    assert document(stage) == DOCUMENT


# ---- a project that somebody else saves, too ----


@pytest.mark.parametrize("press", ["Cancel", "Replace"])
def test_a_project_that_another_window_has_saved_meanwhile_is_replaced_only_if_the_user_says_so(
    stage_of: Callable[..., Stage], project_file: Path, boxes: Boxes, press: str
) -> None:
    first, second = stage_of(), stage_of()
    for stage in (first, second):
        open_file(stage, project_file)
    first.viewer.window.annotations.toggle_bookmark()
    with first.qtbot.waitSignal(first.viewer.window.projects.saved):
        trigger(first, "save-project")
    second.viewer.session.clear_marks()
    boxes.press = press
    trigger(second, "save-project")
    second.wait_for(lambda: len(boxes.texts) == 1)
    idle(second)
    assert "changed elsewhere" in boxes.texts[0]
    on_disk = read_project(project_file).project.document
    expected = document(first if press == "Cancel" else second)
    assert (on_disk.marks, on_disk.bookmarks) == (expected.marks, expected.bookmarks)
    assert second.viewer.window.isWindowModified() == (press == "Cancel")
    trigger(second, "save-project")
    idle(second)
    assert len(boxes.texts) == (2 if press == "Cancel" else 1), "a window knows what it has written itself"


def test_two_saves_in_a_row_ask_once(stage: Stage, project_file: Path, boxes: Boxes) -> None:
    open_file(stage, project_file)
    stage.viewer.session.clear_marks()
    project_file.write_text(project_file.read_text("utf-8") + "\n", "utf-8")
    boxes.press = "Replace"
    trigger(stage, "save-project")
    trigger(stage, "save-project")
    both_looked = threading.Event()
    stage.viewer.window.projects.files.submit(both_looked.set)
    assert both_looked.wait(60), "before the window asks"
    stage.wait_for(lambda: not stage.viewer.window.isWindowModified())
    assert len(boxes.texts) == 1


def test_a_project_that_was_opened_again_in_vain_is_not_taken_as_seen(
    stage: Stage, project_file: Path, project_clip: Path, boxes: Boxes
) -> None:
    open_file(stage, project_file)
    project_file.write_text(project_file.read_text("utf-8") + "\n", "utf-8")
    project_clip.rename(project_clip.with_name("elsewhere.mp4"))
    boxes.press = "Cancel"
    stage.viewer.window.projects.open_file(project_file)
    stage.wait_for(lambda: len(boxes.texts) == 1)
    idle(stage)
    assert stage.viewer.window.projects.path == project_file
    assert stage.viewer.window.projects.seen.is_changed(project_file)


def test_a_window_that_is_closed_at_once_asks_nothing(stage: Stage, project_file: Path, boxes: Boxes) -> None:
    open_file(stage, project_file)
    stage.viewer.session.clear_marks()
    changed = project_file.read_text("utf-8") + "\n"
    project_file.write_text(changed, "utf-8")
    trigger(stage, "save-project")
    stage.viewer.window.close()
    QApplication.processEvents()
    assert boxes.texts == []
    assert project_file.read_text("utf-8") == changed


def test_a_project_file_that_is_gone_is_written_again(stage: Stage, project_file: Path, boxes: Boxes) -> None:
    open_file(stage, project_file)
    stage.viewer.session.clear_marks()
    project_file.unlink()
    with stage.qtbot.waitSignal(stage.viewer.window.projects.saved):
        trigger(stage, "save-project")
    assert boxes.texts == []
    assert read_project(project_file).project.document.marks == Document().marks
