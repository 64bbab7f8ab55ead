"""Opens a video file: numbers its frames, finds their times and colours, and collects warnings for the user."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from videoinr.cancel import CancelToken
from videoinr.clip.cursor import Batch, CountedCursor, Cursor, TimedCursor
from videoinr.clip.frame_times import FALLBACK_FPS, longest_step, plausible_rates, timeline_from_index
from videoinr.clip.packet_index import FrameIndex, PacketTable, index_from_packets, scan_packets
from videoinr.clip.pixels import (
    Orientation,
    PixelReader,
    bit_depth_of,
    family_of,
    is_convertible,
    orientation_of,
    tags_of,
)
from videoinr.clip.video_file import VideoFile, check_size
from videoinr.colour import HDR_TRANSFERS, ColourSpec, colour_from_tags
from videoinr.errors import ClipError
from videoinr.text.phrases import format_count
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo

_HEAD_FRAMES = 8
"""How many frames are decoded while opening: enough to check their times against the packets' times."""

_HEAD_PACKETS = 1500
"""How many packets are decoded for them at most: a recording may start in the middle of a long group of pictures."""

_LONG_STEP_SECS = 60
"""Two frames that lie further apart than this give a warning."""

_INTERLACED_ORDERS = range(2, 6)
"""FFmpeg's field orders that mean interlaced."""


@dataclass(frozen=True, eq=False)
class OpenedVideo:
    """The parts of a clip. ``head`` holds the first frames, already decoded; ``cursor`` is positioned after them."""

    info: ClipInfo
    timeline: Timeline
    file: VideoFile
    cursor: Cursor
    head: Batch
    reader: PixelReader


@dataclass(frozen=True, eq=False)
class _Head:
    """The first decoded ``frames`` of a file, and how many ``packets`` they took."""

    frames: list[av.VideoFrame]
    packets: int

    @property
    def times(self) -> list[int] | None:
        """The frames' times, in ticks; None if some are missing or they do not increase."""
        times = [frame.pts for frame in self.frames if frame.pts is not None]
        return times if len(times) == len(self.frames) and sorted(set(times)) == times else None


@dataclass(frozen=True, eq=False)
class _Numbering:
    """How frames are identified: their timeline, its constant rate if any, and a cursor that finds them."""

    timeline: Timeline
    fps: Fraction | None
    cursor: Cursor
    head: Batch
    warnings: tuple[str, ...]


def open_video_stream(path: Path, *, colour: ColourSpec | None, token: CancelToken) -> OpenedVideo:
    """Open the best video stream of a file: scan its packets and decode the first frames.

    Args:
        path: the video file.
        colour: how to read the pixels; None for the file's own tags and guesses.
        token: cancels the scan.

    Raises:
        ClipError: the file cannot be read, or no frame can be decoded.
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
    """Scan the file. Return its packets, and a warning if some are missing (otherwise an empty string)."""
    file = VideoFile(path)
    try:
        table = scan_packets(file.packets, codec=file.stream.codec_context.codec.canonical_name, token=token)
        loss = _loss_warning(file, table)
    finally:
        file.close()
    if table.shown_count == 0:
        raise ClipError(f"“{path.name}” holds no frames.", hint="The recording may have been cut off. Copy it again.")
    return table, loss


def _loss_warning(file: VideoFile, table: PacketTable) -> str:
    found, declared = len(table.pts), file.declared_packets
    if declared > found:
        listed = format_count(declared, "frame")
        return f"The file's index lists {listed}, but the file holds {found}: it is cut off or damaged."
    secs = table.span * _tick_secs(file)
    if not declared and file.declared_secs * Fraction(19, 20) - 1 > secs:
        return f"The file's header says {float(file.declared_secs):.1f} s, but its frames end at {float(secs):.1f} s."
    return f"The file is damaged: it can be read only up to packet {found}." if file.broke_off else ""


def _decode_head(file: VideoFile, path: Path) -> _Head:
    frames: list[av.VideoFrame] = []
    packets = 0
    while len(frames) < _HEAD_FRAMES and packets < _HEAD_PACKETS and (step := file.step()) is not None:
        frames += step
        packets += 1
    if not frames:
        raise ClipError(f"No frame of “{path.name}” can be decoded.", hint="The file is damaged. Copy it again.")
    check_size(frames[0].width, frames[0].height, path.name)
    return _Head(frames, packets)


def _number_frames(file: VideoFile, table: PacketTable, head: _Head, token: CancelToken) -> _Numbering:
    times, index = head.times, index_from_packets(table, _tick_secs(file))
    if index is None or times is None or index.frame_at(times[0]) is None:
        return _count_frames(file, table, index, head)
    index, warnings = _without_lost_start(index, times[0])
    if _lists_too_many(index, times) and file.errors == 0:
        index = index.subset(np.isin(index.pts, [*times, *_decoded_times(file.path, token)]))
        warnings.append("The container lists more frames than the clip has. The clip was decoded once to count them.")
    timeline, fps = timeline_from_index(index, _tick_secs(file), _declared_rates(file.stream))
    cursor = TimedCursor(file, index, packets_read=head.packets, last_frame=index.frame_at(times[-1]) or 0)
    numbered = ((index.frame_at(time), frame) for time, frame in zip(times, head.frames, strict=True))
    return _Numbering(timeline, fps, cursor, [(n, frame) for n, frame in numbered if n is not None], tuple(warnings))


def _without_lost_start(index: FrameIndex, first_pts: int) -> tuple[FrameIndex, list[str]]:
    """Return the frames from ``first_pts`` (the first that can be decoded) on, and warnings about those left out."""
    decodable = index.pts >= first_pts
    lost, warnings = int(np.sum(~decodable)), []
    if lost:
        warnings.append(_lost_start_warning(lost))
    if index.duplicates:
        warnings.append(f"Left out {format_count(index.duplicates, 'frame')}: another frame has the same time.")
    return index.subset(decodable), warnings


def _lost_start_warning(count: int) -> str:
    if count == 1:
        return "The first frame cannot be decoded and is left out."
    return f"The first {count} frames cannot be decoded and are left out."


def _lists_too_many(index: FrameIndex, times: list[int]) -> bool:
    """Return whether a quarter of the first frames never came out of the decoder: packets may hold single fields."""
    listed = int(np.searchsorted(index.pts, times[-1], side="right"))
    return listed > 3 and 4 * len(times) <= 3 * listed


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
    """Identify frames by counting the decoder's output, because packet times cannot be matched with frames."""
    rates = _declared_rates(file.stream)
    count = max(table.shown_count, len(head.frames))
    timeline, fps = Timeline.constant(count, next(iter(rates), FALLBACK_FPS)), next(iter(rates), FALLBACK_FPS)
    if index is not None and len(index.pts) == count:
        by_times, constant = timeline_from_index(index, _tick_secs(file), rates)
        timeline, fps = (by_times, constant) if constant else (timeline, fps)
    warning = "The file's frame times are unreliable. Frames are counted from the start, so that stepping back is slow."
    cursor = CountedCursor(file, count=len(head.frames))
    return _Numbering(timeline, fps, cursor, list(enumerate(head.frames)), (warning,))


