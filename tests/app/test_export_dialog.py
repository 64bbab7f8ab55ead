"""The export dialog and its process: the job of the form, and the message of every end."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QScreen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from helpers.stage import Stage
from videoinr.errors import UsageError
from videoinr.exporting.codecs import Effort
from videoinr.exporting.job_file import read_job
from videoinr.exporting.outputs import is_taken
from videoinr.geometry import Grid
from videoinr.types import Segment
from videoinr_viewer.dialogs.side_dialog import FormArea
from videoinr_viewer.export.dialog import ExportDialog


def test_texts_that_are_not_a_rate_or_a_size(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    _, dialog = dialog_of()
    for field, texts in (
        (dialog.form.rate, ("", "fast", "0", "60/0", "-5", "1e9", "×0", "99999")),
        (dialog.form.picture_size, ("", "big", "0x9", "×0", "×99", "9x9x9", "1x1", "×0.249")),
    ):
        for text in texts:
            field.setCurrentText(text)
            with pytest.raises(UsageError):
                _ = dialog.form.job
        field.setCurrentText("×1")
        assert dialog.form.job.out.name == "my clip-videoinr.mp4"


def test_the_form_has_default_values(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    stage, dialog = dialog_of()
    job = dialog.form.job
    assert job.segment == Segment(Fraction(0), Fraction(2))
    assert job.grid == Grid(320, 180)
    assert job.fps == 50
    assert job.out.name == "my clip-videoinr.mp4"
    assert "100 frames, 2.000 s at 50 fps, 320 × 180 pixels" in dialog.form.summary.text()
    assert dialog.start.isEnabled()
    assert stage.viewer.window.exports.dialog is dialog


def test_the_job_follows_marks_view_and_fields(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    stage, dialog = dialog_of()
    stage.viewer.session.seek(Fraction(1, 2))
    stage.viewer.session.mark_in()
    stage.viewer.session.seek(Fraction(3, 2))
    stage.viewer.session.mark_out()
    stage.viewer.session.zoom_to(16)
    stage.viewer.window.actions_by_id["export"].trigger()
    form = dialog.form
    form.rate.setCurrentText("24000/1001")
    form.picture_size.setCurrentText("×8")
    form.speed.setCurrentIndex(2)
    form.crop.setChecked(True)
    job = form.job
    assert job.segment == Segment(Fraction(1, 2), Fraction(3, 2))
    assert job.speed == Fraction(1, 4)
    assert job.retiming.frame_count == 96
    assert job.crop is not None
    assert job.grid.rect.contains(job.crop)
    width, height = job.size_px
    assert width % 2 == height % 2 == 0
    assert width < job.grid.width
    assert "×8 (enlarged from ×4)" in form.summary.text()


def test_an_invalid_field_is_explained_at_once(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]],
) -> None:
    _, dialog = dialog_of()
    dialog.form.rate.setCurrentText("fast")
    assert "is not a frame rate" in dialog.form.summary.text()
    assert not dialog.start.isEnabled()
    dialog.form.rate.setCurrentText("60")
    assert dialog.start.isEnabled()
    dialog.form.path.setText("out.pdf")
    assert not dialog.start.isEnabled()


def test_the_codec_sets_the_ending_and_the_quality_range(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    _, dialog = dialog_of()
    form = dialog.form
    form.codec.setCurrentIndex(form.codec.findData("ffv1"))
    assert form.path.text().endswith(".mkv")
    form.effort.setCurrentIndex(form.effort.findData(Effort.FAST))
    assert not form.crf.isEnabled()
    assert not form.effort.isEnabled()
    assert form.job.crf is None
    assert form.job.effort.value == "medium", "FFV1 has none"
    form.codec.setCurrentIndex(form.codec.findData("libsvtav1"))
    assert form.crf.maximum() == 63
    assert form.effort.isEnabled()
    assert form.job.effort.value == "fast"


def test_pictures_go_to_a_folder_and_animations_to_a_file(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    _, dialog = dialog_of()
    form = dialog.form
    form.rate.setCurrentText("×1")
    form.path.setText(str(tmp_path / "clip-out.mp4"))
    for name, ending in (("tiff16", ""), ("gif", ".gif"), ("exr", ""), ("dnxhd", ".mov"), ("png", "")):
        form.codec.setCurrentIndex(form.codec.findData(name))
        assert form.path.text() == str(tmp_path / f"clip-out{ending}")
        assert (form.job.codec, form.job.picture_format is not None) == (name, ending == "")
    form.path.setText(str(tmp_path / "shots" / "a%04d.png"))
    form.codec.setCurrentIndex(form.codec.findData("png16"))
    assert form.path.text().endswith("a%04d.png")
    form.codec.setCurrentIndex(form.codec.findData("tiff"))
    assert form.path.text() == str(tmp_path / "shots")
    (tmp_path / "shots").mkdir()
    assert not is_taken(form.job), "an empty folder needs no permission"
    (tmp_path / "shots" / "00003.tif").touch()
    assert is_taken(form.job)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "ffv1"), ("a.mp4", "libx264"), ("a.gif", "gif"), ("a%03d.png", "png"), ("a%03d.tiff", "tiff"),
     ("a.####.png", "png"), ("a.####.webp", "libwebp_anim"), ("a.xyz", "ffv1"), ("a", "ffv1")],
)  # fmt: skip
def test_the_codec_follows_an_ending_that_is_typed(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path, name: str, codec: str
) -> None:
    _, dialog = dialog_of()
    form = dialog.form
    form.codec.setCurrentIndex(form.codec.findData("ffv1"))
    form.path.selectAll()
    QTest.keyClicks(form.path, str(tmp_path / name))
    assert form.codec.currentData() == codec
    assert form.path.text() == str(tmp_path / name)
    assert dialog.start.isEnabled() == ("." in name and "xyz" not in name)


def test_an_export_runs_to_its_end(dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path) -> None:
    stage, dialog = dialog_of("ok")
    out = tmp_path / "out.mp4"
    dialog.form.path.setText(str(out))
    dialog.start.click()
    assert stage.viewer.export.is_running
    stage.wait_for(lambda: "exporting" in stage.viewer.window.status.export.text())
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Done"
    assert str(out) in dialog.status.text()
    assert out.exists()
    assert stage.viewer.window.status.export.text() == ""
    arguments = json.loads((tmp_path / "out.arguments.json").read_text())
    assert arguments[:2] == ["export", "--json-progress"]
    assert arguments[-3:] == ["--", str(tmp_path / "my clip.mp4"), str(out)]
    assert "--overwrite" not in arguments


def test_the_form_offers_the_named_segments(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    stage, dialog = dialog_of()
    form, window = dialog.form, stage.viewer.window
    stage.viewer.session.seek(Fraction(1))
    window.actions_by_id["split-segment"].trigger()
    stage.wait_for(lambda: form.segment.count() == 3)
    assert form.segment.itemText(1) == "Segment 2: 0:01.000 to 0:02.000"
    form.segment.setCurrentIndex(1)
    assert form.job.segment == Segment(Fraction(1), Fraction(2))
    window.annotations.rename_segment(0, "before")
    stage.wait_for(lambda: form.segment.itemText(0).startswith("before"))
    assert form.job.segment == Segment(Fraction(1), Fraction(2)), "the choice stays"
    window.annotations.delete_segment(1)
    stage.wait_for(lambda: form.segment.count() == 2)
    assert form.job.segment == Segment(Fraction(0), Fraction(1))


def answer_with(what: Qt.Key | str) -> None:
    """Answer the next question with a key, or with the button of that text."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        if isinstance(what, str):
            next(button for button in box.buttons() if button.text() == what).click()
        else:
            QTest.keyClick(box, what)

    QTimer.singleShot(50, answer)


