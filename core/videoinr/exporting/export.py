"""The export itself: checks a job, decodes its frames and writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import Clip
from videoinr.errors import Cancelled, ClipError, DeviceLostError, VideoInrError
from videoinr.exporting.frame_queries import decoded_ends, frame_query
from videoinr.exporting.job import ExportJob
from videoinr.exporting.outputs import (
    check_colour,
    check_output,
    companions_for,
    is_deep,
    losses,
    notices,
    sink_for,
)
from videoinr.exporting.planes import Picture, Planes
from videoinr.exporting.sinks import ResumableSink, Sink
from videoinr.exporting.source_watch import SourceWatch
from videoinr.exporting.target import NameTakenError, PartialKeptError
from videoinr.render.messages import Opened
from videoinr.render.output_area import output_aspect
from videoinr.text.phrases import describe_cuts
from videoinr.timeline import Timeline
from videoinr.types import ExportProgress, ExportReport, Instant, PairKind, Quality, RegionQuery, RenderedRegion

if TYPE_CHECKING:
    from videoinr.exporting.device_planes import PlaneConverter

_HELD_FRAMES = 300
"""The most source frames that the clip keeps: a reverse stretch needs those since the last key frame, 250 in x264."""

_HELD_BYTES = 256 << 20
"""The most bytes of pictures that wait until it is known whether the clip is readable again after them."""


class Decoder(Protocol):
    """The part of :class:`videoinr.render.engine.Engine` that an export uses, besides ``clip``, if it has one."""

    @property
    def opened(self) -> Opened:
        """The open clip and the model that renders it."""

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Decode ``query``; raises Cancelled between chunks."""

    def render_deep(self, query: RegionQuery, token: CancelToken) -> RenderedRegion:
        """Decode ``query`` to 16 bits: its pixels are uint16."""


def _ignore(_: object) -> None:
    pass


