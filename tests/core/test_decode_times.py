"""Packets that an encoder gives without decode times, or with wrong ones, still make a file that plays."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers.clips import flat_yuv_frame, number_in, numbered_frame, write_clip
from helpers.killed_exports import assert_same_frames
from helpers.slow_renderer import SlowRenderer
from videoinr.errors import ExportError
from videoinr.exporting import packet_file
from videoinr.exporting.decode_times import decode_times, mend_decode_times, mux_frames
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.packet_file import Numbers, PacketFile
from videoinr.exporting.video_mux import VideoParts


def packets(times: list[tuple[int | None, int | None]]) -> list[av.Packet[Any]]:
    """Packets with (dts, pts)."""
    made = []
    for dts, pts in times:
        packet: av.Packet[Any] = av.Packet(b"data")
        packet.dts, packet.pts = dts, pts
        made.append(packet)
    return made


@pytest.mark.parametrize("shown", [[], [0], [7], *permutations(range(4)), [0, 300, 100, 200, 900]])
def test_decode_times_increase_and_none_lies_after_the_showing(shown: list[int]) -> None:
    times = decode_times(shown)
    assert all(dts <= pts for dts, pts in zip(times, shown, strict=True))
    assert all(before < after for before, after in pairwise(times))
    assert not shown or any(dts == pts for dts, pts in zip(times, shown, strict=True)), "no later than needed"


def test_times_that_will_do_are_kept() -> None:
    made = packets([(-3, 0), (-1, 2), (0, 1)])
    mend_decode_times(made)
    assert [packet.dts for packet in made] == [-3, -1, 0]


@pytest.mark.parametrize(
    "dts", [(None, None, None), (0, 1, None), (1, 2, 3), (0, 0, 1), (0, 2, 1), (5, 6, 7), (-5002, -5001, -5000)],
)  # fmt: skip
def test_others_are_made_anew(dts: tuple[int | None, ...]) -> None:
    made = packets(list(zip(dts, (0, 2, 1), strict=True)))
    mend_decode_times(made)
    assert [packet.dts for packet in made] == [-1, 0, 1]


@pytest.mark.parametrize("pts", [(0, None), (1, 1)])
def test_a_packet_without_a_time_of_its_own_is_an_error(pts: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match="do not say when"):
        mend_decode_times(packets([(None, each) for each in pts]))


class Stream:
    """A stream whose encoder gives the decode times ``spoilt`` makes of its own."""

    def __init__(self, stream: Any, spoilt: Any) -> None:
        self._stream, self._spoilt = stream, spoilt

    def encode(self, frame: av.VideoFrame | None) -> list[av.Packet[Any]]:
        made = self._stream.encode(frame)
        for packet in made:
            packet.dts = self._spoilt(packet)
        return list(made)


SPOILT: dict[str, Callable[[av.Packet[Any]], int | None]] = {
    "none": lambda packet: None,
    "late": lambda packet: (packet.pts or 0) + 1,
    "same": lambda packet: 0,
    "wild": lambda packet: (packet.dts or 0) - 85_569_698_610_020_656,
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx265"), ("a.mp4", "libx264")])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_all_frames_of_such_an_encoder_are_written(
    tmp_path: Path, name: str, codec: str, count: int, spoilt: str
) -> None:
    fps = Fraction(30)
    with av.open(str(tmp_path / name), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = 1 / fps
        stream.codec_context.options = {"bf": "2", "x265-params": "log-level=error:bframes=2"}
        shades = (flat_yuv_frame((40 + 20 * number, 128, 128), "yuv420p") for number in range(count))
        mux_frames(container, Stream(stream, SPOILT[spoilt]), shades, fps)
    with av.open(str(tmp_path / name)) as container:
        shown = [(round(frame.time * fps), frame.to_ndarray()[:48].mean()) for frame in container.decode(video=0)]
    assert [time for time, _ in shown] == list(range(count))
    assert [round((luma - 40) / 20) for _, luma in shown] == list(range(count))


@pytest.mark.parametrize("spoilt", SPOILT)
def test_an_export_does_not_depend_on_the_encoders_decode_times(
    tmp_path: Path, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 30)
    engine = SlowRenderer(clip)
    export_job(job_for(engine.opened.info, tmp_path / "whole.mp4"), engine)
    bytes_of = packet_file.PacketWriter.add

    def add(self: packet_file.PacketWriter, packet: Any) -> None:
        packet.dts = SPOILT[spoilt](packet)
        bytes_of(self, packet)

    monkeypatch.setattr(packet_file.PacketWriter, "add", add)
    export_job(job_for(engine.opened.info, tmp_path / "spoilt.mp4"), engine)
    assert_same_frames(tmp_path / "spoilt.mp4", tmp_path / "whole.mp4")


def test_a_share_of_such_packets_starts_at_its_own_first_frame(tmp_path: Path) -> None:
    for name, first in (("first", 0), ("later", 96)):
        writer = packet_file.PacketWriter(tmp_path / name, {})
        for packet in packets([(None, first), (None, first + 2), (None, first + 1)]):
            writer.add(packet)
        writer.finish({}, tmp_path / name)
        parts = VideoParts([PacketFile(tmp_path / name)], 3)
        assert parts.delay == 1
        assert parts.first == first


def test_a_wild_decode_time_delays_no_file(tmp_path: Path) -> None:
    writer = packet_file.PacketWriter(tmp_path / "a", {})
    for packet in packets([(-5000, 0), (-4999, 1)]):
        writer.add(packet)
    writer.finish({}, tmp_path / "a")
    assert PacketFile(tmp_path / "a").packets[0] == Numbers(0, -5000, 4, is_key=False)
    assert VideoParts([PacketFile(tmp_path / "a")], 2).delay == 0


def test_a_packet_without_a_time_of_showing_ends_an_export_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, add = SlowRenderer(write_clip(tmp_path / "clip.mp4", 8)), packet_file.PacketWriter.add

    def without(self: packet_file.PacketWriter, packet: Any) -> None:
        packet.pts = None
        add(self, packet)

    monkeypatch.setattr(packet_file.PacketWriter, "add", without)
    with pytest.raises(ExportError, match="does not say when it is shown") as caught:
        export_job(job_for(engine.opened.info, tmp_path / "out.mp4"), engine)
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_clips_of_one_and_two_frames_can_be_written_in_ten_bits(tmp_path: Path) -> None:
    for count in (1, 2, 3):
        path = write_clip(
            tmp_path / f"{count}.mkv", count, codec="libx265", pix_fmt="yuv420p10le",
            options={"x265-params": "log-level=error"},
        )  # fmt: skip
        with av.open(str(path)) as container:
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert [number_in(picture.astype(np.uint8)) for picture in pictures] == list(range(count))
    assert numbered_frame(0).shape == (48, 64, 3)
