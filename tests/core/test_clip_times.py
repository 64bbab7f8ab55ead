"""When frames are shown: a held last frame, rounded times, dropped frames, and the warning about missing ones."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from helpers.clips import number_in, numbered_frame, write_clip
from videoinr.clip import open_clip
from videoinr.exporting.job import job_for

MS = Fraction(1, 1000)
EVEN = [100 * number for number in range(10)]


def write_timed(
    path: Path, times_ms: Sequence[int], end_ms: int, *, codec: str = "libx264", unit: Fraction = Fraction(1, 1000)
) -> Path:
    """Write a clip whose frames start at ``times_ms``, the last of which ends at ``end_ms``."""
    options = {"bf": "0"} if codec == "libx264" else {"b": "0", "crf": "30"} if "vp9" in codec else {}
    ends = [*times_ms[1:], end_ms]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=1000, options=options)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = unit
        packets: list[av.Packet[Any]] = []
        for number, time in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(numbered_frame(number), "rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = round(time / 1000 / unit), unit
            packets += stream.encode(frame)
        for packet in [*packets, *stream.encode(None)]:
            assert packet.pts is not None
            assert packet.time_base is not None
            number = min(range(len(times_ms)), key=lambda n: abs(times_ms[n] - 1000 * packet.pts * packet.time_base))
            packet.duration = int((ends[number] - times_ms[number]) / (1000 * packet.time_base))
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mov", "mpeg4")]
)
@pytest.mark.parametrize("end_ms", [2900, 1700, 950])
def test_the_last_frame_is_held_as_long_as_the_file_says(tmp_path: Path, name: str, codec: str, end_ms: int) -> None:
    with open_clip(write_timed(tmp_path / name, EVEN, end_ms, codec=codec)) as clip:
        assert [clip.info.fps, clip.info.vfr] == [10, False]
        assert clip.info.duration_secs == Fraction(end_ms, 1000)
        assert clip.info.warnings == ()
        assert clip.timeline.frame_at(Fraction(end_ms, 1000)) == 9


@pytest.mark.parametrize("delays", [[10] * 9 + [300], [10] * 9 + [80], [100, 10]])
def test_the_last_picture_of_a_gif_is_held(tmp_path: Path, delays: list[int]) -> None:
    starts = [10 * sum(delays[:number]) for number in range(len(delays))]
    path = write_timed(tmp_path / "a.gif", starts, 10 * sum(delays), codec="gif", unit=Fraction(1, 100))
    with open_clip(path) as clip:
        assert clip.info.duration_secs == Fraction(sum(delays), 100)
        assert clip.info.warnings == ()


def test_slides_that_end_early(tmp_path: Path) -> None:
    with open_clip(write_timed(tmp_path / "a.mp4", [0, 5000, 10000], 11000)) as clip:
        assert [clip.info.duration_secs, clip.info.fps] == [11, Fraction(1, 5)]


@pytest.mark.parametrize(
    ("times_ms", "end_ms"),
    [([0, 40, 80, 120, 500, 540, 580, 2000, 2040], 5040), ([0, 5000, 10000], 15000), ([0], 5000)],
    ids=["screen recording", "slides", "one picture"],
)
def test_whole_files_are_not_called_cut_off(tmp_path: Path, times_ms: list[int], end_ms: int) -> None:
    with open_clip(write_timed(tmp_path / "a.mkv", times_ms, end_ms)) as clip:
        assert clip.info.duration_secs == Fraction(end_ms, 1000)
        assert clip.info.warnings == ()


def test_sound_that_is_longer_than_the_picture_is_no_loss(tmp_path: Path) -> None:
    for name in ("a.mkv", "a.mp4"):
        with open_clip(write_clip(tmp_path / name, 10, audio_secs=4.0, options={"bf": "0"})) as clip:
            assert [clip.info.duration_secs, clip.info.warnings] == [Fraction(10, 25), ()]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(120)])
@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_times_rounded_to_milliseconds_have_their_rate(tmp_path: Path, rate: Fraction, name: str) -> None:
    times = [round(1000 * number / rate) for number in range(120)]
    codec = "libx264" if name == "a.ts" else "mpeg4"
    with open_clip(write_clip(tmp_path / name, 120, codec=codec, fps=rate, times=times, time_base=MS)) as clip:
        assert [clip.info.fps, clip.info.vfr] == [rate, False]
        assert clip.timeline.frame_time(24) == 24 / rate
        assert clip.info.duration_secs == 120 / rate


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_dropped_frame_leaves_the_rate_and_its_own_time(tmp_path: Path, name: str) -> None:
    numbers = [number for number in range(30) if number != 17]
    path = write_clip(tmp_path / name, 29, codec="mpeg4", times=numbers, time_base=Fraction(1, 30))
    with open_clip(path) as clip:
        assert [clip.info.fps, clip.info.vfr, clip.info.frames] == [30, True, 29]
        assert clip.info.duration_secs == 1
        job = job_for(clip.info, tmp_path / "out.mp4")
        instants = [clip.timeline.instant_from_time(time) for time in job.retiming.times]
        assert job.fps == 30
        assert [number for number, instant in enumerate(instants) if not instant.is_source] == [17]


def test_frames_that_an_avi_leaves_out_leave_the_rate(tmp_path: Path) -> None:
    numbers = [number for number in range(30) if number not in (5, 6, 20)]
    path = write_clip(tmp_path / "a.avi", 27, codec="mpeg4", times=numbers, time_base=Fraction(1, 30), fps=Fraction(30))
    with open_clip(path) as clip:
        assert [clip.info.fps, clip.info.frames, clip.info.duration_secs] == [30, 27, 1]
        assert [number_in(clip.frame(index)) for index in range(27)] == list(range(27))


def test_an_early_first_frame_leaves_the_rate(tmp_path: Path) -> None:
    times = [0, *(round(1000 * number / 30) + 12 for number in range(1, 30))]
    with open_clip(write_clip(tmp_path / "a.mp4", 30, codec="mpeg4", times=times, time_base=Fraction(1, 1000))) as clip:
        assert [clip.info.fps, clip.info.vfr, clip.info.duration_secs] == [30, False, 1]


def test_a_high_speed_clip_is_exported_at_the_highest_rate(tmp_path: Path) -> None:
    with open_clip(write_clip(tmp_path / "a.mp4", 24, codec="libx264", fps=Fraction(1200))) as clip:
        assert clip.info.fps == 1200
        assert job_for(clip.info, tmp_path / "out.mp4").fps == 1000
