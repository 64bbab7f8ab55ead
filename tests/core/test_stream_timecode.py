"""Timecode in edit lists, in streams and in pictures: what the clip's first frame is called."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import write_clip
from helpers.exr import exr
from helpers.timecodes import (
    rewritten,
    smpte,
    trimmed_movie,
    with_gop_timecodes,
    with_h264_timecode,
    with_h265_timecode,
)
from videoinr.clip import open_clip
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.picture_timecode import picture_timecode
from videoinr.clip.stream_timecode import GopTimecode, GopTimecodes, timecode_of_frames, timecode_of_groups
from videoinr.clip.timecode_track import trimmed_secs
from videoinr.text.timecode import timecode_of
from videoinr.types import StartTimecode

NTSC_30 = Fraction(30000, 1001)


def first_of(path: Path, *, picture_fps: Fraction | int = 24) -> str:
    """What the file calls its first frame."""
    with open_clip(path, OpenOptions(picture_fps=Fraction(picture_fps))) as clip:
        return timecode_of(0, clip.info) if clip.info.timecode else ""


# ---- edit lists ----


@pytest.mark.parametrize("name", ["a.mov", "a.mp4"])
@pytest.mark.parametrize(
    ("video", "track", "expected"),
    [(0, 0, "01:00:00:23"), (3, 3, "01:00:01:01"), (3, 0, "01:00:00:23"), (9, 9, "01:00:01:07")],
)
def test_a_trimmed_timecode_track_names_the_first_frame_that_is_shown(
    tmp_path: Path, name: str, video: int, track: int, expected: str
) -> None:
    path = trimmed_movie(tmp_path / name, "01:00:00:23", video=video, track=track)
    with open_clip(path) as clip:
        assert clip.info.frames == 10 - video
    assert first_of(path) == expected


def test_an_edit_of_64_bits_and_one_that_shows_nothing_are_read(tmp_path: Path) -> None:
    data = bytearray(trimmed_movie(tmp_path / "a.mov", "01:00:00:00", track=3).read_bytes())
    at = data.index(b"elst", data.index(b"elst") + 1)
    edits = (
        struct.pack(">II", 1 << 24, 2) + struct.pack(">QqI", 40, -1, 1 << 16) + struct.pack(">QqI", 40, 2048, 1 << 16)
    )
    grown = len(edits) - 20
    for box in (b"moov", b"trak", b"edts", b"elst"):
        place = data.rindex(box, 0, at + 4)
        data[place - 4 : place] = (int.from_bytes(data[place - 4 : place], "big") + grown).to_bytes(4, "big")
    data[at + 4 : at + 24] = edits
    (tmp_path / "a.mov").write_bytes(data)
    assert trimmed_secs(tmp_path / "a.mov", "mov,mp4", 0) == Fraction(4, 25)


def test_an_edit_beyond_the_first_sample_says_nothing(tmp_path: Path) -> None:
    path = trimmed_movie(tmp_path / "a.mov", "01:00:00:00", track=10)
    assert trimmed_secs(path, "mov,mp4", 0) is None
    assert first_of(path) == ""


def test_damaged_boxes_are_no_edits(tmp_path: Path) -> None:
    whole = trimmed_movie(tmp_path / "a.mov", "01:00:00:00", track=3).read_bytes()
    for length in (0, 8, 40, whole.index(b"elst") + 6, whole.rindex(b"stts") + 6):
        (tmp_path / "b.mov").write_bytes(whole[:length])
        assert trimmed_secs(tmp_path / "b.mov", "mov,mp4", 0) == 0
    assert trimmed_secs(tmp_path / "a.mov", "mov,mp4", 1) == 0  # There is no second video.
    assert trimmed_secs(tmp_path / "missing.mov", "mov,mp4", 0) == 0


# ---- groups of pictures ----


def mpeg2(tmp_path: Path, name: str, start: int, step: int = 1) -> Path:
    """Write ten frames in groups of four, whose timecodes at 25 frames per second count from ``start``."""
    plain = write_clip(tmp_path / "plain.ts", 10, codec="mpeg2video", options={"g": "4", "bf": "2"})

    def change(data: bytes, place: int) -> bytes:
        def named(reference: int) -> tuple[tuple[int, int, int, int], bool]:
            secs, frames = divmod(start + (place - reference) * step, 25)
            return (10, 0, secs, frames), False

        return with_gop_timecodes(data, named)

    return rewritten(plain, tmp_path / name, change)


@pytest.mark.parametrize("name", ["a.ts", "a.mpg", "a.m2v"])
def test_groups_of_pictures_name_the_first_frame(tmp_path: Path, name: str) -> None:
    assert first_of(mpeg2(tmp_path, name, 48)) == "10:00:01:23"


def test_groups_of_pictures_that_do_not_go_on_name_nothing(tmp_path: Path) -> None:
    assert first_of(mpeg2(tmp_path, "a.ts", 48, step=0)) == ""


def test_an_encoder_that_counts_from_zero_names_nothing(tmp_path: Path) -> None:
    for name in ("a.ts", "a.mpg"):
        assert first_of(write_clip(tmp_path / name, 10, codec="mpeg2video", options={"g": "4"})) == ""


def test_a_file_that_begins_within_a_group_counts_from_its_first_frame(tmp_path: Path) -> None:
    whole = mpeg2(tmp_path, "a.m2v", 48).read_bytes()
    (tmp_path / "b.m2v").write_bytes(whole[whole.index(b"\0\0\x01\xb3", 4) :])
    with open_clip(tmp_path / "b.m2v") as clip:
        skipped = 10 - clip.info.frames
    assert skipped > 0
    assert first_of(tmp_path / "b.m2v") == f"10:00:{(48 + skipped) // 25:02}:{(48 + skipped) % 25:02}"


@pytest.mark.parametrize(
    ("groups", "fps", "expected"),
    [
        ([], 25, None),
        ([("01:00:00:00", 100, 0)], 25, StartTimecode(90_000)),
        ([("01:00:00:00", 108, 2)], 25, StartTimecode(90_000)),
        ([("01:00:00:00", 100, 0), ("01:00:00:12", 148, 0)], 25, StartTimecode(90_000)),
        ([("01:00:00:00", 100, 0), ("01:00:00:13", 148, 0)], 25, None),
        ([("01:00:00:00", 100, 0), ("01:00:00;12", 148, 0)], 25, None),
        ([("01:00:00:25", 100, 0)], 25, None),
        ([("00:00:00:00", 100, 0), ("00:00:00:12", 148, 0)], 25, None),
        ([("00:01:00;02", 100, 0)], NTSC_30, StartTimecode(1800, drops=True)),
    ],
)
def test_timecodes_of_groups(
    groups: list[tuple[str, int, int]], fps: Fraction | int, expected: StartTimecode | None
) -> None:
    read = tuple(GopTimecode(*group) for group in groups)
    assert timecode_of_groups(read, Fraction(fps), Fraction(1, 100), 100) == expected


@pytest.mark.parametrize("data", [b"", b"\0\0\x01\xb8", b"\0\0\x01\xb8\0\0\0\0\0\0\x01\0", b"\0\0\x01\0\0\0" * 9])
def test_headers_that_break_off_are_left_out(data: bytes) -> None:
    class Packet(bytes):
        pts = 0

    groups = GopTimecodes()
    groups.note(Packet(data), "mpeg2video")
    assert groups.found == ()


# ---- pictures of H.264 and H.265 ----


@pytest.mark.parametrize(
    ("codec", "options", "write"),
    [
        ("libx264", {"x264-params": "pic-struct=1", "bf": "2"}, with_h264_timecode),
        ("libx265", {"x265-params": "log-level=none"}, with_h265_timecode),
    ],
)
def test_pictures_name_the_first_frame(tmp_path: Path, codec: str, options: dict[str, str], write: object) -> None:
    assert callable(write)
    plain = write_clip(tmp_path / "plain.ts", 4, codec=codec, options=options)
    assert first_of(plain) == ""
    counting = rewritten(plain, tmp_path / "a.ts", lambda data, place: write(data, (23, 59, 59, 22 + place)))
    assert first_of(counting) == "23:59:59:22"
    stuck = rewritten(plain, tmp_path / "b.ts", lambda data, _: write(data, (23, 59, 59, 22)))
    assert first_of(stuck) == ""


def test_pictures_may_have_drop_frame_timecode(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "a.ts", 3, fps=NTSC_30, options={"x264-params": "pic-struct=1"})
    names = [(0, 0, 59, 29), (0, 1, 0, 2), (0, 1, 0, 3)]
    path = rewritten(plain, tmp_path / "b.ts", lambda data, place: with_h264_timecode(data, names[place], drops=True))
    assert first_of(path) == "00:00:59;29"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), None), (("",), None), (("", "01:00:00:00"), None), (("00:00:00:00", "00:00:00:01"), None),
        (("01:00:00:00",), StartTimecode(90_000)), (("01:00:00:00", "01:00:00:01"), StartTimecode(90_000)),
        (("01:00:00:00", "01:00:00:00"), None), (("01:00:00:00", ""), None),
    ],
)  # fmt: skip
def test_timecodes_of_frames(texts: tuple[str, ...], expected: StartTimecode | None) -> None:
    assert timecode_of_frames(texts, Fraction(25)) == expected


def test_the_tag_of_the_file_counts_before_its_stream(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "a.mkv", 3, options={"x264-params": "pic-struct=1"}, tags={"timecode": "01:00:00:00"})
    assert first_of(plain) == "01:00:00:00"


# ---- pictures ----


SMALL = np.zeros((8, 8), np.float16)


def dpx(word: int, *, order: str = "<", offset: int = 2048) -> bytes:
    """Return a DPX of 8 x 8 black pixels of RGB, 8 bits, with 32 bits of timecode in its television header."""
    data = bytearray(offset + 8 * 8 * 3)
    data[:4] = b"XPDS" if order == "<" else b"SDPX"
    struct.pack_into(f"{order}I4s4xI", data, 4, offset, b"V2.0", len(data))
    struct.pack_into(f"{order}HHII", data, 768, 0, 1, 8, 8)
    struct.pack_into(f"{order}BBBBHHI", data, 800, 50, 2, 2, 8, 0, 0, offset)
    if offset >= 1924:
        struct.pack_into(f"{order}I", data, 1920, word)
    return bytes(data)


def named_exr(name: tuple[int, int, int, int], *, drops: bool = False) -> bytes:
    return exr({"Y": SMALL}, timecode=smpte(name, drops=drops))


def pictures(folder: Path, *files: bytes) -> Path:
    """Write a sequence of pictures; one that is empty is missing."""
    for number, data in enumerate(files):
        if data:
            (folder / f"a{number}").with_suffix(".exr" if data[0] == 0x76 else ".dpx").write_bytes(data)
    return folder


NAME = (12, 34, 56, 17)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([dpx(smpte(NAME)), dpx(smpte((12, 34, 56, 18)))], "12:34:56:17"),
        ([dpx(smpte(NAME), order=">"), dpx(smpte((12, 34, 56, 18)), order=">")], "12:34:56:17"),
        ([dpx(smpte(NAME)), dpx(smpte(NAME))], ""),
        ([dpx(0), dpx(0)], ""),
        ([dpx(0xFFFFFFFF), dpx(0xFFFFFFFF)], ""),
        ([dpx(smpte((23, 59, 59, 9)) | 0x80808080)], "23:59:59:09"),
        ([dpx(smpte((24, 0, 0, 0)))], ""),
        ([dpx(0x0A000000)], ""),
        ([dpx(smpte(NAME), offset=1664)], ""),
        ([named_exr(NAME), named_exr((12, 34, 56, 18))], "12:34:56:17"),
        ([named_exr(NAME)], "12:34:56:17"),
        ([named_exr((0, 0, 0, 0)), named_exr((0, 0, 0, 1))], "00:00:00:00"),
        ([named_exr(NAME), exr({"Y": SMALL})], ""),
        ([exr({"Y": SMALL}), exr({"Y": SMALL})], ""),
        ([named_exr(NAME), named_exr((12, 34, 56, 18)), b"", named_exr((12, 34, 56, 20))], "12:34:56:17"),
        ([named_exr(NAME), named_exr((12, 34, 56, 18)), b"", named_exr((12, 34, 56, 19))], ""),
    ],
)
def test_headers_of_pictures_name_the_first_frame(tmp_path: Path, files: list[bytes], expected: str) -> None:
    assert first_of(pictures(tmp_path, *files)) == expected


def test_names_of_pictures_count_in_the_rate_of_the_clip(tmp_path: Path) -> None:
    pictures(tmp_path, named_exr((1, 0, 0, 23)), named_exr((1, 0, 0, 24)), named_exr((1, 0, 1, 0)))
    assert first_of(tmp_path, picture_fps=25) == "01:00:00:23"
    assert first_of(tmp_path, picture_fps=24) == ""
    pictures(tmp_path, *(named_exr(name, drops=True) for name in ((0, 0, 59, 29), (0, 1, 0, 2), (0, 1, 0, 3))))
    assert first_of(tmp_path, picture_fps=NTSC_30) == "00:00:59;29"
    assert first_of(tmp_path, picture_fps=30) == ""


def test_a_header_that_breaks_off_names_nothing(tmp_path: Path) -> None:
    whole = named_exr(NAME)
    for data in (whole[:9], whole[: whole.index(b"timeCode") + 20], dpx(smpte(NAME))[:1922], b""):
        (tmp_path / "a").write_bytes(data)
        assert picture_timecode(tmp_path / "a") == ""
    assert picture_timecode(tmp_path / "missing") == ""
