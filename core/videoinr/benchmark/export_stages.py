"""Measures an export: each stage alone, one after the other, and the whole, in which they overlap."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

from videoinr.benchmark.clock import secs
from videoinr.cancel import NEVER
from videoinr.decode.recording import cuda_graph
from videoinr.exporting.codecs import Effort
from videoinr.exporting.coding import Coding
from videoinr.exporting.device_planes import PlaneConverter, can_convert
from videoinr.exporting.export import export_job, frame_instants
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.packet_file import PacketWriter
from videoinr.exporting.part_coder import Converters, PartCoder, coders_at_once
from videoinr.exporting.planes import FrameMaker, Picture, Planes
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.exporting.tags import tags_from_colour
from videoinr.exporting.waiting import ByteBudget, memory_bytes, waiting_bytes
from videoinr.geometry import Grid
from videoinr.render.engine import Engine, open_engine
from videoinr.render.output_area import output_aspect
from videoinr.types import ExportProgress, Instant, Quality, RegionQuery

_KEPT_BYTES, _MEMORY_SHARE = 512 << 20, 16
"""So many bytes of decoded pictures, or a share of the memory, are kept for converting and coding, and repeated."""

_CONVERTED_AHEAD = 16
"""At most so many frames are converted and not yet taken."""


@dataclass(frozen=True, slots=True)
class ExportTimes:
    """How long an export of ``frames`` frames takes.

    Attributes:
        device: the device, in words.
        model: the model's name.
        clip: the size of the clip.
        grid: the size of the output.
        encoder: FFmpeg's name of the video encoder.
        frames: the frames of the output.
        stages: seconds of each stage alone: read, encode, decode, and, on all threads that the export has for them,
            convert and code.
        whole_secs: seconds from the first frame to the last one in the export, without the end of the file.
        end_secs: seconds from the last frame until the file is complete and checked.
    """

    device: str
    model: str
    clip: Grid
    grid: Grid
    encoder: str
    frames: int
    stages: dict[str, float]
    whole_secs: float
    end_secs: float

    @property
    def sum_secs(self) -> float:
        """The seconds of all stages, one after the other."""
        return sum(self.stages.values())

    @property
    def total_secs(self) -> float:
        """The seconds of the export, from the first frame to the finished file."""
        return self.whole_secs + self.end_secs

    @property
    def slowest(self) -> str:
        """The stage that takes the longest."""
        return max(self.stages, key=lambda name: self.stages[name])

    @property
    def slowest_share(self) -> float:
        """The time of the slowest stage alone as a share of the export's; 1 if all the others hide behind it."""
        return self.stages[self.slowest] / self.total_secs

    @property
    def pictures_share(self) -> float:
        """The time that making the pictures takes alone (read, encode, decode) as a share of the export's."""
        return sum(self.stages[name] for name in ("read", "encode", "decode")) / self.total_secs

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "device": self.device,
            "model": self.model,
            "clip": str(self.clip),
            "grid": str(self.grid),
            "encoder": self.encoder,
            "frames": self.frames,
            "stage_secs": self.stages,
            "sum_secs": self.sum_secs,
            "whole_secs": self.whole_secs,
            "end_secs": self.end_secs,
            "total_secs": self.total_secs,
            "frames_per_sec": self.frames / self.total_secs,
            "slowest": self.slowest,
            "slowest_share": self.slowest_share,
            "pictures_share": self.pictures_share,
        }


