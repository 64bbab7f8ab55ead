"""Clips that change or are damaged while an export reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import videoinr
from helpers.clips import ClipRecipe, number_in, remux, write_clip, write_pictures
from helpers.command_line import run_here
from helpers.held_exports import saved_model
from videoinr.clip import open_clip
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError, UsageError, VideoInrError
from videoinr.exporting.mastering import Mastering, read_mastering
from videoinr.exporting.source_watch import format_ranges
from videoinr.exporting.target import PartialKeptError
from videoinr.types import ExportProgress

INTRA = ClipRecipe(codec="prores_ks", pix_fmt="yuv422p10le")


model = pytest.fixture(scope="module")(saved_model)


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
def test_hdr_is_refused_where_the_output_has_8_bits(tmp_path: Path, model: Path, transfer: str, name: str) -> None:
    clip = write_deep(tmp_path / "clip.mkv", transfer)
    for out, codec in (("out.webm", None), ("frames", None)):
        with pytest.raises(UsageError, match=rf"HDR \({name}\)"):
            videoinr.export(clip, tmp_path / out, codec=codec, model=model, device="cpu", scale=1)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


def write_deep(path: Path, transfer: str, codec: str = "ffv1") -> Path:
    """Write a clip of ramps with more levels than 8 bits have."""
    is_hdr = transfer != "bt709"
    colour = ColourSpec("bt2020nc", "tv", "bt2020", transfer) if is_hdr else ColourSpec("bt709", "tv", "bt709", "bt709")
    ramp = np.linspace(0.3, 0.5, 160)[None, :, None] * 65535
    frames = [(np.broadcast_to(ramp, (64, 160, 3)) + 60 * n).astype(np.uint16) for n in range(3)]
    return write_clip(path, frames, codec=codec, pix_fmt="yuv444p10le", colour=colour)


@pytest.mark.parametrize("transfer", ["bt709", "smpte2084", "arib-std-b67"])
@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("out.mkv", "ffv1", "gbrp16le"), ("out.mp4", "libx265", "yuv420p10le"), ("out.mp4", "libx264", "yuv420p10le"),
        ("out.mp4", "av1", "yuv420p10le"), ("out.mov", "prores", "yuv422p10le"),
    ],
)  # fmt: skip
def test_a_clip_of_10_bits_is_exported_with_10_bits(
    tmp_path: Path, transfer: str, name: str, codec: str, pix_fmt: str
) -> None:
    clip, out = write_deep(tmp_path / "clip.mkv", transfer), tmp_path / name
    videoinr.export(clip, out, scale=1, codec=codec, model="lite", device="cpu")
    with open_clip(clip) as before, open_clip(out) as after:
        assert (after.info.pix_fmt, after.info.colour.transfer) == (pix_fmt, transfer)
        assert after.info.colour.primaries == before.info.colour.primaries
        for index in (0, 2):
            error = np.abs(after.frame(index).astype(float) - before.frame(index))[8:-8, 8:-8] / 65535 * 1023
            assert error.max() < (1 if codec == "ffv1" else 7)
            assert error.mean() < 2, "8 bits would be off by as much"
        assert len(np.unique(after.frame(1)[50, :, 0])) > 100, "the ramp has 51 levels of 8 bits"


@pytest.mark.parametrize("codec", ["libx265", "libsvtav1", "ffv1"])
def test_the_mastering_data_of_hdr_are_kept_or_named(tmp_path: Path, codec: str) -> None:
    display = tuple(
        map(Fraction, ["0.68", "0.32", "0.265", "0.69", "0.15", "0.06", "0.3127", "0.329", "0.005", "1000"])
    )
    words = Mastering(display, (1000, 400)).options_for("libx265")["x265-params"]
    options = {"x265-params": f"log-level=error:hdr10=1:repeat-headers=1:{words}"}
    frames = [np.full((96, 160, 3), 20_000 + 500 * n, np.uint16) for n in range(3)]
    colour = ColourSpec("bt2020nc", "tv", "bt2020", "smpte2084")
    clip = write_clip(
        tmp_path / "clip.mp4", frames, codec="libx265", pix_fmt="yuv420p10le", colour=colour, options=options
    )
    found = read_mastering(clip, 0)
    assert found == Mastering(display, (1000, 400))
    said: list[str] = []
    out = tmp_path / ("out.mkv" if codec == "ffv1" else "out.mp4")
    videoinr.export(clip, out, scale=1, codec=codec, model="lite", device="cpu", notice=said.append)
    if codec == "ffv1":
        assert any("mastering data" in sentence for sentence in said)
        return
    kept = read_mastering(out, 0)
    assert kept is not None
    assert kept.light == (1000, 400)
    np.testing.assert_allclose([float(each) for each in kept.display], [float(each) for each in display], atol=1e-3)