def test_the_form_follows_the_window(dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path) -> None:
    stage, dialog = dialog_of()
    form, session = dialog.form, stage.viewer.session
    form.crf.setValue(form.crf.value() + 3)
    crf = form.crf.value()
    session.seek(Fraction(1, 2))
    session.mark_in()
    stage.wait_for(lambda: form.job.segment == Segment(Fraction(1, 2), Fraction(2)))
    form.segment.setCurrentIndex(1)
    session.zoom_to(16)
    form.crop.setChecked(True)
    stage.wait_for(lambda: form.job.crop is not None and form.job.crop.width < form.job.grid.width)
    assert form.segment.currentIndex() == 1, "a choice outlives a change of the view"
    session.clear_marks()
    stage.wait_for(lambda: form.segment.count() == 1)
    assert form.job.segment == Segment(Fraction(0), Fraction(2))
    assert form.crf.value() == crf
    assert form.clip_name.text() == "my clip.mp4"
    stage.viewer.session.open(tmp_path / "another.mp4")
    stage.wait_for(lambda: form.clip_name.text() == "another.mp4")
    assert form.job.clip.name == "another.mp4"
    assert form.job.out.name == "another-videoinr.mp4"


def test_an_existing_file_is_replaced_only_after_a_question_and_return_keeps_it(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    stage, dialog = dialog_of("ok")
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    dialog.form.path.setText(str(out))
    answer_with(Qt.Key.Key_Return)
    dialog.start.click()
    assert not stage.viewer.export.is_running
    assert out.read_bytes() == b"precious"
    answer_with("Replace")
    dialog.start.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert "--overwrite" in json.loads((tmp_path / "out.arguments.json").read_text())


@pytest.mark.parametrize(
    ("how", "title", "words"),
    [
        ("fail", "The export failed", "The disk is full.\nFree some space there."),
        ("crash", "The export failed", "MemoryError: no more memory"),
    ],
)
def test_a_failed_export_is_explained(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path, how: str, title: str, words: str
) -> None:
    stage, dialog = dialog_of(how)
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.start.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == title
    assert words in dialog.status.text()
    assert "Traceback" not in dialog.status.text()
    dialog.again.click()
    assert dialog.start.isVisible()


def test_what_an_export_met_in_the_clip_is_shown(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    stage, dialog = dialog_of("damaged")
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.start.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Done"
    assert dialog.status.text().endswith("\n2 frames decoded with errors.")


def test_an_export_can_be_cancelled(dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path) -> None:
    stage, dialog = dialog_of("hang")
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.start.click()
    stage.wait_for(lambda: "2 of 5 frames" in dialog.status.text())
    dialog.close()
    assert stage.viewer.export.is_running, "closing the dialog does not stop the export"
    stage.viewer.window.actions_by_id["export"].trigger()
    assert dialog.cancel.isVisible()
    answer_with("Discard")
    dialog.cancel.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Cancelled"


@pytest.mark.parametrize(
    ("how", "title", "words"),
    [("damaged", "Done", "2 frames decoded with errors."), ("fail", "The export failed", "The disk is full.")],
)
def test_the_end_of_an_export_is_told_where_its_dialog_was_closed(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path, how: str, title: str, words: str
) -> None:
    stage, dialog = dialog_of(how)
    window = stage.viewer.window
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.start.click()
    dialog.close()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert window.messages.isVisible()
    assert words in window.messages.text.text()
    window.actions_by_id["export"].trigger()
    assert dialog.title.isVisible()
    assert dialog.title.text() == title
    dialog.close()
    window.actions_by_id["export"].trigger()
    assert dialog.start.isVisible(), "once it was seen, the form comes back"


def test_an_estimate_is_no_export(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, dialog = dialog_of("ponders")
    window = stage.viewer.window
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.estimate.click()
    assert dialog.cancel.text() == "Cancel the estimate"
    monkeypatch.setattr(window.exports, "asks", True)
    assert window.exports.may_quit(), "an estimate writes nothing"
    dialog.cancel.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert (dialog.title.text(), dialog.status.text()) == ("Cancelled", "")
    dialog.again.click()
    dialog.start.click()
    assert dialog.cancel.text() == "Cancel the export"
    stage.wait_for(lambda: not stage.viewer.export.is_running)


def test_the_finished_frames_of_a_cancelled_export_are_kept_if_the_user_wants(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    stage, dialog = dialog_of("keeps")
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    dialog.start.click()
    stage.wait_for(lambda: "2 of 5 frames" in dialog.status.text())
    answer_with("Keep")
    dialog.cancel.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert dialog.title.text() == "Stopped"
    assert "Saved 2 frames" in dialog.status.text()
    assert dialog.show_file.isVisible()


def test_an_export_that_was_killed_is_resumed_after_a_question(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    stage, dialog = dialog_of("ok")
    left = tmp_path / "out.mp4.4194304-0123abcd.part"
    left.mkdir()
    (left / "export.json").write_text("{}")
    dialog.form.path.setText(str(tmp_path / "out.mp4"))
    answer_with("Go on")
    dialog.start.click()
    stage.wait_for(lambda: not stage.viewer.export.is_running)
    assert "--resume" in json.loads((tmp_path / "out.arguments.json").read_text())


def test_an_export_is_saved_as_a_job(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dialog = dialog_of()
    dialog.form.path.setText(str(tmp_path / "out.mkv"))
    dialog.form.crf.setValue(20)
    dialog.form.effort.setCurrentIndex(dialog.form.effort.findData(Effort.SLOW))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "job.json"), ""))
    dialog.save.click()
    call = read_job(tmp_path / "job.json")
    assert (call.clip, call.out) == (tmp_path / "my clip.mp4", tmp_path / "out.mkv")
    assert (call.options["crf"], call.options["fps"], call.options["effort"]) == (20, 50, "slow")


def test_the_dialog_grows_with_its_summary_unless_the_user_chose_a_size(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(1200, 1000))
    stage, dialog = dialog_of()
    summary, first = dialog.form.summary, dialog.height()
    area = dialog.findChild(FormArea)
    assert isinstance(area, FormArea)
    summary.setText("words " * 150)
    stage.wait_for(lambda: dialog.height() > first)
    assert area.height() >= area.form.sizeHint().height(), "no field is cut"
    dialog.resize(dialog.width(), first)
    summary.setText("words " * 200)
    QApplication.processEvents()
    assert dialog.height() == first


def test_a_dialog_that_grows_near_the_lower_edge_of_the_screen_moves_up(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(1200, 1000))
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _: QRect(0, 0, 1200, 1000))
    stage, dialog = dialog_of()
    first = dialog.height()
    dialog.move(20, 1000 - dialog.frameGeometry().height())
    dialog.form.summary.setText("words " * 150)
    stage.wait_for(lambda: dialog.height() > first)
    assert dialog.frameGeometry().bottom() <= 999
    assert dialog.x() == 20
