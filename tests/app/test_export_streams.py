"""The export form on what lies beside the pictures: sound, and streams that are left out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.clips import write_clip
from helpers.stage import PATIENCE_MSECS, Stage
from videoinr.exporting import companions
from videoinr.exporting.companions import SourceStreams
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.types import AudioInfo, ClipInfo
from videoinr_viewer.export.dialog import ExportDialog


def test_the_sound_can_be_chosen_where_there_is_one(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    _, dialog = dialog_of()
    source = dialog.form._source
    assert source is not None
    for audio in ((), (AudioInfo("aac", 2, 48000),)):
        info = replace(source.clip.info, audio=audio)
        dialog.follow(replace(source, clip=replace(source.clip, info=info)))
        assert dialog.form.sound.isEnabled() == bool(audio)
        assert ("no sound" in dialog.form.sound.toolTip()) == (not audio)


def test_what_becomes_of_the_sound_is_said_before_the_start(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    write_clip(tmp_path / "my clip.mp4", 50, audio_secs=2)
    stage, dialog = dialog_of()
    form = dialog.form
    stage.wait_for(lambda: form.summary.text().endswith("Sound: copied (aac)."))
    form.speed.setCurrentIndex(2)
    assert "Sound: played at 1/4 of its speed with its pitch kept, encoded as AAC." in form.summary.text()
    form.sound.setCurrentIndex(form.sound.findData(SoundChoice.NONE))
    assert form.summary.text().endswith("Left out: the sound, as asked.")
    assert "--sound" in form.job.arguments()


def test_what_pictures_leave_out_is_said_before_the_start(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], tmp_path: Path
) -> None:
    write_clip(tmp_path / "my clip.mp4", 50, audio_secs=2)
    stage, dialog = dialog_of()
    form = dialog.form
    stage.wait_for(lambda: "Sound: copied" in form.summary.text())
    form.codec.setCurrentIndex(form.codec.findData("png"))
    assert form.summary.text().endswith("Left out: the sound, which PNG files do not hold.")


def test_lost_colour_samples_are_said_before_the_start(dialog_of: Callable[..., tuple[Stage, ExportDialog]]) -> None:
    _, dialog = dialog_of()
    form, source = dialog.form, dialog.form._source
    assert source is not None
    info = replace(source.clip.info, pix_fmt="yuv444p")
    dialog.follow(replace(source, clip=replace(source.clip, info=info)))
    assert "colour samples" not in form.summary.text(), "at twice the size there are as many"
    form.picture_size.setCurrentText("×1")
    assert "Left out: colour samples (the clip has 4:4:4, the file 4:2:0)." in form.summary.text()


def test_the_form_does_not_wait_for_the_file(
    dialog_of: Callable[..., tuple[Stage, ExportDialog]], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, asked = threading.Event(), list[ClipInfo]()

    def read(info: ClipInfo) -> SourceStreams | None:
        assert threading.current_thread() is not threading.main_thread()
        asked.append(info)
        assert may_read.wait(PATIENCE_MSECS / 1000)
        return SourceStreams(info.path, "mp4", Fraction(0), (), (), (), (), (f"a note of {info.path.name}",))

    monkeypatch.setattr(companions, "read_streams", read)
    stage, dialog = dialog_of()
    stage.wait_for(lambda: bool(asked))
    assert dialog.isVisible()
    assert dialog.start.isEnabled(), "the form can be used meanwhile"
    assert "Left out" not in dialog.form.summary.text()
    may_read.set()
    stage.wait_for(lambda: dialog.form.summary.text().endswith("Left out: a note of my clip.mp4."))
    late = SourceStreams(Path("old.mp4"), "mp4", Fraction(0), (), (), (), (), ("a note of another clip",))
    dialog.form.take_streams(replace(asked[0], path=Path("old.mp4")), late)
    assert "another clip" not in dialog.form.summary.text(), "the window has moved on"