def measure_export(
    clip: Path,
    *,
    frames: int,
    size: Grid | None = None,
    codec: str | None = None,
    effort: Effort = Effort.MEDIUM,
    model: str | None = None,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ExportTimes:
    """Export ``frames`` frames that are evenly spread over ``clip`` to a file that is removed, and measure the stages.

    Args:
        clip: a video file.
        frames: how many frames to export.
        size: the size of the output; None for 4 times the clip's.
        codec: the codec; None for H.264.
        effort: how hard the codec tries to make a small file.
        model: the model; None for the default.
        device: the device; None for the fastest.
        say: called with a word about what is measured next.

    Raises:
        ClipError, ModelError, DeviceError, ExportError, UsageError: as for an export.
    """
    with tempfile.TemporaryDirectory(prefix="videoinr-bench-") as folder:
        out = Path(folder, "out.mkv" if codec == "ffv1" else "out.mp4")
        with open_engine(clip, model=model, device=device, notice=say) as engine:
            job = _job(engine, out, frames, size, codec, effort)
            say("stages alone")
            # The first pair compiles kernels and fills caches.
            _warm_up(engine, job)
            coding = _coding_of(engine, job)
            stages, pictures = _picture_stages(engine, job, _converter(engine, coding))
            convert, code = _coding_stages(job, coding, pictures, Path(folder))
            stages = {**stages, "convert": stages["convert"] + convert, "code": code}
        del pictures
        with open_engine(clip, model=model, device=device) as engine:
            say("the export")
            _warm_up(engine, job)
            whole, end = _export(engine, job)
            info, opened = engine.clip.info, engine.opened
            return ExportTimes(
                opened.device_name, opened.model_name, info.grid, job.grid, _codec_name(job),
                job.retiming.frame_count, stages, whole, end,
            )  # fmt: skip


def _job(engine: Engine, out: Path, frames: int, size: Grid | None, codec: str | None, effort: Effort) -> ExportJob:
    info = engine.clip.info
    scale = None if size else Fraction(4)
    fps = max(Fraction(1), Fraction(ceil(frames / info.duration_secs)))
    speed = max(Fraction(1, 64), info.duration_secs * fps / frames)
    return job_for(
        info, out, fps=min(fps, Fraction(1000)), speed=speed, scale=scale, size=size, codec=codec,
        effort=effort, sound=SoundChoice.NONE,
    )  # fmt: skip


def _codec_name(job: ExportJob) -> str:
    codec = job.chosen_codec
    return codec.encoder if codec else "png"


def _coding_of(engine: Engine, job: ExportJob) -> Coding:
    codec, info = job.chosen_codec, engine.clip.info
    assert codec is not None
    tags = tags_from_colour(info.colour, rgb=codec.is_rgb, full_range=codec.full_range)
    aspect = output_aspect(info, job.grid)
    return Coding(codec, job.out.suffix, *job.size_px, job.fps, job.crf, tags, aspect, effort=job.effort)


def _query(job: ExportJob, instant: Instant) -> RegionQuery:
    return RegionQuery(instant, job.grid, job.crop)


def _warm_up(engine: Engine, job: ExportJob) -> None:
    last = engine.clip.timeline.pair_count - 1
    for phase in (Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)):
        engine.render(_query(job, Instant(last, phase)))


def _converter(engine: Engine, coding: Coding) -> PlaneConverter | None:
    """Return what converts pictures on a GPU, as in an export; None on a CPU."""
    if engine.device.type != "cuda" or not can_convert(coding):
        return None
    return PlaneConverter(coding, engine.opened.device_name, cuda_graph)


