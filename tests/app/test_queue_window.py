"""The export queue in the window: its jobs, its dialog, and what outlives the program. Its process is the real one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QSystemTrayIcon, QTreeWidget

from helpers.job_queues import frame_count
from helpers.stage import Stage
from videoinr.exporting.job_file import read_job
from videoinr.exporting.queue_folder import jobs_in_order
from videoinr.exporting.queue_state import EMPTY, JobState, QueuedJob, QueueState
from videoinr_viewer.export import queue_bridge
from videoinr_viewer.export.dialog import ExportDialog
from videoinr_viewer.export.queue_dialog import QueueDialog
from videoinr_viewer.main_window import WindowOptions

FRAMES = 50
PROCESS_MSECS = 120_000
"""How long a process may take on a busy machine to start and to do its part."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the queue; its process finds the helpers."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr(queue_bridge, "LOOK_MSECS", 50)
    (tmp_path / "clip.mkv").write_bytes(b"a clip")
    return tmp_path / "state" / "queue"


@pytest.fixture
def window_of(stage_of: Callable[..., Stage], folder: Path) -> Callable[..., Stage]:
    def make(secs_per_frame: float = 0.0) -> Stage:
        command = [sys.executable, "-m", "helpers.slow_cli", str(secs_per_frame)]
        stage = stage_of(export_command=command, options=WindowOptions(queue_folder=folder))
        stage.open(str(folder.parents[1] / "clip.mkv"))
        stage.wait_until_complete()
        return stage

    return make


def export_dialog(stage: Stage) -> ExportDialog:
    stage.viewer.window.actions_by_id["export"].trigger()
    stage.wait_for(lambda: stage.viewer.window.exports.dialog is not None)
    dialog = stage.viewer.window.exports.dialog
    assert dialog is not None
    dialog.form.picture_size.setCurrentText("×1")
    dialog.form.rate.setCurrentText("×1")
    dialog.form.codec.setCurrentIndex(dialog.form.codec.findData("ffv1"))
    return dialog


def add(stage: Stage, *outs: Path) -> None:
    dialog = export_dialog(stage)
    for out in outs:
        dialog.form.path.setText(str(out))
        dialog.enqueue.click()
        stage.wait_for(lambda out=out: stage.viewer.window.exports.queue.expects(out))  # type: ignore[misc]
        assert dialog.title.text() == "Added to the queue"
        dialog.again.click()
    dialog.hide()


def queue_dialog(stage: Stage) -> QueueDialog:
    stage.viewer.window.actions_by_id["export-queue"].trigger()
    stage.wait_for(lambda: stage.viewer.window.exports.queue.dialog is not None)
    dialog = stage.viewer.window.exports.queue.dialog
    assert dialog is not None
    stage.wait_for(lambda: stage.viewer.queue.state is not None)
    return dialog


def wait_for_process(stage: Stage, condition: Callable[[], bool]) -> None:
    stage.qtbot.waitUntil(condition, timeout=PROCESS_MSECS)


def states(stage: Stage) -> list[JobState]:
    state = stage.viewer.queue.state
    return [] if state is None else [job.state for job in state.jobs]


def cells(tree: QTreeWidget) -> list[list[str]]:
    rows = (tree.topLevelItem(row) for row in range(tree.topLevelItemCount()))
    return [[item.text(column) for column in range(tree.columnCount())] for item in rows if item is not None]


def choose(dialog: QueueDialog, *rows: int) -> None:
    dialog.list.clearSelection()
    for row in rows:
        item = dialog.list.topLevelItem(row)
        assert item is not None
        dialog.list.setCurrentItem(item)
    for row in rows:
        dialog.list.topLevelItem(row).setSelected(True)  # type: ignore[union-attr]


