"""Opening a video file: which frames it holds, when they are shown, what their pixels mean, what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from videoinr.cancel import CancelToken
from videoinr.clip.cursor import Batch, CountedCursor, Cursor, TimedCursor
from videoinr.clip.frame_times import FALLBACK_FPS, longest_step, sane_rates, timeline_from_index
from videoinr.clip.packet_index import FrameIndex, PacketTable, index_from_packets, scan_packets
from videoinr.clip.pixels import PixelReader, Turn, bit_depth_of, family_of, is_convertible, tags_of, turn_of
from videoinr.clip.video_file import VideoFile, check_size
from videoinr.colour import HDR_TRANSFERS, ColourSpec, colour_from_tags
from videoinr.errors import ClipError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo

_HEAD_FRAMES = 8
"""Frames decoded while opening: enough to see whether their times can be trusted."""

_HEAD_PACKETS = 1500
"""Packets tried for them: a recording may begin in the middle of a long group of pictures."""

_LONG_STEP_SECS = 60

_INTERLACED_ORDERS = range(2, 6)
"""FFmpeg's field orders that mean interlaced."""


@dataclass(frozen=True, eq=False)
class Opening:
    """All that a clip is made of. ``head``: the first frames, already decoded; ``cursor`` stands behind them."""

    info: ClipInfo
    timeline: Timeline
    file: VideoFile
    cursor: Cursor
    head: Batch
    reader: PixelReader


@dataclass(frozen=True, eq=False)
class _Head:
    """The first ``frames`` that the file gives, and how many ``packets`` that took."""

    frames: list[av.VideoFrame]
    packets: int

    @property
    def times(self) -> list[int] | None:
        """When they are shown, in ticks; None if they do not say, or not in the order of their showing."""
        times = [frame.pts for frame in self.frames if frame.pts is not None]
        return times if len(times) == len(self.frames) and sorted(set(times)) == times else None


@dataclass(frozen=True, eq=False)
class _Numbering:
    """Which frame is which, and when: the timeline, its constant rate if any, and how to find a frame."""

    timeline: Timeline
    fps: Fraction | None
    cursor: Cursor
    head: Batch
    warnings: tuple[str, ...]


def open_stream(path: Path, *, colour: ColourSpec | None, token: CancelToken) -> Opening:
    """Open the best video stream of ``path``: one pass over its packets, and the first frames decoded.

    Raises:
        ClipError: no frame of it can be decoded.
        Cancelled: ``token`` was cancelled.
    """
    table, loss = _scan(path, token)
    file = VideoFile(path)
    try:
        head = _decode_head(file, path)
        numbering = _number_frames(file, table, head, token)
        return _describe(file, numbering, head.frames, loss, colour)
    except BaseException:
        file.close()
        raise


def _scan(path: Path, token: CancelToken) -> tuple[PacketTable, str]:
    """The packets, and a sentence on those that are missing (empty if none are)."""
    file = VideoFile(path)
    try:
        table = scan_packets(file.packets, codec=file.stream.codec_context.codec.canonical_name, token=token)
        loss = _loss(file, table)
    finally:
        file.close()
    if table.shown_count == 0:
        raise ClipError(f"“{path.name}” holds no frames.", hint="The recording may have been cut off; copy it again.")
    return table, loss


def _loss(file: VideoFile, table: PacketTable) -> str:
    found, promised = len(table.pts), file.promised_packets
    if promised > found:
        return f"The file promises {_frames(promised)} but holds {found}: it is cut off or damaged."
    secs = table.span * _tick_secs(file)
    if not promised and file.promised_secs * Fraction(19, 20) - 1 > secs:
        return f"The file promises {float(file.promised_secs):.1f} s but its pictures end after {float(secs):.1f} s."
    return f"The file can be read only up to its packet {found}: it is damaged there." if file.broke_off else ""


def _decode_head(file: VideoFile, path: Path) -> _Head:
    frames: list[av.VideoFrame] = []
    packets = 0
    while len(frames) < _HEAD_FRAMES and packets < _HEAD_PACKETS and (step := file.step()) is not None:
        frames += step
        packets += 1
    if not frames:
        raise ClipError(f"No frame of “{path.name}” can be decoded.", hint="The file is damaged; copy it again.")
    check_size(frames[0].width, frames[0].height, path.name)
    return _Head(frames, packets)


def _number_frames(file: VideoFile, table: PacketTable, head: _Head, token: CancelToken) -> _Numbering:
    times, index = head.times, index_from_packets(table, _tick_secs(file))
    if index is None or times is None or index.frame_at(times[0]) is None:
        return _count_frames(file, table, index, head)
    index, warnings = _without_lost_start(index, times[0])
    if _promises_too_much(index, times) and file.errors == 0:
        index = index.only(np.isin(index.pts, [*times, *_decoded_times(file.path, token)]))
        warnings.append("The container lists more frames than there are; the clip was decoded once to count them.")
    timeline, fps = timeline_from_index(index, _tick_secs(file), _declared_rates(file.stream))
    cursor = TimedCursor(file, index, packets_read=head.packets, last_frame=index.frame_at(times[-1]) or 0)
    numbered = ((index.frame_at(time), frame) for time, frame in zip(times, head.frames, strict=True))
    return _Numbering(timeline, fps, cursor, [(n, frame) for n, frame in numbered if n is not None], tuple(warnings))


