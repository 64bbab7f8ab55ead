"""Project files: what is written is read, from any folder; what is damaged or newer is refused in words."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.projects import full_project
from videoinr.errors import InputError, UsageError
from videoinr_viewer.project import project_file
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.media import Located, fingerprint, locate, places_of
from videoinr_viewer.project.project_file import read_project
from videoinr_viewer.project.project_text import Project, text_of_project

LINES = 2_000


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "clips" / "clip.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(256)) * LINES)
    return path


@pytest.fixture
def file(clip: Path) -> Path:
    return written(full_project(clip), clip.parents[1] / "projects" / "a.vinr")


def written(project: Project, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text_of_project(project, path.parent), encoding="utf-8")
    return path


def test_what_is_written_is_read(clip: Path, file: Path) -> None:
    read = read_project(file)
    assert replace(read.project, clip=clip) == full_project(clip)
    assert read.places[0].resolve() == clip
    assert read.places[1] == clip
    assert locate(read.places, read.project.fingerprint) is not None


def test_paths_are_relative_to_the_file(file: Path) -> None:
    assert json.loads(file.read_text("utf-8"))["clip"]["path"] == "../clips/clip.mp4"


def test_a_folder_is_moved_with_all_that_is_in_it(tmp_path: Path, file: Path) -> None:
    """The copy in the new folder is used, also while the old one is still there."""
    shutil.copytree(tmp_path / "work", tmp_path / "elsewhere")
    read = read_project(tmp_path / "elsewhere" / "projects" / "a.vinr")
    found = locate(read.places, read.project.fingerprint)
    assert found is not None
    assert found.path.resolve() == tmp_path / "elsewhere" / "clips" / "clip.mp4"


def test_a_model_file_is_found_from_another_folder(tmp_path: Path, clip: Path) -> None:
    project = full_project(clip)
    model = str(tmp_path / "work" / "models" / "own.safetensors")
    reading = replace(project.document.reading, model=model)
    path = written(replace(project, document=replace(project.document, reading=reading)), tmp_path / "work" / "b.vinr")
    (tmp_path / "work").rename(tmp_path / "moved")
    read = read_project(tmp_path / "moved" / path.name)
    assert read.project.document.reading.model == str(tmp_path / "moved" / "models" / "own.safetensors")


def test_a_file_has_one_path_whichever_folder_the_project_is_in(tmp_path: Path, clip: Path) -> None:
    project, models = full_project(clip), tmp_path / "models"
    reading = replace(project.document.reading, model=str(models / "own.safetensors"))
    project = replace(
        project,
        document=replace(project.document, reading=reading),
        look=replace(project.look, file=models / "other.mp4"),
    )
    for folder in (tmp_path / "work", tmp_path / "state"):
        read = read_project(written(project, folder / "a.vinr")).project
        assert (read.document, read.look) == (project.document, project.look)


def test_media_that_moved_is_found_by_its_name_and_contents(tmp_path: Path, clip: Path, file: Path) -> None:
    read, mark = read_project(file), fingerprint(clip)
    wrong = file.with_name("clip.mp4")
    wrong.write_bytes(b"another clip")
    moved = file.parent / "sub" / "clip.mp4"
    moved.parent.mkdir()
    clip.rename(moved)
    places = (*read.places, *places_of("clip.mp4", [file.parent, tmp_path / "missing"]))
    assert locate(places, mark) == Located(moved, is_same=True)
    moved.unlink()
    assert locate(places, mark) == Located(wrong, is_same=False)
    assert locate(places, None) == Located(wrong, is_same=True)
    wrong.unlink()
    assert locate(places, mark) is None


@pytest.mark.parametrize("pattern", ["shot.%02d.png", "shot.##.png", "shot.*.png"])
def test_a_pattern_is_found_while_a_picture_matches_it(tmp_path: Path, clip: Path, pattern: str) -> None:
    picture = clip.with_name("shot.01.png")
    picture.touch()
    project = replace(full_project(clip), clip=clip.with_name(pattern), fingerprint=None)
    path = written(project, tmp_path / "work" / "b.vinr")
    (tmp_path / "work").rename(tmp_path / "moved")
    read = read_project(tmp_path / "moved" / path.name)
    found = Located(tmp_path / "moved" / "clips" / pattern, is_same=True)
    assert locate(read.places, read.project.fingerprint) == found
    (found.path.parent / picture.name).unlink()
    assert locate(read.places, read.project.fingerprint) is None


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_fingerprint_tells_a_changed_byte_at_the_ends_and_another_size(clip: Path, at: int) -> None:
    before, content = fingerprint(clip), bytearray(clip.read_bytes())
    assert before is not None
    content[at] ^= 1
    clip.write_bytes(content)
    assert fingerprint(clip) != before
    clip.write_bytes(bytes(range(256)) * (LINES - 1))
    assert fingerprint(clip) != before


def test_a_folder_of_pictures_has_a_fingerprint(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"123")
    first = fingerprint(folder)
    assert first is not None
    (folder / "1.png").rename(folder / "2.png")
    assert fingerprint(folder) not in (first, None)
    assert fingerprint(tmp_path / "missing") is None


def changed(file: Path, change: Any) -> Path:
    values = json.loads(file.read_text("utf-8"))
    change(values)
    file.write_text(json.dumps(values), encoding="utf-8")
    return file


WRONG: list[tuple[str, Any]] = [
    ("clip is missing", lambda v: v.pop("clip")),
    ("clip.path must be a valid string", lambda v: v["clip"].update(path=7)),
    ("clip.path must have no control characters", lambda v: v["clip"].update(path="a\nb.mp4")),
    ("segments.1.end should match pattern|segments.1.end", lambda v: v["segments"][1].update(end="1/0")),
    ("must end after it starts", lambda v: v["segments"][0].update(end="0")),
    ("the end must be after the start", lambda v: v["marks"].update(end="1/3")),
    ("bookmarks.0.name", lambda v: v["bookmarks"][0].update(name="")),
    ("view.zoom", lambda v: v["view"].update(zoom=1e9)),
    ("view.centre", lambda v: v["view"].update(centre=[1.0])),
    ("journey: a shutter has", lambda v: v["journey"].update(shutter_region="0,0,9,9=400")),
    ("no region with a shutter", lambda v: v["journey"].update(shutter_region="0,0,9,9")),
    ("journey.readout", lambda v: v["journey"].update(readout="1e9")),
    ("comparison is unknown", lambda v: v["view"].update(compare="hologram")),
    ("reading.across_cuts", lambda v: v["reading"].update(across_cuts="maybe")),
    ("surplus is unknown", lambda v: v.update(surplus=1)),
    ("does not say videoinr_project", lambda v: v.pop("videoinr_project")),
    ("videoinr_project must be 4", lambda v: v.update(videoinr_project=0)),
]


@pytest.mark.parametrize(("words", "change"), WRONG, ids=[words[:24] for words, _ in WRONG])
def test_wrong_values_are_named(file: Path, words: str, change: Any) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_project(changed(file, change))
    assert str(file) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * (9 << 20) + b'"'])
def test_what_is_no_project_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.vinr"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no project, or it is damaged"):
        read_project(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_project(tmp_path / "a.vinr")


def test_a_newer_version_is_refused_and_left_alone(file: Path) -> None:
    changed(file, lambda v: v.update(videoinr_project=7, holograms=[1]))
    content = file.read_bytes()
    with pytest.raises(InputError, match=r"newer version of this program \(project version 7; this one reads 4 ") as e:
        read_project(file)
    assert "newer version" in e.value.hint
    assert file.read_bytes() == content


def test_an_older_version_is_upgraded_step_by_step(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version -1 called the view "look"; version 0 kept marks as a list."""

    def look_became_view(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "view": values["look"], "look": None, "videoinr_project": 0}

    def list_became_marks(values: dict[str, Any]) -> dict[str, Any]:
        start, end = values["marks"]
        rest = {name: value for name, value in values.items() if name != "look"}
        return {**rest, "marks": {"start": start, "end": end}, "videoinr_project": 1}

    expected = read_project(file)
    older = {-1: look_became_view, 0: list_became_marks}
    monkeypatch.setattr(project_file, "_UPGRADES", {**project_file._UPGRADES, **older})
    changed(file, lambda v: v.update(videoinr_project=-1, look=v.pop("view"), marks=["1/3", "5/3"]))
    assert read_project(file) == expected


def test_a_short_project_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "a.vinr"
    path.write_text('{"videoinr_project": 1, "clip": {"path": "c.mp4"}}')
    read = read_project(path)
    assert read.places == (tmp_path / "c.mp4",)
    assert read.project.document == Document(reading=read.project.document.reading)
    assert read.project.fingerprint is None


@pytest.mark.parametrize("name", ["a\nb.mp4", "a\udcff.mp4", "a\u202eb.mp4"])
def test_a_name_that_no_file_can_hold_is_refused_when_it_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="control characters"):
        text_of_project(full_project(tmp_path / name), tmp_path)
