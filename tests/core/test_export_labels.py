"""What streams of sound and subtitles are for, their titles, and the clip's tags, in an export."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

import videoinr
from helpers.clicks import write_clicks
from helpers.held_exports import frames_as_they_are, saved_model
from videoinr.exporting.companions import SourceStreams, plan_companions
from videoinr.exporting.sound.choice import SoundChoice, Stretch
from videoinr.exporting.sound.plan import of_its_speed
from videoinr.types import ExportReport

COMMENTARY = ("ger", "Commentary", Disposition.comment)
MAIN = ("eng", "", Disposition.default)
SIGNS = ("eng", "Signs", Disposition.forced)


_held = pytest.fixture(scope="module", autouse=True)(frames_as_they_are)
model = pytest.fixture(scope="module")(saved_model)


def write_labelled(path: Path, plain: Path) -> Path:
    """Write the clip ``plain`` with its sound twice, and a stream of subtitles, each with labels."""
    with av.open(str(write_clicks(plain, range(0, 400, 40), [2], end_msecs=400))) as reader, av.open(path, "w") as out:
        video = out.add_stream_from_template(reader.streams.video[0])
        sounds = [out.add_stream_from_template(reader.streams.audio[0]) for _ in range(2)]
        text: Any = out.add_mux_stream("subrip")
        for stream, (language, title, purposes) in zip([*sounds, text], (COMMENTARY, MAIN, SIGNS), strict=True):
            stream.metadata.update({"language": language, "title": title})
            stream.disposition = purposes
        line: Any = av.Packet(b"a word")
        line.pts, line.dts, line.duration, line.time_base, line.stream = 100, 100, 200, Fraction(1, 1000), text
        packets: list[Any] = [line]
        for packet in reader.demux():
            if packet.size and packet.stream.type == "video":
                packet.stream = video
                packets.append(packet)
            elif packet.size:
                packets += [copy_for(packet, sound) for sound in sounds]
        for packet in sorted(packets, key=lambda each: each.dts * each.time_base):
            out.mux(packet)
    return path


def copy_for(packet: Any, stream: Any) -> Any:
    """Return a copy of ``packet`` for another stream."""
    copy: Any = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.duration, copy.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    copy.is_keyframe, copy.stream = True, stream
    return copy


def labels_of(path: Path) -> list[tuple[str, str, Disposition]]:
    """Language, title and purposes of each stream but the video."""
    with av.open(str(path)) as container:
        return [
            (
                each.metadata["language"],
                each.metadata.get("title") or each.metadata.get("name", ""),
                Disposition(each.disposition),
            )
            for each in container.streams
            if each.type != "video"
        ]


@pytest.mark.parametrize("options", [{}, {"start": Fraction(1, 10)}], ids=["copied", "encoded"])
def test_labels_come_along_through_matroska_and_mp4(tmp_path: Path, model: Path, options: dict[str, Any]) -> None:
    clip = write_labelled(tmp_path / "clip.mkv", tmp_path / "plain.mkv")
    for out in ("out.mkv", "out.mp4", "again.mkv"):
        reports: list[ExportReport] = []
        videoinr.export(clip, tmp_path / out, model=model, device="cpu", scale=1, report=reports.append, **options)
        assert reports[0].sound.startswith("encoded" if options or out == "again.mkv" else "copied")
        assert labels_of(tmp_path / out)[:2] == [COMMENTARY, MAIN], out
        language, _, purposes = labels_of(tmp_path / out)[2]
        assert (language, Disposition.forced in purposes) == ("eng", True), out
        clip = tmp_path / out


@pytest.mark.parametrize("muxer", ["matroska", "mp4"])
def test_tags_of_the_clips_file_stay_there(muxer: str) -> None:
    tags = (("title", "a"), ("material_package_umid", "0x06"), ("uid", "b"))
    source = SourceStreams(Path("clip.mxf"), "mxf", Fraction(0), (), (), (), tags, ())
    kept = plan_companions(
        source, SoundChoice.KEEP, Stretch(Fraction(0), True, Fraction(1)), muxer=muxer, video_encoder="libx264"
    )
    assert kept.tags == (("title", "a"),)
    assert kept.dropped == ()


def test_speeds_are_said_in_words() -> None:
    assert of_its_speed(Fraction(1, 4)) == "1/4 of its speed"
    assert of_its_speed(Fraction(16)) == "16 times its speed"
