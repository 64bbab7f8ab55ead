"""Pictures by their content, and folders whose pictures are not simply one sequence."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers.clips import number_in, numbered_frame, numbered_frames, write_clip, write_picture
from videoinr.clip import open_clip
from videoinr.clip.picture_file import decode_picture, pages_of, stored_size
from videoinr.clip.picture_format import TGA, format_of, is_video
from videoinr.clip.picture_sequence import main_sequence
from videoinr.errors import ClipError

WIDTH, HEIGHT = 64, 48


def write_numbered(folder: Path, *names: str) -> None:
    """Write pictures whose content is their place in ``names``."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        write_picture(folder / name, numbered_frame(number))


def shown(path: Path) -> list[int]:
    with open_clip(path) as clip:
        return [number_in(clip.frame(number)) for number in range(clip.info.frames)]


def chosen(*names: str) -> list[str]:
    return [file.name for file in main_sequence([Path(name) for name in names]).files]


def test_missing_numbers_are_said_and_keep_their_time(tmp_path: Path) -> None:
    write_numbered(tmp_path, *(f"img_{number:03d}.png" for number in (0, 1, 2, 6, 7, 10)))
    for path in (tmp_path, tmp_path / "img_%03d.png"):
        with open_clip(path) as clip:
            assert (clip.info.frames, clip.info.duration_secs, clip.info.vfr) == (6, Fraction(11, 24), True)
            assert clip.timeline.ticks.tolist() == [0, 1, 2, 6, 7, 10]
            assert clip.info.fps == 24
            assert "003-005, 008-009" in clip.info.warnings[0]


def test_a_glob_shows_all_that_it_matches_and_says_what_that_is(tmp_path: Path) -> None:
    write_numbered(tmp_path, "a_0.png", "a_1.png", "a_3.png", "b_0.png")
    with open_clip(tmp_path / "a_*.png") as clip:
        assert clip.timeline.ticks.tolist() == [0, 1, 3]
        assert "missing" in clip.info.warnings[0]
    with open_clip(tmp_path / "*.png") as clip:
        assert clip.info.frames == 4
        assert "2 sequences" in clip.info.warnings[0]


@pytest.mark.parametrize("where", ["", "shot.####.png", "shot.%04d.png", "shot.%d.png", "shot.*.png"])
def test_frames_before_zero_come_first(tmp_path: Path, where: str) -> None:
    write_numbered(tmp_path, "shot.-010.png", "shot.-009.png", *(f"shot.{number:04d}.png" for number in range(-8, 3)))
    with open_clip(tmp_path / where) as clip:
        assert (clip.info.frames, clip.info.warnings) == (13, ())
        assert clip.timeline.ticks.tolist() == list(range(13))
    assert shown(tmp_path / where) == list(range(13))


@pytest.mark.parametrize("where", ["", "####.png", "%04d.png", "*.png"])
def test_names_that_are_a_number_alone_may_be_below_zero(tmp_path: Path, where: str) -> None:
    write_numbered(tmp_path, "-002.png", "-001.png", "0000.png", "0001.png")
    assert shown(tmp_path / where) == [0, 1, 2, 3]


def test_a_gap_before_zero_is_named(tmp_path: Path) -> None:
    write_numbered(tmp_path, *(f"s_{number:03d}.png" for number in (-4, -3, 0, 1)))
    with open_clip(tmp_path) as clip:
        assert clip.timeline.ticks.tolist() == [0, 1, 4, 5]
        assert "s_-04.png ... s_001.png: -02 ... -01." in clip.info.warnings[0]


@pytest.mark.parametrize("where", ["", "shot-%03d.png", "shot-###.png", "shot-*.png"])
def test_a_dash_before_a_number_is_no_minus(tmp_path: Path, where: str) -> None:
    write_numbered(tmp_path, "shot-001.png", "shot-002.png", "shot-003.png")
    assert shown(tmp_path / where) == [0, 1, 2]


def test_numbers_in_steps_have_no_gaps(tmp_path: Path) -> None:
    write_numbered(tmp_path, "f_0010.png", "f_0020.png", "f_0030.png", "f_0050.png")
    with open_clip(tmp_path) as clip:
        assert clip.timeline.ticks.tolist() == [0, 1, 2, 4]
        assert "0040" in clip.info.warnings[0]


def test_many_missing_pictures_do_not_stretch_the_clip(tmp_path: Path) -> None:
    write_numbered(tmp_path, "a_1.png", "a_2.png", "a_12.png")
    with open_clip(tmp_path) as clip:
        assert (clip.info.duration_secs, clip.info.vfr) == (Fraction(3, 24), False)
        assert "3-11" in clip.info.warnings[0]
    write_numbered(tmp_path, "a_1.png", "a_2.png", "a_90012.png")
    (tmp_path / "a_12.png").unlink()
    with open_clip(tmp_path) as clip:
        assert "far apart" in clip.info.warnings[0]


