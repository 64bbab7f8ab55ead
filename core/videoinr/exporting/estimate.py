"""Estimates the time, the size and the memory of an export from a sample: frames of it are decoded and coded.

The sample has up to three runs of consecutive frames from the beginning, the middle and the end. Each gives an
estimate of its own; their mean is the likely value, and the lowest and the highest, widened by MARGIN, are its limits.
A frame that starts a new pair costs the encoding of the pair, and every frame its decoding; the first frame of all is
not timed, since kernels are compiled in it. A file's size is that of the first frames of its parts, which are large,
and of the others.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean, median
from typing import Any

from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import UsageError
from videoinr.exporting.coding import THREADS
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.export import Decoder, decoder_for
from videoinr.exporting.frame_queries import frame_query
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import check_colour, is_deep, sink_for
from videoinr.exporting.part_coder import coders_at_once
from videoinr.exporting.parts import WHOLE
from videoinr.exporting.sinks import ResumableSink
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.exporting.waiting import waiting_bytes
from videoinr.render.output_area import output_aspect
from videoinr.types import Quality, Segment

MARGIN = 1.25
"""By how much the limits are wider than the runs of the sample: the frames between them may differ more."""
_RUNS, _LENGTH = 3, 6
"""The runs, and frames of each; a part of an export has as many at least, so each run is one part."""
_MOST_BYTES = 256 << 20
"""Of the pictures of a run."""
_HELD_FRAMES, _FEW_FRAMES = {"libx264": 120, "libx265": 150}, 12
"""An encoder takes as much memory as so many frames, by its name, and others (1080p, measured)."""
_PATIENCE_SECS = 30.0
"""No further run is begun after so long."""
_COUNTED = 20_000
"""At so many frames, at most, it is counted how many pairs an export needs."""


@dataclass(frozen=True, slots=True)
class Range:
    """A value that is not known exactly: ``likely``, and the limits that it should lie in."""

    likely: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an export will take.

    Attributes:
        frames: how many frames it has.
        secs: how long it takes, with the opening of clip and model.
        size_bytes: how large its output is; sound, which is small beside pictures, is not counted.
        memory_bytes: what the process needs; None where the system does not tell.
        device_bytes: what it needs of a GPU's memory; None without one.
        sampled: how many frames the sample had.
        sample_secs: how long it took.
    """

    frames: int
    secs: Range
    size_bytes: Range
    memory_bytes: int | None
    device_bytes: int | None
    sampled: int
    sample_secs: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "frames": self.frames,
            **{f"{name}secs": round(value, 2) for name, value in _named(self.secs)},
            **{f"{name}size_bytes": round(value) for name, value in _named(self.size_bytes)},
            "memory_bytes": self.memory_bytes, "device_bytes": self.device_bytes,
            "sampled": self.sampled, "sample_secs": round(self.sample_secs, 2),
        }  # fmt: skip


def _named(value: Range) -> tuple[tuple[str, float], ...]:
    return ("", value.likely), ("least_", value.least), ("most_", value.most)


