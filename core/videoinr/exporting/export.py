"""The export itself: checks a job, decodes its frames and writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from videoinr.cancel import NEVER, CancelToken
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import check_output, notices, output_aspect, sink_for
from videoinr.exporting.sinks import Sink
from videoinr.exporting.target import PartialKeptError
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import ExportProgress, Instant, Quality, RegionQuery, RenderedRegion


class Decoder(Protocol):
    """The part of :class:`videoinr.render.engine.Engine` that an export uses."""

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``; raises Cancelled between chunks."""


def _ignore(_: object) -> None:
    pass


def export_job(
    job: ExportJob,
    engine: Decoder,
    *,
    progress: Callable[[ExportProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    token: CancelToken = NEVER,
) -> Path:
    """Check and run an export; :func:`videoinr.export`, the command line and the window's export end here.

    Args:
        job: what to export.
        engine: an engine that is open on the job's clip.
        progress: called on this thread before the first frame and after each frame.
        notice: called with each sentence that a user should read: before the export starts, and at its end about
            what was met in reading the clip.
        token: cancels the export between two chunks of work.

    Returns:
        The path of the video file, or the pattern of the pictures' names.

    Raises:
        UsageError: the output's name, the codec and the quality do not fit each other, or the output is the clip.
        ExportError: the output exists already and ``job.overwrite`` is off, or it cannot be written. PartialKeptError
            if ``job.keep_partial`` is on and frames were saved.
        ClipError: a frame of the clip cannot be read.
        DeviceError: the device has too little memory.
        Cancelled: ``token`` was cancelled.
    """
    check_output(job)
    info = engine.opened.info
    for sentence in (*info.warnings, *notices(job)):
        notice(sentence)
    path = write_frames(job, engine, sink_for(job, info.colour, output_aspect(info, job.grid)), progress, token)
    for sentence in engine.opened.info.warnings:
        if sentence not in info.warnings:
            notice(sentence)
    return path


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