def _picture_stages(
    engine: Engine, job: ExportJob, converter: PlaneConverter | None
) -> tuple[dict[str, float], list[Picture]]:
    """Return the seconds of reading, encoding, decoding and converting on a GPU, and the first pictures."""
    spent = {"read": 0.0, "encode": 0.0, "decode": 0.0, "convert": 0.0}
    pictures: list[Picture] = []
    last, most = engine.clip.timeline.last_frame, max(_KEPT_BYTES, memory_bytes() // _MEMORY_SHARE)
    for instant in frame_instants(job, engine.clip.timeline):
        both = (instant.pair, min(instant.pair + 1, last))
        query = _query(job, instant)
        spent["read"] += secs(lambda: [engine.clip.frame(index) for index in both])  # noqa: B023 - called at once
        spent["encode"] += secs(lambda: engine.encode(instant.pair, NEVER, instant.phase))  # noqa: B023
        made: list[Any] = []
        if converter is None:
            spent["decode"] += secs(lambda: made.append(engine.render(query, Quality.FULL).rgbx))  # noqa: B023
        else:
            tensors: list[Any] = []
            spent["decode"] += secs(lambda: tensors.extend(engine.render_on_device(query, NEVER, deep=False)))  # noqa: B023
            spent["convert"] += secs(lambda: made.append(converter.planes(tensors[0])))  # noqa: B023
        if len(pictures) * made[0].nbytes < most:
            pictures += made
    return spent, pictures


def _coding_stages(job: ExportJob, coding: Coding, pictures: list[Picture], folder: Path) -> tuple[float, float]:
    """Return the seconds of making frames and of coding them, each on as many threads as the export has for it."""
    coder = _CodingAlone(job, coding, pictures, folder)
    # The first frame of a thread makes its converter.
    coder.convert(range(min(16, job.retiming.frame_count)))
    return secs(lambda: coder.convert(range(job.retiming.frame_count))), secs(coder.code)


class _CodingAlone:
    """Converts and codes the frames of ``job``; ``pictures`` are repeated. Its files go into ``folder``."""

    def __init__(self, job: ExportJob, coding: Coding, pictures: list[Picture], folder: Path) -> None:
        self._job, self._coding, self._pictures, self._folder = job, coding, pictures, folder
        maker = FrameMaker(coding)
        self._frames = [maker.frame(picture) for picture in pictures]
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(template=None, width=coding.width, height=coding.height,
                                        format=self._frames[0].format, time_base=1 / coding.fps)  # fmt: skip
        self._graph.link_nodes(source, self._graph.add("null"), self._graph.add("buffersink")).configure()

    def convert(self, numbers: range) -> None:
        """Make frames of the pictures ``numbers``: of planes on one thread, though each coder has its own for them."""
        converters, waiting = Converters(self._coding, ByteBudget(waiting_bytes())), deque[Future[av.VideoFrame]]()
        maker = FrameMaker(self._coding)
        for number in numbers:
            picture = self._pictures[number % len(self._pictures)]
            if isinstance(picture, Planes):
                maker.frame(picture)
                continue
            waiting.append(converters.submit(picture)[0])
            if len(waiting) > _CONVERTED_AHEAD:
                waiting.popleft().result()
        for future in waiting:
            future.result()
        converters.close()

    def code(self) -> None:
        """Code all frames, as many parts at a time as in the export."""
        plan, most, coders = self._job.plan, 1 + coders_at_once(self._coding.frame_bytes), deque[PartCoder]()
        for part in range(plan.count):
            if len(coders) == most:
                _end(coders.popleft())
            coder = PartCoder(part, self._coding, PacketWriter(self._folder / f"{part}.open", {}), ByteBudget(1))
            for number in plan.frames(part):
                coder.put(number, self._frame(number), 0)
            coder.finish({}, self._folder / f"{part}.packets")
            coders.append(coder)
        for coder in coders:
            _end(coder)

    def _frame(self, number: int) -> Future[av.VideoFrame]:
        # Several coders number the same pixels: each gets a frame of its own that shares them.
        self._graph.push(self._frames[number % len(self._frames)])
        frame, future = self._graph.pull(), Future[av.VideoFrame]()
        assert isinstance(frame, av.VideoFrame)
        future.set_result(frame)
        return future


def _end(coder: PartCoder) -> None:
    coder.join()
    if coder.error is not None:
        raise coder.error


def _export(engine: Engine, job: ExportJob) -> tuple[float, float]:
    """Run the export. Return the seconds until the last frame, and from there to its end."""
    reached = [0.0, 0.0]

    def progress(now: ExportProgress) -> None:
        reached[1 if now.done else 0] = time.perf_counter()

    export_job(job, engine, progress=progress)
    return reached[1] - reached[0], time.perf_counter() - reached[1]