def estimate_job(
    job: ExportJob,
    engine: Decoder,
    *,
    opening_secs: float = 0.0,
    token: CancelToken = NEVER,
    clock: Callable[[], float] = time.perf_counter,
) -> Estimate:
    """Decode and code a sample of ``job``, and return what all of it will take.

    Args:
        job: the export. Whether its output exists already does not matter.
        engine: an engine that is open on its clip.
        opening_secs: how long the opening took, which is added.
        token: cancels the sample between two chunks of work.
        clock: tells the time in seconds.

    Raises:
        UsageError: the output's name, the codec and the quality do not fit each other, or ``job`` is a share.
        ExportError, ClipError, DeviceError, Cancelled: as for :func:`~videoinr.exporting.export.export_job`.
    """
    from videoinr.benchmark.clock import begin_peaks, peak_now

    job.check()
    check_colour(job, engine.opened.info)
    if job.share != WHOLE:
        raise UsageError("A share of an export is not estimated.", hint="Leave --part or --estimate out.")
    begin_peaks()
    started, runs = clock(), list[_Run]()
    with decoder_for(job, engine, token) as decoder:
        sampler = _Sampler(job, decoder, token, clock)
        for numbers in _runs(job):
            if runs and clock() - started > _PATIENCE_SECS:
                break
            runs.append(sampler.run(numbers, is_first=not runs))
    peak = peak_now()
    whole = _Whole(job, engine, _typical(runs))
    held = waiting_bytes() if peak.ram_bytes is not None else 0
    picture = _picture_bytes(job)
    more = max(0, min(held, whole.frames * picture) - _LENGTH * picture) + whole.coder_bytes
    return Estimate(
        whole.frames,
        _range([opening_secs + whole.secs(run) for run in runs]),
        _range([whole.size_bytes(run) for run in runs]),
        None if peak.ram_bytes is None else peak.ram_bytes + more,
        peak.cuda_bytes,
        sum(run.count for run in runs),
        clock() - started,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run of frames took: seconds of frames that start a pair and of others, and of coding; and its bytes."""

    count: int
    starting_secs: tuple[float, ...]
    other_secs: tuple[float, ...]
    coding_secs: float
    first_bytes: float
    other_bytes: float


def _runs(job: ExportJob) -> Iterator[range]:
    """Yield the frames of each run: all of a short export, else three runs."""
    total = job.retiming.frame_count
    length = max(2, min(_LENGTH, _MOST_BYTES // _picture_bytes(job)))
    if total <= _RUNS * length:
        yield from (range(start, min(start + length, total)) for start in range(0, total, length))
        return
    for number in range(_RUNS):
        start = total * (2 * number + 1) // (2 * _RUNS) - length // 2
        yield range(start, start + length)


def _picture_bytes(job: ExportJob) -> int:
    width, height = job.size_px
    return width * height * 8


class _Sampler:
    """Decodes and codes runs of frames of ``job``."""

    def __init__(self, job: ExportJob, engine: Decoder, token: CancelToken, clock: Callable[[], float]) -> None:
        self._job, self._engine, self._token, self._clock = job, engine, token, clock
        self._is_deep = is_deep(job, engine.opened.info)
        self._pair = -1

    def run(self, numbers: range, *, is_first: bool) -> _Run:
        """Return what the frames ``numbers`` take. The first of all runs is not timed at its first frame."""
        pictures = list[NDArray[Any]]()
        starting, other = list[float](), list[float]()
        for number in numbers:
            query = frame_query(self._job, self._engine.opened, number)
            begun = self._clock()
            pictures.append(self._rendered(query))
            secs = self._clock() - begun
            # Kernels are compiled, and buffers made, in the first frame of all.
            if not (is_first and number == numbers[0]) or len(numbers) == 1:
                (other if query.instant.pair == self._pair else starting).append(secs)
            self._pair = query.instant.pair
        one_secs, one_bytes = self._coded(pictures[:1])
        all_secs, all_bytes = self._coded(pictures) if len(pictures) > 1 else (one_secs, one_bytes)
        rest = max(1, len(pictures) - 1)
        return _Run(
            len(pictures), tuple(starting), tuple(other), max(0.0, all_secs - one_secs) / rest, one_bytes,
            max(0.0, all_bytes - one_bytes) / rest,
        )  # fmt: skip

    def _rendered(self, query: Any) -> NDArray[Any]:
        if self._is_deep:
            return self._engine.render_deep(query, self._token).rgbx
        return self._engine.render(query, Quality.FULL, self._token).rgbx

    def _coded(self, pictures: Sequence[NDArray[Any]]) -> tuple[float, float]:
        """Code ``pictures`` to a temporary place; return the seconds and the bytes."""
        info = self._engine.opened.info
        with tempfile.TemporaryDirectory(prefix="videoinr-estimate-") as folder:
            out = Path(folder) / f"sample{self._job.out.suffix if self._job.picture_format is None else ''}"
            segment = Segment(Fraction(0), len(pictures) / self._job.fps)
            job = replace(
                self._job, out=out, segment=segment, speed=Fraction(1), curve=None, camera=None, share=WHOLE,
                sound=SoundChoice.NONE, resume=False, keep_partial=False,
            )  # fmt: skip
            if self._job.picture_format is not None:
                job = replace(job, codec=self._job.picture_format.name)
            sink = sink_for(job, info.colour, output_aspect(info, job.grid), info=info, token=self._token)
            begun = self._clock()
            try:
                sink.open()
                for number, picture in enumerate(pictures):
                    assert not isinstance(sink, ResumableSink) or number in sink.wanted
                    sink.write(picture)
                sink.finish()
            except BaseException:
                sink.abort()
                raise
            secs = self._clock() - begun
            return secs, sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


@dataclass(frozen=True, slots=True)
class _Costs:
    """Seconds of a new pair beside its frame's own, and of a frame. ``pair`` is None if every frame has a new pair."""

    pair: float | None
    frame: float

    @classmethod
    def of(cls, starting: Sequence[float], other: Sequence[float], default: _Costs | None = None) -> _Costs:
        """Return the costs by the seconds of frames that start a pair and of others; else those of ``default``."""
        if not other and (default is None or default.pair is None):
            return cls(None, median(starting) if starting else default.frame if default else 0.0)
        frame = median(other) if other else default.frame if default else 0.0
        if starting:
            return cls(max(0.0, median(starting) - frame), frame)
        return cls(default.pair if default else 0.0, frame)


def _typical(runs: Sequence[_Run]) -> _Costs:
    return _Costs.of([secs for run in runs for secs in run.starting_secs], [s for run in runs for s in run.other_secs])


class _Whole:
    """All of a job, and what it takes if it is as a run of the sample was."""

    def __init__(self, job: ExportJob, engine: Decoder, typical: _Costs) -> None:
        self.frames = job.retiming.frame_count
        self._pairs = _pair_count(job, engine)
        self._typical = typical
        codec = job.chosen_codec
        self._firsts = 1 if codec is None or codec.is_animation else job.plan.count
        # On a CPU, decoding and coding share the cores; beside a GPU they overlap, and several parts are coded at once.
        self._shares_cores = engine.opened.device_name.lower().startswith("cpu")
        has_parts = codec is not None and not codec.is_animation
        self._parts, self._encoder = job.plan.count, codec.encoder if codec else ""
        self._area, self._is_deep = job.size_px[0] * job.size_px[1], is_deep(job, engine.opened.info)
        self._coders = max(1, min(self._parts, usable_cores() // THREADS)) if has_parts else 1

    @property
    def coder_bytes(self) -> int:
        """Memory of the encoders that the sample did not have: beside a GPU, as many as there may be are at work."""
        if self._coders == 1 or self._shares_cores:
            return 0
        frame = self._area * (3 if self._is_deep else 3 / 2)
        coders = min(self._parts, 1 + coders_at_once(round(frame)))
        return round((coders - 1) * frame * _HELD_FRAMES.get(self._encoder, _FEW_FRAMES))

    def secs(self, run: _Run) -> float:
        """Return how long the job takes."""
        costs = _Costs.of(run.starting_secs, run.other_secs, self._typical)
        decoding = self._pairs * (costs.pair or 0.0) + self.frames * costs.frame
        coding = self.frames * run.coding_secs
        return decoding + coding if self._shares_cores else max(decoding, coding / self._coders)

    def size_bytes(self, run: _Run) -> float:
        """Return how large the output is."""
        return self._firsts * run.first_bytes + (self.frames - self._firsts) * run.other_bytes


def _pair_count(job: ExportJob, engine: Decoder) -> float:
    """Return how many pairs the job goes through: counted for each frame, or for some of very many."""
    total, retiming, timeline = job.retiming.frame_count, job.retiming, engine.opened.timeline

    def pair(number: int) -> int:
        return timeline.instant_from_time(retiming.time(number)).pair

    places = range(0, total - 1, max(1, total // _COUNTED))
    changes = sum(pair(place) != pair(place + 1) for place in places)
    return 1 + changes / max(1, len(places)) * (total - 1)


def _range(values: Sequence[float]) -> Range:
    return Range(fmean(values), min(values) / MARGIN, max(values) * MARGIN)
