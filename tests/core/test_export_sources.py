"""Clips that change or are damaged while an export reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import videoinr
from helpers.clips import ClipRecipe, number_in, remux, write_clip, write_pictures
from helpers.command_line import run_here
from helpers.tiny_model import save_tiny_model
from videoinr.clip import open_clip
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError, UsageError, VideoInrError
from videoinr.exporting.source_watch import format_ranges
from videoinr.exporting.target import PartialKeptError
from videoinr.types import ExportProgress

INTRA = ClipRecipe(codec="prores_ks", pix_fmt="yuv422p10le")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"))


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    other.replace(path)


def rewrite_in_place(path: Path) -> None:
    status = path.stat()
    with path.open("r+b") as file:
        file.write(bytes(64))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


CHANGES: list[Callable[[Path], None]] = [shorten, replace, rewrite_in_place, grow, Path.unlink]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("keep_partial", [False, True])
def test_a_clip_that_changes_ends_the_export(
    tmp_path: Path, model: Path, change: Callable[[Path], None], keep_partial: bool
) -> None:
    clip, out = write_clip(tmp_path / "clip.mov", 24, INTRA), tmp_path / "out.mkv"

    def progress(now: ExportProgress) -> None:
        if now.done == 4:
            change(clip)

    with pytest.raises(VideoInrError, match=r"has changed while it was read|is gone") as caught:
        videoinr.export(
            clip, out, scale=1, model=model, device="cpu", codec="ffv1", progress=progress, keep_partial=keep_partial
        )
    assert not out.exists()
    if not keep_partial:
        assert isinstance(caught.value, ClipError)
        assert not list(tmp_path.glob("out*"))
        return
    assert isinstance(caught.value, PartialKeptError)
    with open_clip(caught.value.path) as kept:
        assert kept.info.frames == caught.value.frames


def test_a_picture_that_changes_ends_the_export(tmp_path: Path, model: Path) -> None:
    pictures = write_pictures(tmp_path / "shot", 6)

    def progress(now: ExportProgress) -> None:
        if now.done == 3:
            grow(pictures[0])  # read already, and never again

    with pytest.raises(ClipError, match=r"img_0\.png.* has changed"):
        videoinr.export(tmp_path / "shot", tmp_path / "out.mkv", scale=1, model=model, device="cpu", progress=progress)
    assert [path.name for path in tmp_path.iterdir()] == ["shot"]


def test_an_unchanged_clip_is_not_reported(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "clip.mp4", 5)) as clip:
        clip.check_source()
        clip.check_source(0)
        os.utime(tmp_path / "clip.mp4", ns=(1, (tmp_path / "clip.mp4").stat().st_mtime_ns))
        clip.check_source()


def spoilt(folder: Path, numbers: range, count: int = 24) -> Path:
    whole = write_clip(folder / "whole.mov", count, INTRA)
    return remux(whole, folder / "clip.mov", lambda number, data: bytes(len(data)) if number in numbers else data)


def test_stand_in_frames_are_counted_and_named(tmp_path: Path, model: Path) -> None:
    clip = spoilt(tmp_path, range(10, 13))
    out = tmp_path / "out.mkv"
    outcome = run_here("export", clip, out, "--scale", "1", "--model", model, "--device", "cpu")
    assert outcome.exit_code == 0
    assert "note: 3 frames could not be decoded" in outcome.stderr
    assert "note: Replaced frames of the clip: 10-12." in outcome.stderr
    with open_clip(out) as exported:
        assert exported.info.frames == 24


def test_a_clip_that_is_too_damaged_fails_and_keeps_what_is_right(tmp_path: Path, model: Path) -> None:
    clip = spoilt(tmp_path, range(12, 24))
    out = tmp_path / "out.mkv"
    options = ("--scale", "1", "--model", model, "--device", "cpu", "--codec", "ffv1")
    failed = run_here("export", clip, out, *options)
    assert failed.exit_code == 1
    assert "too damaged" in failed.stderr
    assert not list(tmp_path.glob("out*"))
    kept = run_here("export", clip, out, *options, "--keep-partial")
    assert kept.exit_code == 3
    # Frame 11 is made from frames 11 and 12, and 12 is lost.
    assert "Saved 11 frames" in kept.stderr
    with open_clip(tmp_path / "out.partial.mkv") as exported:
        assert exported.info.frames == 11
        assert number_in(exported.frame(10)) == 10


def test_ranges_in_words() -> None:
    assert format_ranges([3]) == "3"
    assert format_ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert format_ranges([0, 2, 4, 6, 8, 10]) == "0, 2, 4, 6, 8, ..."


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr_is_refused_before_any_work(tmp_path: Path, model: Path, transfer: str, name: str) -> None:
    colour = ColourSpec("bt2020nc", "tv", "bt2020", transfer)
    clip = write_clip(tmp_path / "clip.mp4", 4, colour=colour, pix_fmt="yuv420p10le", codec="libx265")
    for out in ("out.mp4", "out.mov", "frames"):
        with pytest.raises(UsageError, match=rf"HDR \({name}\)"):
            videoinr.export(clip, tmp_path / out, model=model, device="cpu", scale=1)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
