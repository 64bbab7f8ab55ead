"""The order of frames: containers without times, joined recordings, and the packets at which counting can start."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from helpers.clips import number_in, numbered_frame, remux, write_clip
from videoinr.clip import open_clip, video_clip
from videoinr.clip.closed_groups import starts_closed_group
from videoinr.clip.video_clip import VideoClip

X264 = "scenecut=0:b-adapt=0"
FIXED_B = {"bf": "2", "g": "12", "x264-params": X264}


def late_b_frames(path: Path, options: dict[str, str], count: int = 40, first_b: int = 16) -> Path:
    """A clip whose first frames are all references; B-frames come later."""

    def frames() -> list[av.VideoFrame]:
        made = []
        for number in range(count):
            rgb = av.VideoFrame.from_ndarray(numbered_frame(number), "rgb24")
            frame = rgb.reformat(format="yuv420p")
            if number < first_b:
                frame.pict_type = PictureType.I if number == 0 else PictureType.P
            made.append(frame)
        return made

    return write_clip(path, frames(), options=options)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_clip, "DECODED_BYTES", 0)
    monkeypatch.setattr(video_clip, "PICTURE_BYTES", 0)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    "options",
    [
        FIXED_B,
        FIXED_B | {"g": "250"},
        FIXED_B | {"bf": "3", "x264-params": f"{X264}:b-pyramid=normal"},
        FIXED_B | {"x264-params": f"{X264}:open-gop=1"},
    ],
    ids=["short groups", "one group", "pyramid", "open groups"],
)
@pytest.mark.parametrize("first_b", [0, 16])
def test_frames_of_h264_in_avi_are_shown_in_the_decoders_order(
    tmp_path: Path, options: dict[str, str], first_b: int
) -> None:
    path = late_b_frames(tmp_path / "a.avi", options, first_b=first_b)
    with open_clip(path) as clip:
        assert [clip.info.fps, clip.info.frames] == [25, 40]
        assert [number_in(clip.frame(index)) for index in range(40)] == list(range(40))
        order = np.random.default_rng(2).permutation(40).tolist()
        assert [number_in(clip.frame(index)) for index in order] == order


def test_times_of_packets_that_hide_reordering_are_not_believed(tmp_path: Path) -> None:
    source = late_b_frames(tmp_path / "a.mkv", FIXED_B)
    path = tmp_path / "b.mkv"
    with av.open(str(source)) as reader, av.open(str(path), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for number, packet in enumerate(each for each in reader.demux(video=0) if each.size):
            packet.pts = packet.dts = 40 * number
            packet.stream = stream
            writer.mux(packet)
    with open_clip(path) as clip:
        assert [number_in(clip.frame(index)) for index in (*range(40), 20, 5, 33)] == [*range(40), 20, 5, 33]


@pytest.mark.usefixtures("forgetful")
def test_counting_starts_at_the_nearest_closed_group(tmp_path: Path) -> None:
    with open_clip(late_b_frames(tmp_path / "a.avi", FIXED_B, count=200)) as clip:
        assert isinstance(clip, VideoClip)
        assert clip.info.warnings == ()
        steps = 0
        step = clip._open_file().step

        def counted() -> object:
            nonlocal steps
            steps += 1
            return step()

        clip._open_file().step = counted  # type: ignore[method-assign, assignment]
        for index in (190, 100, 10, 150):
            assert number_in(clip.frame(index)) == index
        # From the start it would take 450; after each jump, every thread of the decoder first takes a packet.
        assert steps < 100 + 4 * (os.cpu_count() or 1)


def test_a_long_clip_that_cannot_be_counted_from_its_middle_says_so(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.h264", 20, options=FIXED_B)
    with open_clip(path) as clip:
        assert any("counted from the start" in warning for warning in clip.info.warnings)
        assert [number_in(clip.frame(index)) for index in range(20)] == list(range(20))


@pytest.mark.parametrize("first", [6, 20, 60])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_joined_transport_streams_keep_both_parts(tmp_path: Path, first: int, codec: str) -> None:
    parts = [
        write_clip(tmp_path / name, [numbered_frame(n) for n in numbers], codec=codec, options={"g": "6", "bf": "0"})
        for name, numbers in (("a.ts", range(first)), ("b.ts", range(first, first + 30)))
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_clip(path) as clip:
        assert [clip.info.frames, clip.info.fps] == [first + 30, 25]
        assert [number_in(clip.frame(index)) for index in range(clip.info.frames)] == list(range(first + 30))
        assert any("joined" in warning for warning in clip.info.warnings)
        assert abs(clip.info.duration_secs - Fraction(first + 30, 25)) <= Fraction(1, 25)


def units(*kinds: int, lengths: bool) -> bytes:
    bodies = [bytes([kind, 0, 9, 9]) for kind in kinds]
    return b"".join((len(body).to_bytes(4, "big") if lengths else b"\0\0\1") + body for body in bodies)


@pytest.mark.parametrize("lengths", [True, False], ids=["lengths", "start codes"])
def test_idr_pictures_are_recognised(lengths: bool) -> None:
    for codec, kinds, closed in (
        ("h264", (0x67, 0x68, 0x65), True),
        ("h264", (0x67, 0x06, 0x41), False),
        ("hevc", (32 << 1, 33 << 1, 19 << 1), True),
        ("hevc", (32 << 1, 33 << 1, 21 << 1), False),
        ("mpeg4", (0x65,), False),
    ):
        assert starts_closed_group(units(*kinds, lengths=lengths), codec) is closed
    assert not starts_closed_group(b"", "h264")


def test_a_packet_without_a_picture_starts_nothing(tmp_path: Path) -> None:
    path = remux(write_clip(tmp_path / "a.mp4", 6), tmp_path / "b.mkv", lambda _, data: data)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [starts_closed_group(packet, "h264") for packet in packets] == [True, *[False] * 5]