def test_a_queue_with_a_bad_job_runs_and_the_bad_one_is_tried_again(
    window_of: Callable[..., Stage], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, outs = window_of(), folder.parents[1]
    good, bad = outs / "good.mkv", outs / "later" / "bad.mkv"
    add(stage, bad, good)
    assert [path.name for path in jobs_in_order(folder)] == ["bad.json", "good.json"]
    assert read_job(folder / "good.json").out == good
    dialog = queue_dialog(stage)
    assert [row[:3] for row in cells(dialog.list)] == [
        ["bad.mkv", "waiting", "0 of 50"], ["good.mkv", "waiting", "0 of 50"],
    ]  # fmt: skip
    dialog.run.click()
    assert not dialog.run.isEnabled() or dialog.run.text() == "Pause the &queue"
    wait_for_process(stage, lambda: sorted(state.value for state in states(stage)) == ["done", "failed"])
    wait_for_process(stage, lambda: not stage.viewer.queue.is_running)
    assert frame_count(good) == FRAMES
    assert dialog.summary.text() == "1 of 2 done, 1 failed"
    assert "Saved 50 frames to" in stage.viewer.window.messages.text.text()
    choose(dialog, 0)
    assert "There is no folder" in dialog.note.text()
    dialog.log.click()
    assert dialog.log_window is not None
    assert "failed: There is no folder" in dialog.log_window.text.toPlainText()
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    dialog.folder.click()
    assert opened == [str(bad.parent)]
    bad.parent.mkdir()
    dialog.again.click()
    stage.wait_for(lambda: JobState.FAILED not in states(stage))
    dialog.run.click()
    wait_for_process(stage, lambda: states(stage) == [JobState.DONE] * 2)
    assert frame_count(bad) == FRAMES


def asked_at_the_end(stage: Stage) -> str:
    """Try to close the window, press Return at what is asked, and return the question."""
    asked: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append(box.text())
        QTest.keyClick(box, Qt.Key.Key_Return)

    QTimer.singleShot(50, answer)
    stage.viewer.window.close()
    assert not stage.viewer.is_shut_down
    return asked[0]


def test_a_paused_queue_outlives_the_program(window_of: Callable[..., Stage], folder: Path) -> None:
    stage, out = window_of(0.8), folder.parents[1] / "out.mkv"
    add(stage, out)
    dialog = queue_dialog(stage)
    dialog.run.click()
    wait_for_process(stage, lambda: states(stage) == [JobState.RUNNING] and stage.viewer.queue.state.jobs[0].done > 2)  # type: ignore[union-attr]
    assert not dialog.progress.isHidden()
    assert "queue " in stage.viewer.window.status.queue.text()
    assert "export queue is still running" in asked_at_the_end(stage)
    dialog.run.click()
    wait_for_process(stage, lambda: not stage.viewer.queue.is_running)
    wait_for_process(stage, lambda: states(stage) == [JobState.WAITING])
    assert "the queue is paused" in dialog.summary.text()
    assert dialog.run.text() == "&Start"
    stage.viewer.window.close()
    assert stage.viewer.is_shut_down, "nothing runs, so nothing is asked"
    again = window_of()
    assert again.viewer.window.status.queue.text() == "1 job in the queue"
    dialog = queue_dialog(again)
    stage.wait_for(lambda: cells(dialog.list)[0][1] == "waiting")
    dialog.run.click()
    wait_for_process(again, lambda: states(again) == [JobState.DONE])
    assert frame_count(out) == FRAMES
    assert not list(out.parent.glob("*.part"))


def test_jobs_are_moved_paused_and_removed_by_keyboard(window_of: Callable[..., Stage], folder: Path) -> None:
    stage = window_of()
    add(stage, *(folder.parents[1] / f"{name}.mkv" for name in "abc"))
    dialog = queue_dialog(stage)
    stage.wait_for(lambda: dialog.list.topLevelItemCount() == 3)
    dialog.list.setFocus()
    stage.wait_for(dialog.isActiveWindow)
    choose(dialog, 0)
    assert not dialog.up.isEnabled()
    QTest.keyClick(dialog.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    stage.wait_for(lambda: [row[0] for row in cells(dialog.list)] == ["b.mkv", "a.mkv", "c.mkv"])
    current = dialog.list.currentItem()
    assert current is not None
    assert current.text(0) == "a.mkv", "the keyboard stays with the job"
    dialog.hold.click()
    stage.wait_for(lambda: cells(dialog.list)[1][1] == "paused")
    assert dialog.hold.text() == "&Go on with the job"
    dialog.hold.click()
    stage.wait_for(lambda: cells(dialog.list)[1][1] == "waiting")
    choose(dialog, 1, 2)
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    stage.wait_for(lambda: [row[0] for row in cells(dialog.list)] == ["b.mkv"])
    assert [path.name for path in jobs_in_order(folder)] == ["b.json"]
    assert dialog.list.accessibleName()
    assert all(button.text().count("&") == 1 for button in dialog.findChildren(QPushButton) if button.text() != "Close")


def test_two_jobs_do_not_write_one_file(window_of: Callable[..., Stage], folder: Path) -> None:
    stage, out = window_of(), folder.parents[1] / "out.mkv"
    add(stage, out)
    dialog = export_dialog(stage)
    assert dialog.form.path.text() == str(out.with_name("out-2.mkv"))
    dialog.form.path.setText(str(out))
    dialog.enqueue.click()
    assert "exports to out.mkv already" in dialog.status.text()
    assert len(jobs_in_order(folder)) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [(["/no/such/program"], "could not be started"), (["sh", "-c", "exit 9"], "exit code 9"),
     (["sh", "-c", "echo error: It is full. >&2; exit 1"], "It is full.")],
)  # fmt: skip
def test_a_queue_that_does_not_run_is_explained(
    stage_of: Callable[..., Stage], tmp_path: Path, command: list[str], words: str
) -> None:
    (tmp_path / "queue").mkdir()
    stage = stage_of(export_command=command, options=WindowOptions(queue_folder=tmp_path / "queue"))
    stage.viewer.queue.start()
    stage.wait_for(lambda: words in stage.viewer.window.messages.text.text())
    assert not stage.viewer.queue.is_running


def test_the_desktop_tells_the_end_to_somebody_who_looks_elsewhere(
    stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, told = stage_of().viewer.window.exports.queue, list[str]()
    for name in ("isSystemTrayAvailable", "supportsMessages"):
        monkeypatch.setattr(QSystemTrayIcon, name, lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "show", lambda _: None)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _, _title, words: told.append(words))
    monkeypatch.setattr(QApplication, "activeWindow", lambda: None)
    queue.bridge.take(EMPTY)
    queue.bridge.run_ended.emit()
    assert told == ["The export queue has ended."]
    monkeypatch.setattr(QApplication, "activeWindow", lambda: queue)
    queue.bridge.run_ended.emit()
    assert len(told) == 1, "the window itself shows it"


def test_the_end_of_a_job_is_told_though_no_look_has_seen_it_before(
    stage_of: Callable[..., Stage], tmp_path: Path
) -> None:
    stage = stage_of()
    bridge, ended = stage.viewer.queue, list[str]()
    bridge.job_ended.connect(lambda job: ended.append(job.name))
    one, two = (QueuedJob(name, tmp_path / name, JobState.DONE, None) for name in ("1.json", "2.json"))
    bridge.take(QueueState(False, (one,)))
    assert ended == [], "it was done before the window looked"
    for _ in range(2):
        bridge.take(QueueState(False, (one, two)))
    assert ended == ["2.json"]


def test_an_invalid_job_is_shown_with_why_and_cannot_be_paused(window_of: Callable[..., Stage], tmp_path: Path) -> None:
    stage = window_of()
    dialog, bridge = queue_dialog(stage), stage.viewer.queue
    bridge.watch(False)
    job = QueuedJob("1.json", tmp_path / "1.json", JobState.INVALID, None, message="It is no job file.", hint="See.")
    bridge.take(QueueState(False, (job,)))
    assert cells(dialog.list) == [["1.json", "invalid", "", ""]]
    assert dialog.note.text() == "It is no job file. See."
    assert not dialog.hold.isEnabled()
    assert dialog.remove.isEnabled()


def test_the_list_measures_its_columns_once_for_many_jobs(window_of: Callable[..., Stage], tmp_path: Path) -> None:
    stage = window_of()
    dialog, bridge = queue_dialog(stage), stage.viewer.queue
    bridge.watch(False)  # The folder is empty.
    told: list[int] = []
    dialog.list.model().dataChanged.connect(lambda first, last: told.append(last.row() - first.row() + 1))
    jobs = [
        QueuedJob(f"{number}.json", tmp_path / f"{number}.json", JobState.WAITING, tmp_path / f"{number}.mp4")
        for number in range(30)
    ]
    turned = jobs[::-1]
    failed = [*turned[:7], replace(turned[7], state=JobState.FAILED, message="The disk is full."), *turned[8:]]
    begun = [replace(job, done=1, total=9) for job in failed]
    for now, rows in ((jobs, 30), (turned, 30), (failed, 1), (begun, 30)):
        told.clear()
        bridge.take(QueueState(False, tuple(now)))
        assert told == [rows]
        assert [row[0] for row in cells(dialog.list)] == [job.out.name for job in now if job.out is not None]
    assert cells(dialog.list)[7] == ["22.mp4", "failed", "1 of 9", ""]
    told.clear()
    bridge.take(QueueState(False, tuple(begun)))
    assert told == [], "nothing has changed"
