"""What a window knows of project files that others write, too."""

from __future__ import annotations

from pathlib import Path

from videoinr_viewer.project.seen_files import SeenFiles, digest_of


def test_only_another_content_is_a_change(tmp_path: Path) -> None:
    seen, file = SeenFiles(), tmp_path / "a.vinr"
    file.write_text("first")
    assert not seen.is_changed(file), "never seen"
    seen.note(file, digest_of(file))
    file.touch()
    assert not seen.is_changed(file)
    file.write_text("other")
    assert seen.is_changed(file)
    seen.note(file, digest_of(file))
    assert not seen.is_changed(file)
    file.unlink()
    assert not seen.is_changed(file)


def test_of_a_file_that_could_not_be_read_nothing_is_known(tmp_path: Path) -> None:
    seen, file = SeenFiles(), tmp_path / "a.vinr"
    seen.note(file, digest_of(file))
    file.write_text("first")
    assert not seen.is_changed(file)
