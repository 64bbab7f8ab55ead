"""What a window knows of project files that others write, too."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from videoinr_viewer.project.seen_files import SeenFiles

WRITTEN_SECS = 1_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.vinr"
    path.write_text("first")
    os.utime(path, (WRITTEN_SECS, WRITTEN_SECS))
    return path


def test_only_another_content_is_a_change(file: Path) -> None:
    seen = SeenFiles()
    assert not seen.is_changed(file), "never seen"
    seen.note(file)
    file.touch()
    assert not seen.is_changed(file)
    file.write_text("other")
    assert seen.is_changed(file)
    seen.note(file)
    assert not seen.is_changed(file)
    file.unlink()
    assert not seen.is_changed(file)


@pytest.mark.parametrize(("state_secs", "is_changed"), [(WRITTEN_SECS - 5, True), (WRITTEN_SECS + 5, False)])
def test_a_state_does_not_hold_what_its_project_got_later(file: Path, state_secs: int, is_changed: bool) -> None:
    seen = SeenFiles()
    seen.note_origin(file, datetime.fromtimestamp(state_secs))
    assert seen.is_changed(file) is is_changed


def test_the_origin_of_a_state_may_be_gone(tmp_path: Path) -> None:
    seen = SeenFiles()
    seen.note_origin(tmp_path / "gone.vinr", datetime.fromtimestamp(WRITTEN_SECS))
    assert not seen.is_changed(tmp_path / "gone.vinr")
