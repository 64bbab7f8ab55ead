"""Sound of an export: in sync within a millisecond, of exact length, at any speed; and what is left out is said."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

import videoinr
from helpers.clicks import TONE_HZ, readers, write_clicks
from helpers.command_line import run_here
from helpers.held_exports import frames_as_they_are, saved_model
from helpers.held_frames import HeldFrames
from videoinr.clip import open_clip
from videoinr.errors import UsageError
from videoinr.exporting.companions import read_streams_of
from videoinr.exporting.export import export_job
from videoinr.exporting.job import job_for
from videoinr.exporting.sound.choice import SoundChoice, Stretch
from videoinr.exporting.sound.coder import coding_for
from videoinr.exporting.sound.facts import SoundFacts
from videoinr.exporting.sound.plan import plan_sound
from videoinr.exporting.subtitles import plan_subtitles
from videoinr.exporting.track_labels import TrackLabels
from videoinr.types import ExportReport

CONSTANT = list(range(0, 1200, 40))
VARIABLE = [t for t in CONSTANT if t % 200 in (0, 40) or 400 <= t < 600]
"""Frames of 40 ms and of 160 ms in turn. Before each flash comes one of 40 ms."""
FLASH_MSECS = (240, 640, 1040)
TOLERANCE_SECS = 0.001


_held = pytest.fixture(scope="module", autouse=True)(frames_as_they_are)
model = pytest.fixture(scope="module")(saved_model)


def clip_of(path: Path, times: list[int] = CONSTANT, **options: Any) -> Path:
    return write_clicks(path, times, [times.index(time) for time in FLASH_MSECS], end_msecs=1200, **options)


def export(clip: Path, out: Path, model: Path, **options: Any) -> ExportReport:
    reports: list[ExportReport] = []
    videoinr.export(clip, out, scale=1, model=model, device="cpu", report=reports.append, **options)
    return reports[0]


def assert_in_sync(path: Path, expected_secs: list[float]) -> None:
    for reader in readers():
        flashes, clicks = reader(path)
        np.testing.assert_allclose(flashes, expected_secs, atol=TOLERANCE_SECS, err_msg=f"flashes, {reader.__name__}")
        np.testing.assert_allclose(clicks, flashes, atol=TOLERANCE_SECS, err_msg=f"clicks, {reader.__name__}")


def duration_of(path: Path) -> tuple[float, float]:
    """The duration of the file, and the number of sound samples by their packets over the rate, seconds."""
    with av.open(str(path)) as container:
        duration = (container.duration or 0) / av.time_base
        stream = container.streams.audio[0]
        packets = [p for p in container.demux(stream) if p.size and p.pts is not None]
        end = max(float(((p.pts or 0) + (p.duration or 0)) * p.time_base) for p in packets)
    return duration, end


@pytest.mark.parametrize("times", [CONSTANT, VARIABLE], ids=["constant", "variable"])
@pytest.mark.parametrize(
    ("source", "sound", "out", "how"),
    [
        ("clip.mp4", "aac", "out.mp4", "copied (aac)"),
        ("clip.mp4", "aac", "out.mkv", "encoded as Opus"),
        ("clip.mp4", "aac", "out.mov", "copied (aac)"),
        ("clip.mkv", "aac", "out.mp4", "copied (aac)"),
        ("clip.mkv", "aac", "out.mkv", "copied (aac)"),
        ("clip.mkv", "libopus", "out.webm", "copied (opus)"),
        ("clip.mkv", "libopus", "out.mp4", "copied (opus)"),
        ("clip.mkv", "flac", "out.mp4", "copied (flac)"),
        ("clip.mov", "pcm_s16le", "out.mp4", "encoded as AAC"),
        ("clip.mov", "pcm_s16le", "out.webm", "encoded as Opus"),
        ("clip.mkv", "libmp3lame", "out.mkv", "copied (mp3)"),
    ],
)
def test_clicks_are_at_the_flashes(
    tmp_path: Path, model: Path, times: list[int], source: str, sound: str, out: str, how: str
) -> None:
    report = export(clip_of(tmp_path / source, times, sound=sound), tmp_path / out, model, fps=25)
    assert report.sound.startswith(how)
    assert report.dropped == ()
    assert_in_sync(tmp_path / out, [time / 1000 for time in FLASH_MSECS])
    duration, end = duration_of(tmp_path / out)
    assert duration == pytest.approx(1.2, abs=1e-4)
    assert end == pytest.approx(1.2, abs=0.001 if Path(out).suffix in (".mp4", ".mov") else 0.03)


@pytest.mark.parametrize(("encoder", "is_deep", "coded"), [
    ("dnxhd", False, "pcm_s16le"), ("dnxhd", True, "pcm_s24le"), ("prores_ks", False, "pcm_s16le"),
    ("libx264", False, "aac"),
])  # fmt: skip
def test_formats_of_editing_have_the_sound_that_every_editor_reads(encoder: str, is_deep: bool, coded: str) -> None:
    sound = SoundFacts(0, "flac", 48000, "stereo", 2, None, True, is_deep, TrackLabels((), Disposition(0)))
    assert coding_for("mov", encoder, sound).encoder == coded


@pytest.mark.parametrize(("choice", "how"), [
    ("keep", "encoded as PCM, because not every editing program reads aac there"), ("copy", "copied (aac)"),
])  # fmt: skip
def test_a_whole_clip_for_editing_has_the_sound_that_every_editor_reads(
    tmp_path: Path, model: Path, choice: Any, how: str
) -> None:
    clip, out = clip_of(tmp_path / "clip.mp4", sound="aac"), tmp_path / "out.mov"
    report = export(clip, out, model, fps=25, codec="prores", sound=choice)
    assert report.sound.startswith(how)
    assert_in_sync(out, [time / 1000 for time in FLASH_MSECS])


def test_pcm_is_copied_into_a_file_for_editing() -> None:
    sound = SoundFacts(0, "pcm_s24le", 48000, "stereo", 2, None, True, True, TrackLabels((), Disposition(0)))
    whole = Stretch(Fraction(0), True, Fraction(1))
    (planned,) = plan_sound(
        (sound,), SoundChoice.KEEP, whole, container="mov", origin_secs=Fraction(0), muxer="mov",
        video_encoder="prores_ks",
    )  # fmt: skip
    assert planned.coding is None


@pytest.mark.parametrize(("sound", "rate"), [("libopus", 48000), ("ac3", 44100)])
def test_a_copy_holds_each_packet_at_its_time(tmp_path: Path, model: Path, sound: str, rate: int) -> None:
    """The first packet lies before the picture by the encoder's delay, which the file rounds to milliseconds."""
    clip = clip_of(tmp_path / "clip.mkv", sound=sound, rate=rate)
    report = export(clip, tmp_path / "out.mkv", model, fps=25)
    assert report.sound.startswith("copied")
    assert sound_packets(tmp_path / "out.mkv") == sound_packets(clip)[: len(sound_packets(tmp_path / "out.mkv"))]


