"""Unsaved work: each window saves its state by itself, and the next one offers what was left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.projects import DOCUMENT, document, idle, open_file, trigger
from helpers.stage import Stage
from videoinr.writing import claims
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.project_file import read_project
from videoinr_viewer.project.unsaved import UnsavedWork
from videoinr_viewer.session import Marks
from videoinr_viewer.start.settings import Settings


@pytest.fixture
def stage_with(stage_of: Callable[..., Stage], tmp_path: Path) -> Callable[..., Stage]:
    """Return a function that makes stages that save their state in a folder, or offer what is there."""

    def make(settings: Settings | None = None) -> Stage:
        stage = stage_of(settings=settings, options=WindowOptions(unsaved_folder=tmp_path / "unsaved"))
        stage.viewer.window.autosave.look_around()
        return stage

    return make


def states(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "unsaved").glob("*.vinr"))


def with_segment(stage: Stage, project_clip: Path) -> None:
    stage.open(str(project_clip))
    stage.viewer.session.seek(Fraction(1))
    stage.viewer.session.mark_in()
    stage.viewer.window.annotations.add_segment()


def test_the_state_is_saved_by_itself_and_removed_at_the_end(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path
) -> None:
    stage = stage_with()
    stage.open(str(project_clip))
    stage.viewer.window.autosave.write()
    idle(stage)
    assert [read_project(one).project.document.marks for one in states(tmp_path)] == [Marks()]
    stage.viewer.window.close()
    assert list((tmp_path / "unsaved").iterdir()) == []


def test_a_change_is_saved_after_a_moment(stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path) -> None:
    stage = stage_with()
    stage.open(str(project_clip))
    stage.viewer.window.autosave._rests.stop()
    stage.viewer.session.mark_in()
    assert stage.viewer.window.autosave._rests.isActive()
    assert stage.viewer.window.autosave._rests.interval() == 1000
    stage.viewer.window.autosave._rests.start(0)
    stage.wait_for(lambda: any(read_project(one).project.document.marks != Marks() for one in states(tmp_path)))


def test_unsaved_work_is_offered_to_the_next_window_and_restored(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path
) -> None:
    first = stage_with()
    with_segment(first, project_clip)
    first.viewer.session.zoom_to(4)
    expected, view = document(first), first.viewer.session.view
    first.viewer.window.close()
    assert len(states(tmp_path)) == 1
    second = stage_with()
    bar = second.viewer.window.restore_bar
    second.wait_for(bar.isVisible)
    assert "clip.mp4" in bar.text.text()
    assert "Segments:\N{NO-BREAK SPACE}1, bookmarks:\N{NO-BREAK SPACE}0" in bar.text.text()
    bar.restore.click()
    second.wait_for(lambda: document(second) == expected)
    assert second.viewer.session.view == view
    assert second.viewer.window.projects.is_modified
    idle(second)
    assert len(states(tmp_path)) == 1
    second.viewer.window.close()
    third = stage_with()
    third.wait_for(third.viewer.window.restore_bar.isVisible)
    third.viewer.window.restore_bar.discard.click()
    idle(third)
    assert states(tmp_path) == []
    assert not third.viewer.window.restore_bar.isVisible()


def test_what_is_no_segment_and_no_bookmark_is_not_counted(
    stage_with: Callable[..., Stage], project_clip: Path
) -> None:
    lost = stage_with()
    lost.open(str(project_clip))
    lost.viewer.window.planner.set_readout(Fraction(1, 80))
    lost.viewer.window.autosave.write()
    idle(lost)
    lost.viewer.window.close()
    stage = stage_with()
    bar = stage.viewer.window.restore_bar
    stage.wait_for(bar.isVisible)
    assert "Unsaved work on" in bar.text.text()
    assert "bookmarks" not in bar.text.text()
    assert "bookmarks" not in bar.choice.itemText(0)


def test_the_work_of_several_windows_is_offered_and_each_can_be_chosen(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path
) -> None:
    lost = [stage_with() for _ in range(3)]  # A crash of the system ends them all.
    for number, stage in enumerate(lost):
        with_segment(stage, project_clip)
        stage.viewer.window.annotations.rename_segment(0, f"of window {number}")
        stage.viewer.window.autosave.write()
        idle(stage)
    for stage in lost:
        stage.viewer.window.close()
    left = {read_project(one).project.document.segments[0].name for one in states(tmp_path)}
    assert left == {"of window 0", "of window 1", "of window 2"}
    stage = stage_with()
    bar, restored = stage.viewer.window.restore_bar, set()
    for remaining in (3, 2, 1):
        stage.wait_for(lambda count=remaining: bar.isVisible() and len(bar._offers) == count)  # type: ignore[misc]
        assert (bar.choice.isVisible(), bar.choice.count()) == (remaining > 1, remaining)
        bar.choice.resize(120, bar.choice.height())
        bar.choice.grab()
        assert remaining == 1 or bar.choice.toolTip() == bar.choice.currentText(), "it is shortened, and told in whole"
        bar.choice.setCurrentIndex(remaining - 1)
        chosen = bar.chosen
        expected = read_project(chosen.left.path).project.document.segments
        if remaining == 2:
            bar.discard.click()
        else:
            bar.restore.click()
            stage.wait_for(lambda wanted=expected: document(stage).segments == wanted)  # type: ignore[misc]
            stage.viewer.window.history.stack.setClean()  # As if it were saved: it is not offered again.
        restored.add(expected[0].name)
    assert restored == left
    idle(stage)
    assert not bar.isVisible()


def test_unsaved_work_of_a_project_goes_back_to_it(
    stage_with: Callable[..., Stage], project_file: Path, tmp_path: Path
) -> None:
    first = stage_with()
    open_file(first, project_file)
    first.viewer.session.clear_marks()
    expected = document(first)
    first.viewer.window.close()
    assert read_project(project_file).project.document == DOCUMENT
    second = stage_with()
    second.wait_for(second.viewer.window.restore_bar.isVisible)
    second.viewer.window.restore_bar.restore.click()
    second.wait_for(lambda: second.viewer.window.projects.path == project_file)
    assert document(second) == expected
    assert second.viewer.window.isWindowModified()
    with second.qtbot.waitSignal(second.viewer.window.projects.saved):
        trigger(second, "save-project")
    second.viewer.window.close()
    assert states(tmp_path) == []


def test_unsaved_work_knows_which_state_of_its_project_it_began_with(
    stage_with: Callable[..., Stage], project_file: Path
) -> None:
    first = stage_with()
    open_file(first, project_file)
    of_another = project_file.read_text("utf-8") + "\n"
    project_file.write_text(of_another, "utf-8")
    first.viewer.session.clear_marks()
    first.viewer.window.close()  # The state is newer than the file, and holds nothing of it.
    second = stage_with()
    second.wait_for(second.viewer.window.restore_bar.isVisible)
    second.viewer.window.restore_bar.restore.click()
    second.wait_for(lambda: second.viewer.window.projects.path == project_file)
    idle(second)
    assert second.viewer.window.projects.seen.is_changed(project_file)


def test_a_killed_window_with_nothing_unsaved_is_offered_in_other_words(
    stage_with: Callable[..., Stage], project_clip: Path, project_file: Path, tmp_path: Path
) -> None:
    lost, of_project = stage_with(), stage_with()
    lost.open(str(project_clip))
    open_file(of_project, project_file)
    for stage in (lost, of_project):
        stage.viewer.window.autosave.write()
        idle(stage)
        unsaved = stage.viewer.window.autosave._unsaved
        assert unsaved is not None
        unsaved.leave()  # As a kill does.
    second = stage_with()
    bar = second.viewer.window.restore_bar
    second.wait_for(bar.isVisible)
    assert [one.is_work for one in bar._offers] == [False, False]
    assert all("nothing unsaved" in bar.choice.itemText(index) for index in range(2))
    assert (bar.text.text(), bar.choice.accessibleName()) == ("Left behind, 2 windows:", "Left behind, 2 windows")
    bar.discard.click()
    second.wait_for(lambda: bar.isVisible() and len(bar._offers) == 1)
    assert bar.text.text().startswith("clip.mp4 was open when the program ended unexpectedly")
    bar.restore.click()
    second.wait_for(lambda: second.viewer.session.clip is not None)


def test_another_clip_leaves_unsaved_work_behind(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path
) -> None:
    stage = stage_with()
    with_segment(stage, project_clip)
    open_file(stage, tmp_path / "other.mp4")
    stage.viewer.window.autosave.write()
    idle(stage)
    assert sorted(read_project(one).project.clip.name for one in states(tmp_path)) == ["clip.mp4", "other.mp4"]
    assert "Unsaved work on clip.mp4" in stage.viewer.window.restore_bar.text.text()
    assert stage.viewer.window.restore_bar.isVisible()
    stage.viewer.window.close()
    assert [read_project(one).project.clip.name for one in states(tmp_path)] == ["clip.mp4"]


def test_windows_that_live_are_not_offered_and_each_has_a_file(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path
) -> None:
    first, second = stage_with(), stage_with()
    for stage in (first, second):
        with_segment(stage, project_clip)
        stage.viewer.window.autosave.write()
        idle(stage)
    assert len(states(tmp_path)) == 2
    second.viewer.window.autosave.look_around()
    idle(second)
    assert not second.viewer.window.restore_bar.isVisible()


def test_a_full_disk_is_logged_and_hinders_nothing(
    stage_with: Callable[..., Stage], project_clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "unsaved").write_text("no folder")
    stage = stage_with()
    stage.open(str(project_clip))
    stage.viewer.window.autosave.write()
    idle(stage)
    assert "the state of the window could not be kept" in caplog.text
    assert not stage.viewer.window.messages.isVisible()
    trigger(stage, "next-frame")
    assert document(stage) == Document(reading=stage.viewer.reading.current)


@pytest.fixture
def locks_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock one byte, as Windows does, and remove no file that this process has open."""
    flock, real_open, real_close, real_unlink = vars(claims)["fcntl"], os.open, os.close, os.unlink
    held: dict[int, str] = {}

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) > os.fstat(descriptor).st_size, "a locked byte cannot be read"
        flock.flock(descriptor, flock.LOCK_EX | flock.LOCK_NB)

    def open_(path: str, *rest: int, **more: int) -> int:
        descriptor = real_open(path, *rest, **more)
        held[descriptor] = os.fspath(path)
        return descriptor

    def close(descriptor: int) -> None:
        held.pop(descriptor, None)
        real_close(descriptor)

    def unlink(path: str, **more: int) -> None:
        if os.fspath(path) in held.values():
            raise PermissionError(13, "The process cannot access the file because it is being used")
        real_unlink(path, **more)

    monkeypatch.setattr(claims, "fcntl", None)
    monkeypatch.setattr(claims, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking), raising=False)
    for name, stand_in in (("open", open_), ("close", close), ("unlink", unlink)):
        monkeypatch.setattr(os, name, stand_in)


@pytest.mark.skipif(not claims.has_locks(), reason="stands on the locks of this system")
@pytest.mark.usefixtures("locks_of_windows")
def test_the_work_of_another_window_is_not_left_behind_on_windows(tmp_path: Path) -> None:
    first, second = UnsavedWork(tmp_path), UnsavedWork(tmp_path)
    first.write("of the first")
    second.write("of the second")
    assert first.left_behind() == second.left_behind() == []
    first.leave()
    (left,) = second.left_behind()
    assert left.path.read_text() == "of the first"
    second.discard(left)
    second.remove()
    assert list(tmp_path.iterdir()) == []
