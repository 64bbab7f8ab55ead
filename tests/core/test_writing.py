"""The writing room: unfinished files and folders, locks, names that are taken, full disks, errors in words."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from helpers.full_disk import fill_disk
from videoinr.errors import ExportError
from videoinr.exporting import journal
from videoinr.writing import claims
from videoinr.writing.claims import claim, left_over
from videoinr.writing.names import free_name, partials_of, unique_partial
from videoinr.writing.partial_file import PartialFile
from videoinr.writing.partial_folder import PartialFolder
from videoinr.writing.whole_files import new_file, write_file, write_files
from videoinr.writing.words import write_errors


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_unfinished_file_has_a_name_of_its_own(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    first, second = PartialFile(target), PartialFile(target)
    assert first.path != second.path
    assert first.path.parent == tmp_path
    assert first.path.name.startswith("out.mp4.")
    assert first.path.suffix == ".part"
    first.write(b"one")
    assert first.commit(replace=False) == target
    second.discard()
    assert names(tmp_path) == ["out.mp4"]
    assert target.read_bytes() == b"one"


def test_a_file_can_be_written_and_read_at_any_position(tmp_path: Path) -> None:
    file = PartialFile(tmp_path / "a")
    file.reserve(1 << 16)
    file.write(b"0123456789")
    file.seek(2)
    file.write(b"xy")
    reader = file.reader()
    assert reader.read() == b"01xy456789"
    assert (reader.seek(-2, os.SEEK_END), reader.read(1), reader.tell()) == (8, b"8", 9)
    assert file.tell() == 4
    assert file.seek(0, os.SEEK_END) == 10
    file.commit(replace=False)
    assert (tmp_path / "a").read_bytes() == b"01xy456789"


def test_a_name_that_is_taken_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a"
    file = PartialFile(target)
    file.write(b"new")
    target.write_bytes(b"foreign")
    with pytest.raises(FileExistsError):
        file.commit(replace=False)
    assert file.commit(free_name(target), replace=False) == tmp_path / "a-2"
    assert (target.read_bytes(), (tmp_path / "a-2").read_bytes()) == (b"foreign", b"new")
    assert names(tmp_path) == ["a", "a-2"]


def test_a_name_that_is_taken_is_kept_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "a").write_bytes(b"foreign")
    with pytest.raises(ExportError, match="already exists"):
        write_file(tmp_path / "a", b"new", replace=False)
    write_file(tmp_path / "b", b"new", replace=False)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"foreign", b"new")
    assert names(tmp_path) == ["a", "b"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    write_file(tmp_path / "link", "new", replace=True)
    assert ((tmp_path / "mine").read_bytes(), (tmp_path / "link").read_text()) == (b"mine", "new")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    with pytest.raises(ExportError, match="already exists"):
        write_file(tmp_path / "dangling", "new", replace=False)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("after_bytes", [0, 3, 5])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_bytes: int) -> None:
    weights, card = tmp_path / "a.safetensors", tmp_path / "a.json"
    for path in (weights, card):
        path.write_text("old")
    fill_disk(monkeypatch, after_bytes=after_bytes)
    with pytest.raises(ExportError, match="disk is full"):
        write_files({weights: b"abc", card: "defg"}, replace=True)
    assert (weights.read_text(), card.read_text()) == ("old", "old")
    assert names(tmp_path) == ["a.json", "a.safetensors"]


def test_an_error_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with new_file(tmp_path / "a", replace=False) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert names(tmp_path) == []


def test_a_full_disk_is_named_where_a_library_hides_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pt").write_bytes(b"old")

    def save() -> None:
        with new_file(tmp_path / "a.pt", replace=True) as file:
            torch.save({"a": torch.zeros(100_000)}, file)  # type: ignore[arg-type]

    fill_disk(monkeypatch, after_bytes=100_000)
    with pytest.raises(ExportError, match="disk is full"):
        save()
    assert (tmp_path / "a.pt").read_bytes() == b"old"
    assert names(tmp_path) == ["a.pt"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "disk is full"), (errno.EFBIG, "no larger file"),
     (errno.EROFS, "could not be written"), (errno.EEXIST, "already exists")],
)  # fmt: skip
def test_errors_of_the_system_in_words(code: int, words: str) -> None:
    with pytest.raises(ExportError, match=words) as caught, write_errors(Path("a.png")):
        raise OSError(code, os.strerror(code))
    assert caught.value.hint


def test_room_that_the_disk_cannot_give_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(_descriptor: int, _offset: int, size: int) -> None:
        if size > 5000:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", allocate, raising=False)
    file = PartialFile(tmp_path / "a")
    file.reserve(5000)
    with pytest.raises(OSError, match="full"):
        file.reserve(5001)
    file.write(b"abc")
    file.commit(replace=False)
    assert (tmp_path / "a").stat().st_size == 3


def test_long_names_get_unfinished_names_that_the_disk_takes(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 120 + "x.mp4")
    assert len(os.fsencode(unique_partial(target).name)) <= 255
    write_file(target, b"a", replace=False)
    assert names(tmp_path) == [target.name]


@pytest.mark.parametrize("begin", [PartialFile, PartialFolder])
def test_a_second_writer_of_a_name_is_refused_and_told_the_process(
    tmp_path: Path, begin: Callable[[Path], PartialFile | PartialFolder]
) -> None:
    target = tmp_path / "out"
    first = claim(target, begin)
    before = names(tmp_path)
    with pytest.raises(ExportError, match=rf"being written by another export \(process {os.getpid()}\)"):
        claim(target, begin)
    assert names(tmp_path) == before
    claim(tmp_path / "other", begin).discard()
    first.discard()
    claim(target, begin).discard()
    assert names(tmp_path) == []


def test_an_unfinished_file_of_a_killed_process_is_no_lock_and_stays(tmp_path: Path) -> None:
    script = (
        "import sys, os, pathlib; from videoinr.writing.partial_file import PartialFile\n"
        "PartialFile(pathlib.Path(sys.argv[1])).write(b'half'); os.kill(os.getpid(), 9)"
    )
    core = Path(__file__).parents[2] / "core"
    subprocess.run([sys.executable, "-c", script, tmp_path / "a"], check=False, env={"PYTHONPATH": str(core)})
    ((left, process),) = partials_of(tmp_path / "a")
    assert process != os.getpid()
    claim(tmp_path / "a", PartialFile).commit(replace=False)
    assert names(tmp_path) == ["a", left.name]


def test_an_unfinished_file_that_vanishes_meanwhile_is_not_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.mp4"
    stays, vanishes = unique_partial(target), unique_partial(target)
    stays.touch()
    monkeypatch.setattr(claims, "partials_of", lambda _: iter([(stays, 1), (vanishes, 1)]))
    assert left_over(target) == [stays]


def test_a_folder_of_an_export_that_vanishes_meanwhile_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "facts"
    facts.touch()
    # The facts are found, and then the folder is gone.
    monkeypatch.setattr(journal, "FACTS_NAME", str(facts))
    monkeypatch.setattr(journal, "left_over", lambda _: [tmp_path / "gone"])
    assert journal.resumable(tmp_path / "out.mp4") == []


def test_other_names_are_not_taken_for_unfinished_files(tmp_path: Path) -> None:
    for name in ("a.part", "a.partial", "a.12.part", "ab.1-00000000.part", "a.1-0000000g.part"):
        (tmp_path / name).write_bytes(b"mine")
    assert list(partials_of(tmp_path / "a")) == []


def test_two_that_begin_at_once_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_PAUSE_SECS", 0.0)
    target = tmp_path / "a"
    others: list[PartialFile] = []

    def begin(path: Path) -> PartialFile:
        if not others:
            others.append(PartialFile(path))  # The other one begins between the look and the beginning.
            return PartialFile(path)
        others[0].discard()
        return PartialFile(path)

    monkeypatch.setattr(claims, "_refuse", lambda *_: None)
    claim(target, begin).commit(replace=False)
    assert names(tmp_path) == ["a"]


def folder_of(target: Path, files: dict[str, bytes]) -> PartialFolder:
    folder = PartialFolder(target)
    for name, data in files.items():
        folder.write(name, data)
    return folder


def test_files_are_placed_together_and_replace_only_their_own_names(tmp_path: Path) -> None:
    for name in ("0", "2", "7"):
        (tmp_path / name).write_bytes(b"old")
    work = folder_of(tmp_path / "%d", {"0": b"a", "1": b"b", "2": b"c"})
    work.place(["0", "1", "2"], tmp_path, replace=True)
    assert [(tmp_path / name).read_bytes() for name in ("0", "1", "2", "7")] == [b"a", b"b", b"c", b"old"]
    assert names(tmp_path) == ["0", "1", "2", "7"]


def test_a_failed_placing_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("0", "2"):
        (tmp_path / name).write_bytes(b"old")
    work = folder_of(tmp_path / "%d", {"0": b"a", "1": b"b", "2": b"c"})
    real, calls = os.link, [0]

    def link(source: Path, target: Path, **options: bool) -> None:
        calls[0] += 1
        if calls[0] == 4:
            raise FileExistsError(errno.EEXIST, "taken", str(target))
        real(source, target, **options)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(FileExistsError):
        work.place(["0", "1", "2"], tmp_path, replace=True)
    assert [(tmp_path / name).read_bytes() for name in ("0", "2")] == [b"old", b"old"]
    assert not (tmp_path / "1").exists()
    assert names(work.path) == ["0", "1", "2"]
    work.discard()
    assert names(tmp_path) == ["0", "2"]


def test_files_that_cannot_be_put_back_are_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0").write_bytes(b"old")
    work = folder_of(tmp_path / "%d", {"0": b"a"})
    real, calls = os.link, [0]

    def link(source: Path, target: Path, **options: bool) -> None:
        calls[0] += 1
        if calls[0] > 1:
            raise FileExistsError(errno.EEXIST, "taken", str(target))
        real(source, target, **options)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(FileExistsError):
        work.place(["0"], tmp_path, replace=True)
    work.discard()
    assert (work.path / "replaced" / "0").read_bytes() == b"old"


def test_a_torn_picture_does_not_stay(tmp_path: Path) -> None:
    work = PartialFolder(tmp_path / "frames")
    with pytest.raises(TypeError):
        work.write("0", "text")  # type: ignore[arg-type]
    assert names(work.path) == []
    work.discard()
    assert names(tmp_path) == []