def _without_lost_start(index: FrameIndex, first_pts: int) -> tuple[FrameIndex, list[str]]:
    """The frames from ``first_pts`` (the first that decodes) on, and sentences on those left out."""
    decodable = index.pts >= first_pts
    lost, warnings = int(np.sum(~decodable)), []
    if lost:
        warnings.append(f"The first {_frames(lost)} cannot be decoded and are left out.")
    if index.doubles:
        warnings.append(f"{_frames(index.doubles)} left out: another one has the same time.")
    return index.only(decodable), warnings


def _promises_too_much(index: FrameIndex, times: list[int]) -> bool:
    """Whether the decoder passes over a quarter of the first frames in silence: packets that hold single fields."""
    promised = int(np.searchsorted(index.pts, times[-1], side="right"))
    return promised > 3 and 4 * len(times) <= 3 * promised


def _decoded_times(path: Path, token: CancelToken) -> list[int]:
    file, times = VideoFile(path), list[int]()
    try:
        while (frames := file.step()) is not None:
            token.check()
            times += [frame.pts for frame in frames if frame.pts is not None]
    finally:
        file.close()
    return times


def _count_frames(file: VideoFile, table: PacketTable, index: FrameIndex | None, head: _Head) -> _Numbering:
    """Frames by their place in the decoder's output: which of them a packet's time belongs to is unknown."""
    rates = _declared_rates(file.stream)
    count = max(table.shown_count, len(head.frames))
    timeline, fps = Timeline.constant(count, next(iter(rates), FALLBACK_FPS)), next(iter(rates), FALLBACK_FPS)
    if index is not None and len(index.pts) == count:
        by_times, constant = timeline_from_index(index, _tick_secs(file), rates)
        timeline, fps = (by_times, constant) if constant else (timeline, fps)
    warning = "The file does not say reliably when its frames are shown: they are counted, and steps back are slow."
    cursor = CountedCursor(file, count=len(head.frames))
    return _Numbering(timeline, fps, cursor, list(enumerate(head.frames)), (warning,))


def _tick_secs(file: VideoFile) -> Fraction:
    return file.stream.time_base or FALLBACK_FPS**-1


def _declared_rates(stream: av.VideoStream) -> list[Fraction]:
    return sane_rates((stream.guessed_rate, stream.average_rate, stream.base_rate))


def _describe(
    file: VideoFile, numbering: _Numbering, frames: list[av.VideoFrame], loss: str, colour: ColourSpec | None
) -> Opening:
    first, stream, timeline = frames[0], file.stream, numbering.timeline
    turn = turn_of(first)
    upright = turn or Turn()
    width, height = upright.size(first.width, first.height)
    tags = tags_of(first).or_else(tags_of(stream.codec_context))
    spec = colour or colour_from_tags(tags, width=first.width, height=first.height, family=family_of(first.format))
    interlaced = stream.codec_context.field_order in _INTERLACED_ORDERS or any(f.interlaced_frame for f in frames)
    oddities = _oddities(stream, timeline, spec, turned=turn is not None, interlaced=interlaced)
    depth = bit_depth_of(first.format)
    info = ClipInfo(
        path=file.path,
        width=width,
        height=height,
        rotation=upright.degrees,
        fps=numbering.fps or timeline.mean_fps.limit_denominator(1001) or timeline.mean_fps,
        frames=timeline.frame_count,
        duration_secs=timeline.duration_secs,
        vfr=numbering.fps is None and timeline.frame_count > 1,
        codec=stream.codec_context.codec.canonical_name,
        pix_fmt=first.format.name,
        bit_depth=depth,
        colour=spec,
        audio=file.audio,
        interlaced=interlaced,
        warnings=(*filter(None, (loss,)), *numbering.warnings, *oddities),
    )
    reader = PixelReader(width=first.width, height=first.height, deep=depth > 8, colour=spec, turn=upright)
    return Opening(info, timeline, file, numbering.cursor, numbering.head, reader)


def _oddities(
    stream: av.VideoStream, timeline: Timeline, spec: ColourSpec, *, turned: bool, interlaced: bool
) -> list[str]:
    aspect = stream.sample_aspect_ratio
    pause = longest_step(timeline)
    notes = {
        f"Two frames lie {float(pause):.0f} s apart: their times may be damaged.": pause > _LONG_STEP_SECS,
        "The clip is interlaced: its fields are shown woven together, as stored.": interlaced,
        f"The clip's pixels are not square ({aspect}): the picture is shown as stored.": aspect not in (None, 0, 1),
        "The clip asks to be turned by an angle that is no quarter turn, and is shown as stored.": not turned,
        f"The clip's colour matrix ({spec.matrix}) is not supported: colours are approximate.": not is_convertible(
            spec.matrix
        ),
        f"The clip is HDR ({spec.transfer}) and shown without tone mapping.": spec.transfer in HDR_TRANSFERS,
    }
    return [sentence for sentence, holds in notes.items() if holds]


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
