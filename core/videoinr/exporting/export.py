"""The export: ``videoinr export``, the window's export process and :func:`videoinr.export` call these functions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Unpack

from videoinr.cancel import NEVER, CancelToken
from videoinr.exporting.job import ExportJob, ExportOptions, job_for
from videoinr.exporting.outputs import check_output, notices, sink_for
from videoinr.exporting.sinks import Sink
from videoinr.exporting.target import PartialKeptError
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import ExportProgress, Instant, Quality, RegionQuery, RenderedRegion


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A finished export.

    Attributes:
        path: the video file, or the pattern of the pictures' names.
        job: what was exported, with every default filled in.
    """

    path: Path
    job: ExportJob

    @property
    def frames(self) -> int:
        """The number of frames written."""
        return self.job.retiming.frame_count


class Decoder(Protocol):
    """The part of :class:`videoinr.render.engine.Engine` that an export uses."""

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``; raises Cancelled between chunks."""


def _ignore(_: object) -> None:
    pass


def export_clip(
    clip: Path,
    out: Path,
    *,
    progress: Callable[[ExportProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    token: CancelToken = NEVER,
    **options: Unpack[ExportOptions],
) -> ExportResult:
    """Open a clip, export a segment of it, and close it.

    Args:
        clip: a video file, or a folder or pattern of pictures.
        out: a video file, a folder for PNG pictures, or a pattern for them (folder/%05d.png).
        progress: called on this thread before the first frame and after each frame.
        notice: called with each sentence that a user should read before the export starts.
        token: cancels the export between two chunks of work.
        options: see :class:`videoinr.exporting.job.ExportOptions`.

    Raises:
        UsageError: the options do not fit each other or the clip.
        ClipError: the clip cannot be read.
        ModelError: the model cannot be loaded.
        DeviceError: the device is absent or has too little memory.
        ExportError: the output exists already and ``overwrite`` is off, or it cannot be written.
            PartialKeptError if ``keep_partial`` is on and frames were saved.
        Cancelled: ``token`` was cancelled.
    """
    from videoinr.render.engine import open_engine

    with open_engine(clip, model=options.get("model"), device=options.get("device")) as engine:
        job = job_for(engine.opened.info, out, **options)
        return export_job(job, engine, progress=progress, notice=notice, token=token)


def export_job(
    job: ExportJob,
    engine: Decoder,
    *,
    progress: Callable[[ExportProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    token: CancelToken = NEVER,
) -> ExportResult:
    """Export ``job`` with an engine that is open on the job's clip. Arguments and errors as :func:`export_clip`."""
    check_output(job)
    info = engine.opened.info
    for sentence in (*info.warnings, *notices(job)):
        notice(sentence)
    return ExportResult(write_frames(job, engine, sink_for(job, info.colour), progress, token), job)


def frame_instants(job: ExportJob, timeline: Timeline) -> Iterator[Instant]:
    """Yield the instant that each frame of the output shows, in order."""
    return (timeline.instant_from_time(time_secs) for time_secs in job.retiming.times)


def write_frames(
    job: ExportJob,
    engine: Decoder,
    sink: Sink,
    progress: Callable[[ExportProgress], None] = _ignore,
    token: CancelToken = NEVER,
) -> Path:
    """Decode every frame of ``job`` into ``sink`` and return the path of the finished output.

    If the export ends early, nothing is left of the output, unless ``job.keep_partial`` is on and at least one frame
    was done: PartialKeptError then says where the frames are.

    Raises:
        Cancelled, ExportError, ClipError, DeviceError
    """
    done = 0
    try:
        sink.open()
        started = time.monotonic()
        total = job.retiming.frame_count
        progress(ExportProgress(0, total, 0.0))
        for instant in frame_instants(job, engine.opened.timeline):
            token.check()
            query = RegionQuery(instant, job.grid, job.crop)
            sink.write(engine.render(query, Quality.FULL, token).rgbx)
            done += 1
            progress(ExportProgress(done, total, time.monotonic() - started))
        token.check()
        return sink.finish()
    except BaseException as error:
        try:
            if job.keep_partial and done:
                raise PartialKeptError(_reason(error), sink.finish(partial=True), done) from error
        finally:
            sink.abort()
        raise


def _reason(error: BaseException) -> str:
    return str(error) or "The export was stopped."
