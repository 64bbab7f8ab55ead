"""Files that end before their own structure does are said to be cut off; whole files are not."""

from pathlib import Path
from typing import Any

import av
import pytest

from helpers.clips import numbered_frame, write_clip
from videoinr.clip import open_clip
from videoinr.clip.early_end import ends_early, lacks_index
from videoinr.errors import ClipError

FORMATS: dict[str, dict[str, Any]] = {
    "a.mkv": {},
    "a.webm": {"codec": "libvpx-vp9"},
    "a.mp4": {"container_options": {"movflags": "faststart"}},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov+delay_moov"}},
    "a.avi": {"codec": "mpeg4"},
    "a.flv": {},
    "a.wmv": {"codec": "wmv2"},
    "a.ogv": {"codec": "libvpx"},
    "a.mxf": {"codec": "mpeg2video"},
    "a.y4m": {"codec": "wrapped_avframe"},
    "a.ivf": {"codec": "libvpx"},
    "a.gif": {"codec": "gif", "pix_fmt": "rgb8"},
    "a.apng": {"codec": "apng", "pix_fmt": "rgb24"},
    "a.ts": {},
    "a.m2ts": {},
    "a.mpg": {"codec": "mpeg2video"},
    "a.vob": {"codec": "mpeg2video"},
    "a.dv": {"codec": "dvvideo", "pix_fmt": "yuv420p"},
    "a.mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}


DEMUXERS = (
    "matroska,webm",
    "mov,mp4,m4a,3gp,3g2,mj2",
    "avi",
    "flv",
    "asf",
    "ogg",
    "mxf",
    "yuv4mpegpipe",
    "ivf",
    "gif",
    "apng",
    "mpegts",
    "mpeg",
    "dv",
    "mjpeg",
)


def write(folder: Path, name: str) -> Path:
    frames = 12
    if name == "a.y4m":
        picture = bytes(64 * 48 * 3 // 2)
        path = folder / name
        path.write_bytes(b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + picture) * frames)
        return path
    width, height = (720, 576) if name == "a.dv" else (160, 96)
    pictures = [numbered_frame(number, width=width, height=height) for number in range(frames)]
    return write_clip(
        folder / name, pictures, options={} if name in ("a.gif", "a.apng") else {"g": "6"}, **FORMATS[name]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_only_a_file_that_is_cut_off_is_said_to_be_so(tmp_path: Path, name: str) -> None:
    whole = write(tmp_path, name)
    with open_clip(whole) as clip:
        assert clip.info.frames == 12
        assert not [each for each in clip.info.warnings if "cut off" in each]
    short = tmp_path / f"short_{name}"
    size = whole.stat().st_size
    # A cut between two frames of an IVF cannot be told, and where they lie differs from one processor to another.
    short.write_bytes(whole.read_bytes()[: size - 5 if name == "a.ivf" else int(size * 0.87)])
    with open_clip(short) as clip:
        assert clip.info.frames <= 12
        assert [each for each in clip.info.warnings if "cut off" in each]


@pytest.mark.parametrize("missing", range(1, 40))
def test_an_ivf_may_end_within_the_header_of_a_frame(tmp_path: Path, missing: int) -> None:
    frames = [bytes([20 + number]) * (20 + number) for number in range(4)]
    head = b"DKIF" + (0).to_bytes(2, "little") + (32).to_bytes(2, "little") + bytes(24)
    whole = head + b"".join(len(frame).to_bytes(4, "little") + bytes(8) + frame for frame in frames)
    path = tmp_path / "a.ivf"
    path.write_bytes(whole)
    assert not ends_early(path, "ivf", [])
    path.write_bytes(whole[:-missing])
    assert ends_early(path, "ivf", []) == (missing != 12 + len(frames[-1]))


@pytest.mark.parametrize("count", [0, 3, 11, 40])
def test_no_length_of_a_file_is_an_error(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(1, 1 + count)))
    for name in DEMUXERS:
        assert ends_early(path, name, [1]) in (True, False)
    assert not ends_early(tmp_path / "gone", "avi", [1])
    assert not ends_early(path, "nut", [1])


@pytest.mark.parametrize(("name", "step"), [("a.ts", 188), ("a.m2ts", 192)])
def test_a_transport_stream_is_cut_off_within_a_packet_alone(tmp_path: Path, name: str, step: int) -> None:
    data, path = write(tmp_path, name).read_bytes(), tmp_path / "short"
    assert len(data) % step == 0
    for count in (-1, -step + 1, -step // 2, -3 * step - 7):
        path.write_bytes(data[:count])
        assert ends_early(path, "mpegts", [])
    for whole in (data[:-step], data[7:], data + bytes(40), data[: 3 * step + 10]):
        path.write_bytes(whole)
        assert not ends_early(path, "mpegts", [])


@pytest.mark.parametrize("pack", [b"\x44" + bytes(8) + b"\xf8", b"\x21" + bytes(7)], ids=["MPEG-2", "MPEG-1"])
def test_a_program_stream_is_cut_off_within_a_packet_alone(tmp_path: Path, pack: bytes) -> None:
    path, start = tmp_path / "a", b"\0\0\x01"
    # The packet of sound holds what looks like the header of a pack.
    packets = [
        start + b"\xba" + pack,
        start + b"\xc0\0\x12" + b"so" + start + b"\xba" + bytes(12),
        start + b"\xe0\0\x09" + bytes(9),
    ]
    ends = {sum(map(len, packets[:count])) for count in range(1, 4)}
    data = b"".join(packets)
    for count in range(4, len(data) + 1):
        path.write_bytes(data[:count])
        assert ends_early(path, "mpeg", []) == (count not in ends), count
    for appended in (start + b"\xb9", bytes(50), b"\xff" * 50):
        path.write_bytes(data + appended)
        assert not ends_early(path, "mpeg", [])


def test_pictures_without_a_mark_at_their_end_may_be_whole(tmp_path: Path) -> None:
    path, picture = tmp_path / "a", b"\xff\xd8picture"
    path.write_bytes(picture * 3)
    assert not ends_early(path, "mjpeg", [len(picture)] * 3)
    marked = picture + b"\xff\xd9"
    for data, is_cut in ((marked * 3, False), (marked * 3 + bytes(20), False), (marked * 2 + picture, True)):
        path.write_bytes(data)
        assert ends_early(path, "mjpeg", [len(marked)] * 3) == is_cut


def test_a_recording_in_matroska_that_was_not_finished_is_not_known_to_be_cut_off(tmp_path: Path) -> None:
    data = write(tmp_path, "a.mkv").read_bytes()
    place = data.index(bytes.fromhex("18538067")) + 4
    path = tmp_path / "b.mkv"
    path.write_bytes(data[:place] + b"\x01" + b"\xff" * 7 + data[place + 8 :])
    assert not ends_early(path, "matroska,webm", [])


@pytest.mark.parametrize(
    ("name", "appended"),
    [
        ("a.mp4", b"\x00\x00\x40\x0a\x0e\x00\x00\x00Image_UTC_Data1700000000000SEFT"),
        ("a.mp4", bytes(64)),
        ("a.apng", b"a comment"),
        ("a.gif", b"a comment"),
        ("a.flv", bytes(4)),
    ],
)
def test_data_behind_the_end_of_a_file_are_no_cut(tmp_path: Path, name: str, appended: bytes) -> None:
    path = write(tmp_path, name)
    path.write_bytes(path.read_bytes() + appended)
    with open_clip(path) as clip:
        assert clip.info.frames == 12
        assert not [each for each in clip.info.warnings if "cut off" in each]


def test_an_ogg_file_may_end_with_an_empty_page(tmp_path: Path) -> None:
    path = write(tmp_path, "a.ogv")
    data = path.read_bytes()
    page = data.rfind(b"OggS")
    empty = b"OggS\0\4" + data[page + 6 : page + 18] + bytes(9)
    path.write_bytes(data + empty)
    assert not ends_early(path, "ogg", [])
    for count in (4, 26):
        path.write_bytes(data + empty[:count])
        assert ends_early(path, "ogg", [])


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_recording_without_its_index_is_not_called_damaged(tmp_path: Path, name: str) -> None:
    whole = write_clip(tmp_path / name, 12)
    data = whole.read_bytes()
    assert not lacks_index(whole)
    path = tmp_path / f"short_{name}"
    path.write_bytes(data[: data.index(b"moov") - 40])
    with pytest.raises(ClipError, match="was cut off before its index") as caught:
        open_clip(path)
    assert "Copy the file again." in caught.value.hint
    assert not lacks_index(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("flac", "flac"), ("aiff", "pcm_s16be"), ("aac", "aac")],
)
def test_sound_is_not_called_damaged(tmp_path: Path, suffix: str, codec: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with av.open(path, "w") as container:
        stream: Any = container.add_stream(codec, rate=44100, layout="mono")
        for packet in (*stream.encode(silence()), *stream.encode(None)):
            container.mux(packet)
    with pytest.raises(ClipError, match="holds only sound") as caught:
        open_clip(path)
    assert caught.value.hint == "Choose a file with video."


@pytest.mark.parametrize("data", [b"\xff" * 500, b"\xff\xfe" + b"\0\xd8" * 250], ids=["erased", "UTF-16"])
def test_bytes_that_are_no_header_of_sound_are_not_called_sound(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(ClipError, match="can't be read as video"):
        open_clip(path)


def silence() -> av.AudioFrame:
    frame = av.AudioFrame("s16", "mono", 4096)
    frame.planes[0].update(bytes(8192))
    frame.rate = 44100
    return frame