def test_the_longest_of_several_sequences_is_shown_and_the_others_are_named(tmp_path: Path) -> None:
    write_numbered(tmp_path, "a_000.png", "a_001.png", "b_000.png", "b_001.png", "b_002.png", "cover.png")
    assert shown(tmp_path) == [2, 3, 4]
    with open_clip(tmp_path) as clip:
        (warning,) = clip.info.warnings
    for word in (
        "3 sequences",
        "b_000.png ... b_002.png (3 pictures) is shown",
        "a_000.png ... a_001.png",
        "cover.png",
    ):
        assert word in warning
    assert "“a_*.png”" in warning
    assert shown(tmp_path / "a_*.png") == [0, 1]


def test_the_first_of_equally_long_sequences_is_shown(tmp_path: Path) -> None:
    write_numbered(tmp_path, *(f"{letter}_{number:03d}.png" for letter in "ab" for number in range(3)))
    assert shown(tmp_path) == [0, 1, 2]


def test_of_two_files_of_one_picture_one_is_shown(tmp_path: Path) -> None:
    write_numbered(tmp_path, "a0.png", "a1.png", "a2.png")
    for number in range(3):
        write_picture(tmp_path / f"a{number}.jpg", numbered_frame(100 + number))
    assert shown(tmp_path) == [0, 1, 2]
    with open_clip(tmp_path) as clip:
        assert "a0.jpg ... a2.jpg" in clip.info.warnings[0]


def test_a_sequence_may_change_its_format() -> None:
    assert chosen("a_1.png", "a_2.jpg", "a_3.png") == ["a_1.png", "a_2.jpg", "a_3.png"]


def test_which_number_counts() -> None:
    assert chosen("s2_t1_01.png", "s2_t1_02.png", "s3_t1_01.png") == ["s2_t1_01.png", "s2_t1_02.png"]
    assert chosen("v2_001_left.png", "v2_002_left.png") == ["v2_001_left.png", "v2_002_left.png"]
    dates = ["IMG_20240101_120000.png", "IMG_20240102_090000.png", "IMG_20240103_110000.png"]
    assert chosen(*dates) == dates
    assert chosen("cat.png", "dog.png") == ["cat.png", "dog.png"]
    assert chosen("a01.png", "a1.png", "a2.png") == ["a01.png", "a1.png", "a2.png"]


def test_an_animated_png_is_a_clip_whatever_its_name(tmp_path: Path) -> None:
    for name in ("anim.png", "anim.apng"):
        path = write_clip(tmp_path / name, 5, codec="apng", pix_fmt="rgb24", fps=Fraction(10), container_format="apng")
        with open_clip(path) as clip:
            assert (clip.info.frames, clip.info.fps, clip.info.codec) == (5, Fraction(10), "apng")
            assert number_in(clip.frame(4)) == 4


def test_an_animated_avif_is_a_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "anim.avif", 5, codec="libsvtav1", fps=Fraction(10), options={"crf": "20"})
    with open_clip(path) as clip:
        assert (clip.info.frames, clip.info.fps, clip.info.codec) == (5, Fraction(10), "av1")
        assert number_in(clip.frame(4)) == 4


def test_a_gif_or_video_under_the_name_of_a_picture_is_a_clip(tmp_path: Path) -> None:
    for name, codec, pix_fmt in (("a.gif", "gif", "rgb8"), ("b.mp4", "libx264", "yuv420p"), ("c.mkv", "ffv1", "bgr0")):
        path = write_clip(tmp_path / name, 4, codec=codec, pix_fmt=pix_fmt).rename(tmp_path / f"{name}.png")
        assert shown(path) == [0, 1, 2, 3]


def test_a_picture_of_another_kind_than_its_name_says_is_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", numbered_frame(3)).rename(tmp_path / "a.png")
    assert shown(tmp_path / "a.png") == [3]


_STRIPS = 273
"""The tag of a page's places of pixels, as one number of 32 bits or as a list elsewhere in the file."""


def tiff_of(pages: list[bytes]) -> bytes:
    """Join TIFF files of one page each into one file, by moving all places in them."""
    joined = bytearray(b"II*\0" + bytes(4))
    link = 4
    for page in pages:
        shift = len(joined) - 8
        body = bytearray(page[8:])
        directory = struct.unpack("<I", page[4:8])[0]
        count = struct.unpack("<H", page[directory : directory + 2])[0]
        for entry in range(directory - 6, directory - 6 + 12 * count, 12):
            tag, kind, items, value = struct.unpack("<HHII", body[entry : entry + 12])
            size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind] * items
            if size > 4 or tag == _STRIPS:
                struct.pack_into("<I", body, entry + 8, value + shift)
            if size > 4 and tag == _STRIPS:
                for at in range(value - 8, value - 8 + size, 4):
                    struct.pack_into("<I", body, at, struct.unpack("<I", body[at : at + 4])[0] + shift)
        joined[link : link + 4] = struct.pack("<I", directory + shift)
        link = len(joined) + directory - 8 + 2 + 12 * count
        joined += body
    joined[link : link + 4] = bytes(4)
    return bytes(joined)