def export_job(
    job: ExportJob,
    engine: Decoder,
    *,
    progress: Callable[[ExportProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    token: CancelToken = NEVER,
) -> ExportReport:
    """Check and run an export; :func:`videoinr.export`, the command line and the window's export end here.

    Args:
        job: what to export.
        engine: an engine that is open on the job's clip.
        progress: called on this thread before the first frame and after each frame.
        notice: called with each sentence that a user should read: before the export starts, and at its end about
            what was met in reading the clip.
        token: cancels the export between two chunks of work.

    Returns:
        The output, and what became of the clip's sound and other streams.

    Raises:
        UsageError: the output's name, the codec and the quality do not fit each other, or the output is the clip.
        ExportError: the output exists already and ``job.overwrite`` is off, or it cannot be written. PartialKeptError
            if ``job.keep_partial`` is on, or ``token`` was cancelled so, and frames were saved.
        ClipError: a frame of the clip cannot be read.
        DeviceError: the device has too little memory.
        Cancelled: ``token`` was cancelled.
    """
    check_output(job)
    info = engine.opened.info
    check_colour(job, info)
    companions = companions_for(job, info)
    for sentence in (*info.warnings, *notices(job, companions, info)):
        notice(sentence)
    sink = sink_for(
        job, info.colour, output_aspect(info, job.grid), info=info, model=_model_of(engine), companions=companions,
        token=token,
    )  # fmt: skip
    with decoder_for(job, engine, token) as decoder:
        path = write_frames(job, decoder, sink, progress, token, notice)
    for sentence in engine.opened.info.warnings:
        if sentence not in info.warnings:
            notice(sentence)
    frames = int(getattr(sink, "kept_frames", job.retiming.frame_count))
    said = tuple(getattr(sink, "said", ()))
    sound = companions.sound_in_words if companions and not said else ""
    return ExportReport(path, frames, sound, (*losses(job, info), *(companions.dropped if companions else ()), *said))


@contextmanager
def decoder_for(job: ExportJob, engine: Decoder, token: CancelToken = NEVER) -> Iterator[Decoder]:
    """Return what decodes the frames of ``job``: ``engine``, or for one that keeps transparency, it and its alpha."""
    if not job.keeps_alpha:
        yield engine
        return
    from videoinr.render.engine import Engine
    from videoinr.render.transparent import with_alpha

    assert isinstance(engine, Engine)
    with with_alpha(engine, job.options, token) as both:
        yield both


def _model_of(engine: Decoder) -> str:
    """Return what identifies the model of ``engine``: its fingerprint, or the name of a model that has none."""
    return str(getattr(engine, "fingerprint", engine.opened.model_name))


def frame_instants(job: ExportJob, timeline: Timeline) -> Iterator[Instant]:
    """Yield the instant that each frame of the output shows, in order."""
    return map(timeline.instant_from_time, job.retiming.times)


def write_frames(
    job: ExportJob,
    engine: Decoder,
    sink: Sink,
    progress: Callable[[ExportProgress], None] = _ignore,
    token: CancelToken = NEVER,
    notice: Callable[[str], None] = _ignore,
) -> Path:
    """Decode every frame of ``job`` into ``sink`` and return the path of the finished output.

    If the export ends early, nothing is left of the output, unless ``job.keep_partial`` is on and at least one frame
    was done: PartialKeptError then says where the frames are. If ``token`` was cancelled and says so, or the device
    stopped working, the parts that are done are left for an export that resumes.

    Raises:
        Cancelled, ExportError, ClipError, DeviceError
    """
    clip: Clip | None = getattr(engine, "clip", None)
    if clip is not None:
        # Its caches are large enough for a whole clip of small frames, which an export never goes back to.
        clip.hold_at_most(_HELD_FRAMES)
    watch = SourceWatch(clip, _source_frames(job, engine.opened.timeline))
    frames = _Frames(job, engine, sink, watch, token)
    try:
        sink.open()
        frames.write_all(progress)
        token.check()
        path = sink.finish()
    except NameTakenError:
        raise
    except BaseException as error:
        is_stopped = isinstance(error, Cancelled | KeyboardInterrupt) and token.leaves
        try:
            if (token.keeps or (job.keep_partial and not is_stopped)) and frames.written:
                _keep_partial(error, sink, frames.written)
        finally:
            if (is_stopped or isinstance(error, DeviceLostError)) and isinstance(sink, ResumableSink):
                sink.leave()
            else:
                sink.abort()
        raise
    finally:
        frames.close()
    for sentence in (watch.notice, *getattr(sink, "said", ())):
        if sentence:
            notice(sentence)
    if frames.cuts:
        notice(describe_cuts(len(frames.cuts), job.across_cuts.value))
    return path


def _source_frames(job: ExportJob, timeline: Timeline) -> range:
    """Return the frames of the clip that ``job`` reads."""
    segment, retiming = job.segment, job.retiming
    last_secs = segment.end_secs if job.curve else retiming.time(retiming.frame_count - 1)
    first, last = (timeline.instant_from_time(time).pair for time in (segment.start_secs, last_secs))
    return range(first, last + 2)


def _keep_partial(error: BaseException, sink: Sink, count: int) -> None:
    """Raise PartialKeptError because of ``error``. If the frames cannot be kept, return: ``error`` then says why."""
    try:
        path = sink.finish(partial=True)
    except VideoInrError as second:
        error.add_note(f"Nothing could be kept: {second}")
        return
    kept = int(getattr(sink, "kept_frames", count))
    raise PartialKeptError(str(error) or "The export was stopped.", path, kept) from error


class _Frames:
    """Decodes frames and writes them to ``sink``; ``written`` counts them, ``cuts`` are the pairs across a cut.

    Pictures of frames that stand in for damaged ones wait for the next sound picture. If the clip turns out to be too
    damaged or to have changed, they are dropped, so that only sound ones come before the break.
    """

    def __init__(self, job: ExportJob, engine: Decoder, sink: Sink, watch: SourceWatch, token: CancelToken) -> None:
        self._job, self._engine, self._sink, self._watch, self._token = job, engine, sink, watch, token
        self._held: list[_Picture] = []
        self._resumable = sink if isinstance(sink, ResumableSink) else None
        self._is_deep = is_deep(job, engine.opened.info)
        self._converter = _converter_for(engine, self._resumable)
        self.written = 0
        self.cuts: set[int] = set()
        self._pair = -1

    def close(self) -> None:
        """Free what was only kept for the next frame."""
        if self._converter is not None:
            self._converter.close()

    def write_all(self, progress: Callable[[ExportProgress], None]) -> None:
        """Decode and write all frames that the output lacks; ends with a check of the clip's files."""
        started, sink = time.monotonic(), self._resumable
        total = sink.total_frames if sink else self._job.retiming.frame_count
        found = sink.done_frames if sink else 0
        self.written, done = found, found
        self.cuts |= sink.noted_cuts if sink else set()
        progress(ExportProgress(done, total, 0.0, found))
        for run in self._runs():
            for number in run:
                self._token.check()
                self._write(number)
                done += 1
                progress(ExportProgress(done, total, time.monotonic() - started, found))
            self._watch.check()
            self._write_held()

    def _runs(self) -> Iterator[range]:
        if self._resumable is None:
            yield range(self._job.retiming.frame_count)
            return
        while run := self._resumable.wanted:
            yield run

    def _write(self, number: int) -> None:
        query = frame_query(self._job, self._engine.opened, number)
        self._held.append(self._decode(query))
        is_sound = self._watch.is_sound(query.instant)
        if is_sound or sum(each.pixels.nbytes for each in self._held) > _HELD_BYTES:
            self._write_held()

    def _decode(self, query: RegionQuery) -> _Picture:
        instant = query.instant
        try:
            self._forget_earlier_pairs(query)
            picture, kind = self._rendered(query)
        except ClipError:
            self._watch.check()  # A frame that cannot be read because the file was replaced: say so.
            raise
        cut = instant.pair if kind is PairKind.CUT and not instant.is_source else None
        if cut is not None:
            self.cuts.add(cut)
        return _Picture(picture, cut)

    def _forget_earlier_pairs(self, query: RegionQuery) -> None:
        """Let the engine drop pairs that no later frame needs."""
        instant, keep_only = query.instant, getattr(self._engine, "keep_only", None)
        if keep_only is not None and instant.pair != self._pair:
            self._pair = instant.pair
            keep_only(instant, self._token, *decoded_ends(query, self._engine.opened.timeline))

    def _rendered(self, query: RegionQuery) -> tuple[Picture, PairKind]:
        if self._converter is not None:
            tensor, kind = self._engine.render_on_device(query, self._token, deep=self._is_deep)  # type: ignore[attr-defined]
            return self._converter.planes(tensor), kind
        if not self._is_deep:
            region = self._engine.render(query, Quality.FULL, self._token)
        else:
            region = self._engine.render_deep(query, self._token)
        return region.rgbx, region.pair_kind

    def _write_held(self) -> None:
        for picture in self._held:
            if self._resumable is None:
                assert not isinstance(picture.pixels, Planes)
                self._sink.write(picture.pixels)
            else:
                self._resumable.write(picture.pixels, cut=picture.cut)
            self.written += 1
        self._held.clear()


def _converter_for(engine: Decoder, sink: ResumableSink | None) -> PlaneConverter | None:
    """Return what converts pictures on the device of ``engine``, for a sink that takes planes; None for pixels."""
    device = getattr(engine, "device", None)
    if sink is None or device is None or device.type != "cuda":
        return None  # On a CPU, swscale takes less time.
    from videoinr.decode.recording import cuda_graph
    from videoinr.exporting.device_planes import PlaneConverter, can_convert

    if sink.coding is None or not can_convert(sink.coding):
        return None
    return PlaneConverter(sink.coding, engine.opened.device_name, cuda_graph)


@dataclass(frozen=True, eq=False)
class _Picture:
    """A decoded picture; ``cut`` is the pair that it shows, if there is a cut in it."""

    pixels: Picture
    cut: int | None
