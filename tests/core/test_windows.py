"""What differs under Windows, as far as another system can show it: no locks, open files that do not move, names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers import command_line
from helpers.clips import write_clip
from helpers.job_queues import write_job
from videoinr.errors import UsageError
from videoinr.evaluation import run
from videoinr.evaluation.protocols import Protocol
from videoinr.exporting.queue import run_queue
from videoinr.exporting.target import check_file
from videoinr.playing import picture_folder
from videoinr.playing.picture_folder import PictureFolder, remove_left_over
from videoinr.types import ExportReport
from videoinr.writing import claims


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "fcntl", None)


@pytest.fixture
def open_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to move a job file that this process has open, as Windows does."""
    real_open, real_close, real_replace = os.open, os.close, os.replace
    held: dict[int, str] = {}

    def open_(path: Any, *rest: Any, **more: Any) -> int:
        descriptor = real_open(path, *rest, **more)
        held[descriptor] = os.path.abspath(path)
        return descriptor

    def close(descriptor: int) -> None:
        held.pop(descriptor, None)
        real_close(descriptor)

    def replace(source: Any, target: Any, **more: Any) -> None:
        # Outputs (.part) are closed first there, which os.name decides.
        if str(source).endswith(".json") and os.path.abspath(source) in held.values():
            raise PermissionError(13, "The process cannot access the file because it is being used")
        real_replace(source, target, **more)

    for name, stand_in in (("open", open_), ("close", close), ("replace", replace)):
        monkeypatch.setattr(os, name, stand_in)


@pytest.mark.usefixtures("no_locks", "open_files_stay")
def test_a_queue_files_its_jobs_away(tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"a clip")
    write_job(tmp_path / "a.json", clip="clip.mkv", out="a.mkv")
    (result,) = run_queue(tmp_path, lambda call, _watch: ExportReport(Path(call.out), 3))
    assert result.report is not None
    assert not (tmp_path / "a.json").exists()
    assert (tmp_path / "done" / "a.json").exists()


@pytest.mark.usefixtures("no_locks")
def test_pictures_of_a_window_that_runs_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PictureFolder(tmp_path, 1 << 20) as alive:
        number = alive.write(np.zeros((9, 16, 4), np.uint8))
        remove_left_over(tmp_path)
        assert alive.path is not None
        assert (alive.path / f"{number}").exists()
        monkeypatch.setattr(picture_folder, "_OLD_SECS", -1)
        remove_left_over(tmp_path)
        assert not alive.path.exists(), "those of a killed one go after a day"


@pytest.mark.parametrize("name", ["con.mp4", "NUL", "com1.tar.mkv", "aux .mkv", "out.mp4:hidden"])
def test_names_that_are_no_files_there_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    check_file(tmp_path / name, source=tmp_path / "clip.mkv", overwrite=False)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="on Windows"):
        check_file(tmp_path / name, source=tmp_path / "clip.mkv", overwrite=False)
    check_file(tmp_path / "console.mp4", source=tmp_path / "clip.mkv", overwrite=False)


def test_a_name_that_the_encoding_of_a_pipe_lacks_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "日本語.mp4", 2)
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    outcome = command_line.run("probe", clip)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert "\\u65e5\\u672c\\u8a9e.mp4" in outcome.stdout


def test_folders_of_pictures_are_called_after_models_of_any_path(tmp_path: Path) -> None:
    keeper = run.PictureFolder(tmp_path).keeper(Protocol(2.0, 2), "clips/a")
    keeper(r"C:\models\mine.safetensors", 3, torch.zeros(3, 4, 4))
    (written,) = tmp_path.rglob("*.png")
    assert written.relative_to(tmp_path).parts[1:] == ("C__models_mine.safetensors", "clips_a", "00003.png")
