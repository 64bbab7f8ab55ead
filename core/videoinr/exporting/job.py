"""ExportJob: everything that decides what an export's frames are, and the loop that makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from videoinr.cancel import NEVER, CancelToken
from videoinr.exporting.retime import ConstantRate
from videoinr.exporting.sinks import Sink
from videoinr.exporting.target import PartialKeptError
from videoinr.geometry import Grid, Rect
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import ExportProgress, Instant, Quality, RegionQuery, RenderedRegion, Segment


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What to export, and into which file.

    ``path``: the clip. ``out``: a video file, a folder for pictures, or a pattern for them (folder/%05d.png). Frames
    are the pixels ``crop`` of ``grid``, at the instants of ``segment`` played at ``speed`` and shown at ``fps``.
    ``codec`` and ``crf`` are None for the defaults of the file's ending. ``keep_partial``: an export that ends early
    leaves what it has, playable, under a name that says so.
    """

    path: Path
    out: Path
    segment: Segment
    fps: Fraction
    speed: Fraction
    grid: Grid
    crop: Rect
    codec: str | None = None
    crf: int | None = None
    overwrite: bool = False
    keep_partial: bool = False

    @property
    def retiming(self) -> ConstantRate:
        """Its time map: how many frames, and when."""
        return ConstantRate(self.segment, self.fps, self.speed)


class Decoder(Protocol):
    """What an export needs of an :class:`videoinr.render.engine.Engine`."""

    @property
    def opened(self) -> Opened:
        """What is open, and what renders it."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``; raises Cancelled between chunks."""


def frame_instants(job: ExportJob, timeline: Timeline) -> Iterator[Instant]:
    """The instant that each frame of the output shows, in order."""
    return (timeline.instant_from_time(time_secs) for time_secs in job.retiming.times)


def run(
    job: ExportJob,
    engine: Decoder,
    sink: Sink,
    progress: Callable[[ExportProgress], None],
    token: CancelToken = NEVER,
) -> Path:
    """Export ``job`` and return the path of the finished output.

    ``progress`` is called once before the first frame and after each one, on this thread. Raises Cancelled after
    ``token`` was cancelled, ExportError, ClipError or DeviceError; nothing is left of the output then, unless
    ``job.keep_partial`` and at least one frame was done: PartialKeptError says where that part is.
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
                raise PartialKeptError(_why(error), sink.finish(partial=True), done) from error
        finally:
            sink.abort()
        raise


def _why(error: BaseException) -> str:
    return str(error) or "The export was stopped."
