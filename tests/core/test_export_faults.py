"""Faults while an export runs: each has its message and exit code, leaves nothing behind, and a queue goes on."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import pytest

from helpers.clips import number_in, write_clip
from helpers.command_line import Outcome, run_here
from helpers.held_frames import HeldFrames
from videoinr.cancel import CancelToken
from videoinr.clip import open_clip
from videoinr.errors import DeviceError
from videoinr.exporting.coding import Coding
from videoinr.exporting.packet_file import PacketWriter
from videoinr.types import RegionQuery
from videoinr.writing.partial_folder import PartialFolder

FRAMES, LATE = 16, 6


def _fails_late(path: Path, act: Callable[[Path], None]) -> HeldFrames:
    """A renderer of ``path`` that calls ``act`` before frame LATE."""

    class Faulty(HeldFrames):
        def _pixels(self, query: RegionQuery, token: CancelToken) -> Any:
            if query.instant.pair == LATE:
                act(path)
            return super()._pixels(query, token)

    return Faulty(open_clip(path))


def _raise(error: BaseException) -> Callable[[Path], None]:
    def act(_: Path) -> None:
        raise error

    return act


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


RENDERER: dict[str, tuple[Callable[[Path], None], str]] = {
    "deleted": (Path.unlink, "is gone"),
    "changed": (_grow, "has changed while it was read"),
    "device": (_raise(DeviceError("The memory of the GPU does not suffice.")), "memory of the GPU does not suffice"),
    "memory": (_raise(MemoryError()), "The memory of the computer or of its GPU does not suffice"),
    "bug": (_raise(RuntimeError("a bug")), "a bug"),
}
WRITER: dict[str, tuple[BaseException, str]] = {
    "full": (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
    "io": (OSError(errno.EIO, "Input/output error"), "could not be written: Input/output error"),
    "readonly": (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
    "room": (MemoryError(), "computer's memory does not suffice"),
}
CODER = {
    "coder": (av.ExternalError(-542398533, "Generic error in an external library"), "libx264 failed while it encoded"),
    "coderoom": (MemoryError(), "computer's memory does not suffice"),
}


def words_of(fault: str) -> str:
    found: tuple[object, str] = {**RENDERER, **WRITER, **CODER}[fault]
    return found[1]


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips and outputs whose names begin with that of a fault have it."""

    def open_engine(path: Path, **_options: object) -> HeldFrames:
        name = path.stem
        return _fails_late(path, RENDERER[name][0]) if name in RENDERER else HeldFrames(open_clip(path))

    module = ModuleType("videoinr.render.engine")
    module.__dict__["open_engine"] = open_engine
    monkeypatch.setitem(sys.modules, "videoinr.render.engine", module)
    add, write, new_encoder = PacketWriter.add, PartialFolder.write, Coding.new_encoder

    def fault_of(path: Path) -> str:
        return path.name.split(".")[0]

    def failing_add(self: PacketWriter, packet: Any) -> None:
        if (fault := fault_of(self.path.parent)) in WRITER and len(self.packets) >= 2:
            raise WRITER[fault][0]
        add(self, packet)

    def failing_write(self: PartialFolder, name: str, data: bytes) -> None:
        if (fault := fault_of(self.path)) in WRITER and name == f"{LATE:05}.png":
            raise WRITER[fault][0]
        write(self, name, data)

    def failing_encoder(self: Coding) -> Any:
        encoder = new_encoder(self)
        if self.crf in FAULTY_CRF:
            return _FailingEncoder(encoder, CODER[FAULTY_CRF[self.crf]][0])
        return encoder

    monkeypatch.setattr(PacketWriter, "add", failing_add)
    monkeypatch.setattr(PartialFolder, "write", failing_write)
    monkeypatch.setattr(Coding, "new_encoder", failing_encoder)


FAULTY_CRF: dict[int | None, str] = {40: "coder", 41: "coderoom"}