def write_stack(path: Path, sizes: list[tuple[int, int]]) -> Path:
    folder = path.parent / "pages"
    folder.mkdir(exist_ok=True)
    files = [
        write_picture(folder / f"{number}.tif", numbered_frame(number, width=width, height=height))
        for number, (width, height) in enumerate(sizes)
    ]
    path.write_bytes(tiff_of([file.read_bytes() for file in files]))
    return path


def test_the_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    path = write_stack(tmp_path / "stack.tif", [(WIDTH, HEIGHT)] * 4)
    assert pages_of(path) == ([0, 1, 2, 3], 0)
    assert shown(path) == [0, 1, 2, 3]


def test_pages_of_another_size_are_left_out_and_said(tmp_path: Path) -> None:
    path = write_stack(tmp_path / "stack.tif", [(WIDTH, HEIGHT), (32, 24), (WIDTH, HEIGHT)])
    assert shown(path) == [0, 2]
    with open_clip(path) as clip:
        assert "1 page of another size" in clip.info.warnings[0]


def test_animations_in_a_folder_show_their_first_picture_and_say_so(tmp_path: Path) -> None:
    for number in range(3):
        frames = [numbered_frame(number), numbered_frame(50)]
        write_clip(tmp_path / f"{number}.png", frames, codec="apng", pix_fmt="rgb24", container_format="apng")
    assert shown(tmp_path) == [0, 1, 2]
    with open_clip(tmp_path) as clip:
        assert "several pictures" in clip.info.warnings[0]


def encode(codec: str, pixels: Any, pix_fmt: str) -> bytes:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, pix_fmt, Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pix_fmt)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"),
    [("tga", "targa", "bgr24"), ("sgi", "sgi", "rgb24"), ("pam", "pam", "rgb24"), ("dpx", "dpx", "rgb24"),
     ("jp2", "jpeg2000", "rgb24"), ("webp", "libwebp", "bgra")],
)  # fmt: skip
def test_further_formats_are_read_in_folders(tmp_path: Path, ending: str, codec: str, pix_fmt: str) -> None:
    for number, pixels in enumerate(numbered_frames(3)):
        (tmp_path / f"{number}.{ending}").write_bytes(encode(codec, pixels, pix_fmt))
    assert shown(tmp_path) == [0, 1, 2]
    assert stored_size(tmp_path / f"0.{ending}") == (WIDTH, HEIGHT)


def test_a_still_avif_is_a_picture(tmp_path: Path) -> None:
    for number in range(2):
        write_clip(tmp_path / f"{number}.avif", [numbered_frame(number)], codec="libsvtav1", options={"crf": "10"})
    assert shown(tmp_path) == [0, 1]


def test_formats_that_cannot_be_decoded_are_not_called_damaged(tmp_path: Path) -> None:
    webp = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02" + bytes(9)
    for name, data, word in (("a.webp", webp, "animated WebP"), ("a.jxl", b"\xff\x0a" + bytes(30), "JPEG XL")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ClipError, match=word) as caught:
            open_clip(tmp_path / name)
        assert "not damaged" in caught.value.hint


def test_text_under_the_name_of_a_picture_reaches_no_demuxer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a demuxer was started")

    monkeypatch.setattr(av, "open", refuse)
    for name, text in (("a.png", "#EXTM3U\n#EXTINF:1,\nb.png\n"), ("b.jpg", "ffconcat version 1.0\nfile c.png\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ClipError):
            decode_picture(tmp_path / name)


def test_formats_are_told_by_their_first_bytes() -> None:
    assert format_of(b"", Path("a.png")) is None
    assert format_of(bytes(18), Path("a.TGA")) is TGA
    assert not is_video(b"\0\0\0\x18ftypavif\0\0\0\0avifmif1")
    assert is_video(b"\0\0\0\x18ftypavis\0\0\0\0avifmif1")
    assert is_video(b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1")


def test_pictures_keep_the_shape_of_their_pixels(tmp_path: Path) -> None:
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "rgb24", Fraction(1)
    encoder.sample_aspect_ratio = Fraction(16, 15)
    frame: Any = av.VideoFrame.from_ndarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb24")
    (tmp_path / "a.png").write_bytes(
        b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    )
    with open_clip(tmp_path) as clip:
        assert clip.info.pixel_aspect == Fraction(16, 15)
