"""What the container says and decoders leave out: colours, crops, pixel aspect, sound, several streams, encryption."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers.clips import flat_yuv_frame, number_in, numbered_frame, numbered_frames, write_clip, write_pictures
from videoinr.clip import OpenOptions, open_clip, video_opening
from videoinr.clip.cropping import Cropping, cropping_of
from videoinr.clip.exif import turns_from_exif
from videoinr.clip.packet_index import PacketTable
from videoinr.errors import ClipError, UsageError
from videoinr.geometry import Rect

BT2020_PQ, BT709 = (9, 9, 16, 1), (1, 1, 1, 1)
SILENT = "log-level=error:colorprim=unknown:transfer=unknown:colormatrix=unknown"


def write_flat(
    path: Path, codec: str, values: tuple[int, ...], *, size: tuple[int, int], tags: tuple[int, ...], count: int = 12,
    pix_fmt: str = "yuv422p10le", options: dict[str, str] | None = None, tags_on_frames: bool = False,
) -> Path:  # fmt: skip
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = tags
        for number in range(count):
            frame: Any = flat_yuv_frame(values, pix_fmt, width=size[0], height=size[1], time=number)
            frame.time_base = Fraction(1, 25)
            if tags_on_frames:
                frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = tags
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def centre_of(pixels: Any) -> list[int]:
    top = np.iinfo(pixels.dtype).max
    return [round(255 * float(value) / top) for value in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]]


def test_colours_come_from_the_container_where_the_stream_has_none(tmp_path: Path) -> None:
    red = (round(4 * (16 + 219 * 0.2627)), round(4 * (128 - 224 * 0.2627 / 1.8814)), 960)
    path = write_flat(
        tmp_path / "a.mp4", "libx265", red, size=(64, 64), tags=BT2020_PQ,
        pix_fmt="yuv420p10le", options={"x265-params": SILENT},
    )  # fmt: skip
    with open_clip(path) as clip:
        colour = clip.info.colour
        assert (colour.matrix, colour.primaries, colour.transfer) == ("bt2020nc", "bt2020", "smpte2084")
        assert colour.guessed == ()
        assert any("HDR" in warning for warning in clip.info.warnings)
        assert centre_of(clip.frame(0))[0] >= 254
        assert max(centre_of(clip.frame(0))[1:]) <= 2


@pytest.mark.parametrize("count", [2, 12])
def test_colours_do_not_depend_on_how_many_frames_were_decoded(tmp_path: Path, count: int) -> None:
    red = (252, 408, 960)
    path = write_flat(tmp_path / "a.mov", "prores_ks", red, size=(64, 48), tags=BT709, count=count)
    with open_clip(path) as clip:
        assert (clip.info.colour.matrix, clip.info.colour.guessed) == ("bt709", ())
        assert centre_of(clip.frame(0))[0] >= 254


def test_the_container_is_believed_before_a_decoder_that_invents_colours(tmp_path: Path) -> None:
    red = (round(4 * (16 + 219 * 0.2627)), round(4 * (128 - 224 * 0.2627 / 1.8814)), 960)
    path = write_flat(
        tmp_path / "a.mov", "dnxhd", red, size=(256, 128), tags=(9, 9, 14, 1), count=2,
        options={"profile": "dnxhr_hqx"}, tags_on_frames=True,
    )  # fmt: skip
    with open_clip(path) as clip:
        assert (clip.info.colour.matrix, clip.info.colour.primaries) == ("bt2020nc", "bt2020")


def cropped_matroska(folder: Path) -> Path:
    """A clip of 64x48 whose first 16 columns and 8 rows are cut off: the fields replace padding after the size."""
    path = write_clip(folder / "crop.mkv", 6, sample_aspect=Fraction(4, 3), options={"bf": "0"})
    data = path.read_bytes()
    size, rest = "b08140ba813054b28104", "55ee8100"
    old = bytes.fromhex(f"e08a{size}{rest}ec01000000000000020000")
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, bytes.fromhex(f"e092{size}54cc811054bb8108{rest}ec8100")))
    return path


def clean_aperture(folder: Path) -> Path:
    """A clip of 64x48 of which 48x32 pixels are shown, 4 columns right of the middle and 2 rows above it."""
    path = write_clip(folder / "clap.mp4", 6, options={"bf": "0"})
    data = bytearray(path.read_bytes())
    box = struct.pack(">I4s8i", 40, b"clap", 48, 1, 32, 1, 4, 1, -2, 1)
    entry = data.find(b"avc1", data.find(b"stsd")) - 4
    place = entry + struct.unpack(">I", data[entry : entry + 4])[0]
    starts = [data.find(name) - 4 for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")]
    for start in (*starts, entry):
        data[start : start + 4] = struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + len(box))
    data[place:place] = box
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "shown"), [(cropped_matroska, Rect(16, 8, 48, 40)), (clean_aperture, Rect(12, 6, 48, 32))]
)
def test_crop_rectangles_of_containers_are_applied(tmp_path: Path, make: Callable[[Path], Path], shown: Rect) -> None:
    path = make(tmp_path)
    with open_clip(write_clip(tmp_path / "whole.mkv", 6, options={"bf": "0"})) as whole, open_clip(path) as clip:
        assert (clip.info.width, clip.info.height) == (shown.width, shown.height)
        for index in (0, 5):
            assert np.array_equal(clip.frame(index), whole.frame(index)[shown.slices])


def test_no_crop_is_read_from_other_or_odd_files(tmp_path: Path) -> None:
    odd = tmp_path / "odd.mkv"
    for data in (b"", b"\x1a\x45\xdf\xa3", bytes(200), bytes(range(256)) * 8, b"\0\0\0\x08moov" * 40):
        odd.write_bytes(data)
        for name in ("matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "avi"):
            assert cropping_of(odd, name, 0, 64, 48) == Cropping()
    assert Cropping(40, 0, 40, 0).rect(64, 48) == Rect(0, 0, 64, 48)
    assert Cropping(-1, 0, 0, 0).rect(64, 48) == Rect(0, 0, 64, 48)


@pytest.mark.parametrize(("rotation", "aspect"), [(0, Fraction(16, 15)), (90, Fraction(15, 16))])
def test_the_pixel_aspect_is_that_of_the_picture_as_shown(tmp_path: Path, rotation: int, aspect: Fraction) -> None:
    path = write_clip(tmp_path / "a.mp4", 3, rotation=rotation, sample_aspect=Fraction(16, 15))
    with open_clip(path) as clip:
        assert clip.info.pixel_aspect == aspect
    with open_clip(write_clip(tmp_path / "b.mp4", 3)) as clip:
        assert clip.info.pixel_aspect == 1


def write_two(path: Path, *, default: int = 0) -> Path:
    """A file of two video streams: 12 numbered frames of 64x48, and 9 of 96x64 whose numbers start at 100."""
    with av.open(str(path), "w") as container:
        streams: list[Any] = []
        for number, (width, height) in enumerate(((64, 48), (96, 64))):
            stream: Any = container.add_stream("libx264", rate=25, options={"bf": "0"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = av.stream.Disposition.default if number == default else av.stream.Disposition(0)
            streams.append(stream)
        for time in range(12):
            for number, stream in enumerate(streams):
                if number == 0 or time < 9:
                    pixels = numbered_frame(time + 100 * number, width=stream.width, height=stream.height)
                    frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
                    frame.pts, frame.time_base = time, Fraction(1, 25)
                    container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_one_of_several_video_streams_is_chosen(tmp_path: Path, name: str) -> None:
    path = write_two(tmp_path / name)
    identities = set()
    for stream, (frames, width, first) in enumerate(((12, 64, 0), (9, 96, 100))):
        with open_clip(path, OpenOptions(stream=stream)) as clip:
            assert (clip.info.stream, clip.info.frames, clip.info.width) == (stream, frames, width)
            assert [number_in(clip.frame(index)) for index in (5, 0, 8)] == [first + 5, first, first + 8]
            assert any("2 video streams" in warning for warning in clip.info.warnings)
            identities.add(clip.identity)
    assert len(identities) == 2
    with pytest.raises(UsageError, match="no video stream 2") as caught:
        open_clip(path, OpenOptions(stream=2))
    assert "0, 1" in caught.value.hint


def test_pictures_have_no_second_stream(tmp_path: Path) -> None:
    write_pictures(tmp_path / "p", 2)
    with pytest.raises(UsageError, match="no video stream 1"):
        open_clip(tmp_path / "p", OpenOptions(stream=1))
    with open_clip(tmp_path / "p", OpenOptions(stream=0)) as clip:
        assert clip.info.frames == 2


@pytest.mark.parametrize("late", [12, -12, 0])
def test_a_start_offset_against_the_sound_is_said(tmp_path: Path, late: int) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number, pixels in enumerate(numbered_frames(10)):
            frame: Any = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = number + 12, Fraction(1, 25)
            container.mux(video.encode(frame))
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, 320 * (number + 12 + late), Fraction(1, 8000)
            container.mux(sound.encode(frame))
        container.mux([*video.encode(None), *sound.encode(None)])
    words = {12: ("The sound starts 0.48 s after the picture.",), -12: ("The sound starts 0.48 s before the picture.",)}
    with open_clip(path) as clip:
        assert clip.info.warnings == words.get(late, ())


def test_an_encrypted_clip_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", 4)

    def encrypted(*_: object, **__: object) -> PacketTable:
        return PacketTable(is_encrypted=True)

    monkeypatch.setattr(video_opening, "scan_packets", encrypted)
    with pytest.raises(ClipError, match=r"“a\.mp4” is encrypted") as caught:
        open_clip(path)
    assert "not damaged" in caught.value.hint


def test_an_animated_webp_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x02" + bytes(9))
    with pytest.raises(ClipError, match="animated WebP") as caught:
        open_clip(path)
    assert "not damaged" in caught.value.hint


def exif(orientation: int, order: str) -> bytes:
    head, sign = (b"II*\0", "<") if order == "little" else (b"MM\0*", ">")
    return head + struct.pack(f"{sign}IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_orientation_in_exif_data(order: str) -> None:
    turns = {1: (0, False), 2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (1, False), 7: (1, True)}
    for number, expected in (turns | {8: (3, False)}).items():
        block = exif(number, order)
        jpeg = b"\xff\xd8\xff\xe0\0\4ab\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
        png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2) + b"IHDRab" + bytes(4)
        png += struct.pack(">I", len(block)) + b"eXIf" + block + bytes(4)
        webp = b"RIFF\0\0\0\0WEBP" + b"VP8X" + struct.pack("<I", 3) + bytes(4)
        webp += b"EXIF" + struct.pack("<I", len(block)) + block
        assert {turns_from_exif(data) for data in (block, jpeg, png, webp)} == {expected}
    for data in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF....WEBP", exif(9, order), exif(1, order)[:9], b"GIF8"):
        assert turns_from_exif(data) is None