def sound_packets(path: Path) -> list[tuple[int, bytes]]:
    """The time, milliseconds after the first, and the contents of each packet of sound."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        assert {packet.time_base for packet in packets} == {Fraction(1, 1000)}
        return [((packet.pts or 0) - (packets[0].pts or 0), bytes(packet)) for packet in packets]


@pytest.mark.parametrize("out", ["out.mp4", "out.mkv", "out.webm", "out.mov"])
@pytest.mark.parametrize("late_msecs", [0, 1400])
def test_a_segment_is_cut_to_the_sample(tmp_path: Path, model: Path, out: str, late_msecs: int) -> None:
    clip = clip_of(tmp_path / "clip.mkv", VARIABLE, late_msecs=late_msecs, rate=44100)
    codec = "prores" if out == "out.mov" else None
    report = export(clip, tmp_path / out, model, fps=25, start=Fraction(2, 5), end=Fraction(11, 10), codec=codec)
    assert report.sound.startswith("encoded")
    assert_in_sync(tmp_path / out, [0.24, 0.64])
    assert duration_of(tmp_path / out)[0] == pytest.approx(18 / 25, abs=1e-4)


@pytest.mark.parametrize(
    ("speed", "out"), [("1/4", "out.mp4"), ("1/2", "out.mkv"), ("2", "out.mp4"), ("1/4", "out.mov")]
)
def test_another_speed_keeps_the_pitch_and_moves_clicks_by_as_much(
    tmp_path: Path, model: Path, speed: str, out: str
) -> None:
    factor = 1 / float(Fraction(speed))
    clip = clip_of(tmp_path / "clip.mp4", tone=0.05)
    report = export(clip, tmp_path / out, model, fps=25, start=Fraction(1, 5), speed=Fraction(speed))
    assert "with its pitch kept" in report.sound
    expected = [(time / 1000 - 0.2) * factor for time in FLASH_MSECS]
    for reader in readers():
        np.testing.assert_allclose(reader(tmp_path / out)[1], expected, atol=TOLERANCE_SECS)
    assert frequency_of(tmp_path / out) == pytest.approx(TONE_HZ, rel=0.01)
    with av.open(str(tmp_path / out)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert duration_of(tmp_path / out)[0] == pytest.approx(frames / 25, abs=1e-4)


def frequency_of(path: Path) -> float:
    """The strongest frequency of the sound between 100 Hz and 2 kHz."""
    with av.open(str(path)) as container:
        pieces = [frame.to_ndarray().astype(float).reshape(-1) for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].codec_context.sample_rate
    signal = np.concatenate(pieces)
    power = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    frequencies = np.fft.rfftfreq(len(signal), 1 / rate)
    power[(frequencies < 100) | (frequencies > 2000)] = 0
    return float(frequencies[np.argmax(power)])


def test_lossless_video_has_the_samples_of_the_clip(tmp_path: Path, model: Path) -> None:
    clip = clip_of(tmp_path / "clip.mov", sound="pcm_s16le", tone=0.3)
    export(clip, tmp_path / "out.mkv", model, codec="ffv1", fps=25, start=Fraction(1, 5), end=1)
    with av.open(str(clip)) as source, av.open(str(tmp_path / "out.mkv")) as written:
        before, after = (
            np.concatenate([f.to_ndarray().reshape(-1) for f in each.decode(audio=0)]) for each in (source, written)
        )
    np.testing.assert_array_equal(after, before[9600:48000])


def test_sound_that_ends_early_or_late(tmp_path: Path, model: Path) -> None:
    for end_msecs in (700, 2400):
        clip = clip_of(tmp_path / f"{end_msecs}.mp4", sound_end_msecs=end_msecs) if end_msecs > 1200 else write_clicks(
            tmp_path / "700.mp4", CONSTANT, [CONSTANT.index(240)], end_msecs=1200, sound_end_msecs=end_msecs
        )  # fmt: skip
        for sound in ("keep", "encode"):
            out = tmp_path / f"{end_msecs}-{sound}.mp4"
            export(clip, out, model, fps=25, sound=sound)
            duration, end = duration_of(out)
            assert duration == pytest.approx(1.2, abs=1e-4)
            assert end <= 1.2001


def test_none_copy_and_encode(tmp_path: Path, model: Path) -> None:
    clip = clip_of(tmp_path / "clip.mp4")
    none = export(clip, tmp_path / "none.mp4", model, fps=25, end=Fraction(1, 5), sound="none")
    assert (none.sound, none.dropped) == ("", ("the sound, as asked",))
    with av.open(str(tmp_path / "none.mp4")) as container:
        assert not container.streams.audio
    assert export(clip, tmp_path / "encode.mp4", model, fps=25, sound="encode").sound == "encoded as AAC"
    assert_in_sync(tmp_path / "encode.mp4", [time / 1000 for time in FLASH_MSECS])
    with pytest.raises(UsageError, match="cannot be copied: it plays at another speed"):
        export(clip, tmp_path / "slow.mp4", model, speed=0.5, sound="copy")
    with pytest.raises(UsageError, match="no way"):
        export(clip, tmp_path / "slow.mp4", model, sound="loud")
    export(clip, tmp_path / "copy.mp4", model, fps=25, start=Fraction(2, 5), sound="copy")
    assert_in_sync(tmp_path / "copy.mp4", [0.24, 0.64])


def test_what_is_left_out_is_said_before_the_start_and_in_the_result(tmp_path: Path, model: Path) -> None:
    clip = clip_of(tmp_path / "clip.mp4")
    options = ("--scale", "1", "--fps", "5", "--model", model, "--device", "cpu", "--json-progress")
    outcome = run_here("export", clip, tmp_path / "out.mp4", "--sound", "none", *options)
    assert "note: Left out: the sound, as asked." in outcome.stderr
    finished = json.loads(outcome.stdout.splitlines()[-1])
    assert finished["dropped"] == ["the sound, as asked"]
    assert (finished["sound"], finished["frames"]) == ("", 6)


def write_companions(path: Path, source: Path) -> Path:
    """Write a clip with a subtitle, chapters and tags; the video and the sound are those of ``source``."""
    with av.open(str(source)) as reader, av.open(str(path), "w") as writer:
        video = writer.add_stream_from_template(reader.streams.video[0])
        sound = writer.add_stream_from_template(reader.streams.audio[0])
        writer.metadata.update({"title": "Clicks", "artist": "nobody", "LENS": "50 mm"})
        chapters: Any = [
            {"id": 0, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}},
            {"id": 1, "start": 400, "end": 1200, "time_base": Fraction(1, 1000), "metadata": {"title": "two"}},
        ]
        writer.set_chapters(chapters)
        text: Any = writer.add_mux_stream("subrip")
        writer.start_encoding()
        line: Any = av.Packet(b"a word")
        line.pts = line.dts = 600
        line.duration, line.time_base, line.stream = 300, Fraction(1, 1000), text
        packets = [packet for packet in reader.demux() if packet.size]
        for packet in packets:
            packet.stream = video if packet.stream.type == "video" else sound
        for packet in sorted([*packets, line], key=lambda each: each.dts * each.time_base):
            writer.mux(packet)
    return path


def chapters_of(container: Any) -> list[tuple[Fraction, Fraction]]:
    """The (start, end) of each chapter, seconds."""
    return [(each["start"] * each["time_base"], each["end"] * each["time_base"]) for each in container.chapters()]


def test_subtitles_chapters_and_tags(tmp_path: Path, model: Path) -> None:
    clip = write_companions(tmp_path / "clip.mkv", clip_of(tmp_path / "plain.mkv"))
    report = export(clip, tmp_path / "out.mkv", model, fps=25, start=Fraction(2, 5), speed=Fraction(1, 2))
    assert report.dropped == ()
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert {name: container.metadata[name] for name in ("title", "ARTIST", "LENS")} == {
            "title": "Clicks", "ARTIST": "nobody", "LENS": "50 mm"
        }  # fmt: skip
        (chapter,) = chapters_of(container)
        assert chapter == (Fraction(0), Fraction(8, 5))
        (line,) = [packet for packet in container.demux(subtitles=0) if packet.size]
        assert (bytes(line), (line.pts or 0) * line.time_base, (line.duration or 0) * line.time_base) == (
            b"a word", Fraction(2, 5), Fraction(3, 5)
        )  # fmt: skip
    report = export(clip, tmp_path / "out.mp4", model, fps=25)
    assert report.dropped == ("the tag LENS",)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["title"] == "Clicks"
        assert chapters_of(container) == [(0, Fraction(2, 5)), (Fraction(2, 5), Fraction(6, 5))]
    # MP4 repeats the chapters in a stream of text, which is nothing that an export would leave out.
    streams = read_streams_of(tmp_path / "out.mp4", Fraction(0))
    assert streams is not None
    assert streams.others == ()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(("first", "second"), [("mp4", "mkv"), ("webm", "mp4"), ("mov", "webm")])
def test_text_subtitles_become_those_of_the_file(tmp_path: Path, first: str, second: str) -> None:
    clip = write_companions(tmp_path / "clip.mkv", clip_of(tmp_path / "plain.mkv"))
    own = {"mp4": "mov_text", "mov": "mov_text", "webm": "webvtt", "mkv": "subrip"}
    for source, ending, start, (shown, hidden) in (
        (clip, first, 0, (600, 900)), (tmp_path / f"out.{first}", second, Fraction(2, 5), (200, 500)),
    ):  # fmt: skip
        out, said = tmp_path / f"out.{ending}", list[str]()
        with HeldFrames(open_clip(source)) as engine:
            task = job_for(engine.opened.info, out, scale=Fraction(1), fps=Fraction(25), start=Fraction(start))
            report = export_job(task, engine, notice=said.append)
        assert not any("subtitles" in words for words in report.dropped)
        assert any(f"to {own[ending]}" in words for words in said)
        assert lines_of(out) == [(shown, hidden, "a word")]


def test_subtitles_of_pictures_are_left_out_of_files_of_text() -> None:
    found = ((0, "hdmv_pgs_subtitle"), (1, "ass"), (2, "eia_608"))
    assert [each.number for each in plan_subtitles(found, "mp4")] == [1]
    assert [(each.number, each.encoder) for each in plan_subtitles(found, "matroska")] == [(0, None), (1, None)]


def lines_of(path: Path) -> list[tuple[int, int, str]]:
    """(start, end, text) of each subtitle, milliseconds, as the system's ffmpeg reads it."""
    command = ["ffmpeg", "-v", "error", "-copyts", "-i", str(path), "-map", "0:s", "-f", "srt", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    found = re.findall(r"(\d\d):(\d\d):(\d\d),(\d+) --> (\d\d):(\d\d):(\d\d),(\d+)\n(.*)", text)
    return [(_msecs(*each[:4]), _msecs(*each[4:8]), each[8]) for each in found]


def _msecs(hours: str, minutes: str, secs: str, msecs: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(secs)) * 1000 + int(msecs)


def test_pictures_have_no_sound(tmp_path: Path, model: Path) -> None:
    clip = clip_of(tmp_path / "clip.mp4")
    report = export(clip, tmp_path / "frames", model, fps=25, end=Fraction(1, 5))
    assert (report.frames, report.sound) == (5, "")
    assert report.dropped == ("the sound, which PNG files do not hold",)