def _tick_secs(file: VideoFile) -> Fraction:
    return file.stream.time_base or FALLBACK_FPS**-1


def _declared_rates(stream: av.VideoStream) -> list[Fraction]:
    return plausible_rates((stream.guessed_rate, stream.average_rate, stream.base_rate))


def _describe(
    file: VideoFile, numbering: _Numbering, frames: list[av.VideoFrame], loss: str, colour: ColourSpec | None
) -> OpenedVideo:
    first, stream, timeline = frames[0], file.stream, numbering.timeline
    orientation = orientation_of(first)
    upright = orientation or Orientation()
    width, height = upright.upright_size(first.width, first.height)
    tags = tags_of(first).filled_from(tags_of(stream.codec_context))
    spec = colour or colour_from_tags(tags, width=first.width, height=first.height, family=family_of(first.format))
    interlaced = stream.codec_context.field_order in _INTERLACED_ORDERS or any(f.interlaced_frame for f in frames)
    notes = _oddities(stream, timeline, spec, is_right_angled=orientation is not None, interlaced=interlaced)
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
        warnings=(*filter(None, (loss,)), *numbering.warnings, *notes),
    )
    reader = PixelReader(width=first.width, height=first.height, deep=depth > 8, colour=spec, orientation=upright)
    return OpenedVideo(info, timeline, file, numbering.cursor, numbering.head, reader)


def _oddities(
    stream: av.VideoStream, timeline: Timeline, spec: ColourSpec, *, is_right_angled: bool, interlaced: bool
) -> list[str]:
    aspect = stream.sample_aspect_ratio
    pause = longest_step(timeline)
    notes = {
        f"Two frames are {float(pause):.0f} s apart: the file's times may be damaged.": pause > _LONG_STEP_SECS,
        "The clip is interlaced. It is shown without deinterlacing.": interlaced,
        f"The clip's pixels are not square ({aspect}). It is shown as if they were.": aspect not in (None, 0, 1),
        "The clip's rotation is not a multiple of 90 degrees. It is shown without rotation.": not is_right_angled,
        f"The clip's colour matrix ({spec.matrix}) is not supported. Its colours are approximate.": not is_convertible(
            spec.matrix
        ),
        f"The clip is HDR ({spec.transfer}). It is shown without tone mapping.": spec.transfer in HDR_TRANSFERS,
    }
    return [sentence for sentence, holds in notes.items() if holds]
