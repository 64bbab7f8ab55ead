"""Sound of an export that is made beside its pictures: the same as without, bounded, and ended with the export."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from helpers.clicks import write_clicks
from helpers.slow_renderer import SlowRenderer
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.exporting import video_sink
from videoinr.exporting.export import export_job
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.sound import ahead
from videoinr.exporting.sound.ahead import _Stream
from videoinr.exporting.sound.blocks import Block
from videoinr.exporting.target import PartialKeptError
from videoinr.types import ExportProgress, RenderedRegion

MSECS = 800


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clicks(tmp_path / "clip.mkv", list(range(0, MSECS, 40)), [6], end_msecs=MSECS)


def task(clip: Path, out: str, **options: Any) -> tuple[ExportJob, SlowRenderer]:
    engine = SlowRenderer(clip, width=64, height=48, frames=MSECS // 40)
    return job_for(engine.opened.info, clip.parent / out, scale=Fraction(1), speed=Fraction(1, 2), **options), engine


def sound_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def sound_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sound-")]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_the_sound_is_that_of_an_export_that_makes_it_at_the_end(
    clip: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_job(*task(clip, name))
    monkeypatch.setattr(video_sink, "SoundAhead", lambda *_: None)
    export_job(*task(clip, f"late-{name}"))
    assert sound_of(clip.parent / name) == sound_of(clip.parent / f"late-{name}")
    assert not sound_threads()


def test_the_sound_is_made_beside_the_pictures(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makers, begun, render = list[threading.Thread](), threading.Event(), SlowRenderer.render

    def note() -> None:
        makers.append(threading.current_thread())
        begun.set()

    def once_the_sound_is_there(engine: SlowRenderer, *arguments: Any) -> RenderedRegion:
        assert begun.wait(60)
        makers[0].join(60)
        assert not makers[0].is_alive()
        return render(engine, *arguments)

    monkeypatch.setattr(ahead, "stand_back", note)
    monkeypatch.setattr(SlowRenderer, "render", once_the_sound_is_there)
    job, engine = task(clip, "out.mp4")
    assert "1/2" in export_job(job, engine).sound
    assert [maker.name.partition("-")[0] for maker in makers] == ["sound"]


def test_what_waits_is_bounded() -> None:
    made: list[int] = []

    def blocks() -> Iterator[Block]:
        for number in range(20):
            made.append(number)
            yield np.full((1, 10), number, np.float32)

    stream, taken = _Stream(blocks(), 100, 0), list[int]()
    for block in stream.blocks():
        taken.append(int(block[0, 0]))
        assert len(made) - len(taken) <= 3, "two that wait, and the next"
    assert taken == list(range(20))


def test_a_stream_that_nobody_takes_can_be_ended() -> None:
    stream = _Stream(iter([np.zeros((1, 10), np.float32)] * 9), 1, 0)
    stream.stop()
    stream.join()
    assert not sound_threads()


def test_a_cancelled_export_ends_the_sound(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_MOST_BYTES", 1)
    token = CancelToken()

    def progress(now: ExportProgress) -> None:
        if now.done == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        export_job(*task(clip, "out.mp4"), progress=progress, token=token)
    assert not sound_threads()


def test_a_partial_file_has_sound_of_its_own_length(clip: Path) -> None:
    token = CancelToken()

    def progress(now: ExportProgress) -> None:
        if now.done == 30:
            token.cancel()

    with pytest.raises(PartialKeptError) as kept:
        export_job(*task(clip, "out.mp4", keep_partial=True), progress=progress, token=token)
    with av.open(str(kept.value.path)) as container:
        stream = container.streams.audio[0]
        last = max((packet.pts or 0) + (packet.duration or 0) for packet in container.demux(stream) if packet.size)
        assert stream.time_base is not None
        assert last * stream.time_base == Fraction(kept.value.frames, 25)
    assert not sound_threads()


def test_sound_that_cannot_be_made_is_left_out(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Iterator[Block]:
        raise OSError("the disk is gone")

    monkeypatch.setattr(ahead, "stretched", fail)
    report = export_job(*task(clip, "out.mp4"))
    assert any("the disk is gone" in words for words in report.dropped)
    with av.open(str(report.path)) as container:
        assert not container.streams.audio