class _FailingEncoder:
    """An encoder that fails at its third frame."""

    def __init__(self, encoder: Any, error: BaseException) -> None:
        self._encoder, self._error, self._count = encoder, error, 0
        self.extradata = encoder.extradata

    def encode_lazy(self, frame: Any) -> Any:
        self._count += 1
        if self._count == 3:
            raise self._error
        return self._encoder.encode_lazy(frame)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("source") / "clip.mov", FRAMES, codec="prores_ks", pix_fmt="yuv422p10le")


def clip_of(fault: str, source: Path, folder: Path) -> Path:
    """A copy of the clip; where the renderer fails, its name says so."""
    path = folder / f"{fault if fault in RENDERER else 'clip'}.mov"
    if not path.exists():
        path.write_bytes(source.read_bytes())
    return path


def crf_of(fault: str) -> int | None:
    return next((crf for crf, name in FAULTY_CRF.items() if name == fault), None)


def exported(fault: str, source: Path, folder: Path, out: str, *options: object) -> tuple[Outcome, Path]:
    clips = folder / "clips"
    clips.mkdir()
    crf = crf_of(fault)
    quality = ("--crf", crf) if crf else ()
    clip = clip_of(fault, source, clips)
    return run_here("export", clip, folder / out, "--scale", "1", *quality, *options), folder / out


VIDEO_FAULTS = [*RENDERER, *WRITER, *CODER]


@pytest.mark.parametrize(
    ("fault", "out"),
    [*((fault, "{}.mp4") for fault in VIDEO_FAULTS), *((fault, "{}") for fault in (*RENDERER, *WRITER))],
)
def test_a_fault_ends_the_export_with_a_reason_and_leaves_nothing(
    tmp_path: Path, source: Path, fault: str, out: str
) -> None:
    outcome, path = exported(fault, source, tmp_path, out.format(fault))
    assert outcome.exit_code == 1
    assert words_of(fault) in outcome.stderr
    assert not outcome.has_traceback
    assert not path.exists()
    assert [each.name for each in tmp_path.iterdir()] == ["clips"]


@pytest.mark.parametrize("fault", ["changed", "device", "memory"])
def test_what_was_done_before_a_fault_is_kept_on_request(tmp_path: Path, source: Path, fault: str) -> None:
    outcome, path = exported(fault, source, tmp_path, f"{fault}.mp4", "--keep-partial", "--json-progress")
    assert outcome.exit_code == 3
    failed = json.loads(outcome.stdout.splitlines()[-1])
    assert failed["event"] == "failed"
    with av.open(failed["path"]) as container:
        kept = [number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert kept == list(range(failed["frames"]))
    assert 0 < len(kept) <= LATE
    assert not path.exists()


def test_a_queue_goes_on_after_each_fault(tmp_path: Path, source: Path) -> None:
    queue, outs = tmp_path / "queue", tmp_path / "outs"
    queue.mkdir()
    outs.mkdir()
    for number, fault in enumerate(VIDEO_FAULTS):
        clip = clip_of(fault, source, tmp_path)
        values: dict[str, Any] = {
            "clip": str(clip),
            "out": str(outs / f"{fault}.mp4"),
            "scale": 1,
            "crf": crf_of(fault),
        }
        good = {"clip": str(clip_of("", source, tmp_path)), "out": str(outs / f"good-{number}.mp4"), "scale": 1}
        for name, job in ((f"{number:02}-a.json", values), (f"{number:02}-b.json", good)):
            (queue / name).write_text(json.dumps({"videoinr_export": 1, **job}))
    outcome = run_here("export", "--queue", queue)
    assert outcome.exit_code == 1
    for number, fault in enumerate(VIDEO_FAULTS):
        result = json.loads((queue / "failed" / f"{number:02}-a.result.json").read_text())
        assert words_of(fault) in result["message"]
        assert (queue / "done" / f"{number:02}-b.result.json").exists()
    assert sorted(os.listdir(outs)) == sorted(f"good-{number}.mp4" for number in range(len(VIDEO_FAULTS)))
