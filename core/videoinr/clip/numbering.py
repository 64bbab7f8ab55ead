"""Numbers the frames of a video: finds when each is shown, and the cursor that reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from videoinr.cancel import CancelToken
from videoinr.clip.animated_png import uncut_rate
from videoinr.clip.closed_groups import ORDERED_CODECS
from videoinr.clip.cursor import Batch, Cursor, TimedCursor
from videoinr.clip.decoder_order import OrderedCursor
from videoinr.clip.frame_rate import plausible_rates
from videoinr.clip.frame_times import FALLBACK_FPS, FrameTimes, times_from_index
from videoinr.clip.head import Head
from videoinr.clip.packet_index import FrameIndex, PacketTable, index_from_packets
from videoinr.clip.video_file import VideoFile
from videoinr.text.phrases import format_count
from videoinr.timeline import Timeline

_UNRELIABLE = "The file's frame times are unreliable. Frames are counted from the start, so that stepping back is slow."


@dataclass(frozen=True, eq=False)
class Numbering:
    """How frames are identified: their times, a cursor that finds them, and the frames of the head by number.

    ``numbers``: those of the head's facts, None for a frame that is left out. ``found_again``: whether reading from the
    start finds these by their times. ``has_one_clock`` is False where the file's clock starts again between joined
    recordings.
    """

    times: FrameTimes
    cursor: Cursor
    head: Batch
    warnings: tuple[str, ...]
    numbers: tuple[int | None, ...]
    found_again: bool = False
    has_one_clock: bool = True


def number_frames(file: VideoFile, table: PacketTable, head: Head, token: CancelToken) -> Numbering:
    """Number the frames of ``file``.

    Frames are identified by their times if the container stores times. Otherwise they are counted in the order in
    which the decoder outputs them, which is the order in which they are shown.

    Args:
        file: the open file, of which the head was decoded, or is known.
        table: all packets of the stream.
        head: its first frames.
        token: cancels a decoding of the whole file, which single fields in packets make necessary.
    """
    times, index = head.facts.times, index_from_packets(table, tick_secs_of(file))
    if index is None or times is None or index.frame_at(times[0]) is None or index.restarts:
        return _count_frames(file, table, index, head)
    if not head.is_known and _pretends_order(file, index):
        return _count_frames(file, table, index, head)
    index, warnings = _without_lost_start(index, times[0])
    if _lists_too_many(index, times) and head.facts.errors == 0:
        index = index.subset(np.isin(index.pts, [*times, *_decoded_times(file, token)]))
        warnings.append("The container lists more frames than the clip has. The clip was decoded once to count them.")
    last = -1 if head.is_known else index.frame_at(times[-1]) or 0
    cursor = TimedCursor(file, index, packets_read=head.packets, last_frame=last)
    numbers = tuple(index.frame_at(facts.pts) for facts in head.facts.frames)
    batch = [(number, frame) for number, frame in zip(numbers, head.frames, strict=False) if number is not None]
    found_again = None not in numbers and times[0] >= (cursor.clean_from or times[0])
    return Numbering(_times(file, index), cursor, batch, tuple(warnings), numbers, found_again)


def tick_secs_of(file: VideoFile) -> Fraction:
    """Return the unit of the stream's times, seconds."""
    return file.stream.time_base or FALLBACK_FPS**-1


def _times(file: VideoFile, index: FrameIndex) -> FrameTimes:
    return times_from_index(index, tick_secs_of(file), _declared_rates(file.stream), declared_secs=file.declared_secs)


def _declared_rates(stream: av.VideoStream) -> list[Fraction]:
    rates = [stream.guessed_rate, stream.average_rate, stream.base_rate]
    if stream.codec_context.codec.canonical_name == "apng":
        # In a long one the cut times lie too far from those of the true rate: then the rates are believed as they are.
        rates = [*map(uncut_rate, rates), *rates]
    return plausible_rates(rates)


def _pretends_order(file: VideoFile, index: FrameIndex) -> bool:
    """Return whether the decoder may reorder frames though their times do not: AVI stores no times of showing."""
    context = file.stream.codec_context
    return context.codec.canonical_name in ORDERED_CODECS and context.has_b_frames and index.is_in_file_order


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


def _decoded_times(file: VideoFile, token: CancelToken) -> list[int]:
    again, times = file.reopened(), list[int]()
    try:
        while (frames := again.step()) is not None:
            token.check()
            times += [frame.pts for frame in frames if frame.pts is not None]
    finally:
        again.close()
    return times


def _count_frames(file: VideoFile, table: PacketTable, index: FrameIndex | None, head: Head) -> Numbering:
    """Identify frames by counting the decoder's output, because packet times cannot be matched with frames."""
    count = max(table.shown_count, len(head.facts.pts))
    fps = next(iter(_declared_rates(file.stream)), FALLBACK_FPS)
    times = FrameTimes(Timeline.constant(count, fps), fps)
    if index is not None and len(index.pts) == count:
        by_times = _times(file, index)
        times = by_times if by_times.fps or index.restarts or index.is_in_file_order else times
    cursor = OrderedCursor(file, index if index and not index.restarts else None, table, count=head.decoded)
    warnings = [_joined_warning(index.restarts)] if index and index.restarts else []
    if not warnings and not cursor.can_seek:
        warnings.append(_UNRELIABLE)
    has_one_clock = index is None or not index.restarts
    numbers = tuple(range(len(head.facts.frames)))
    batch = list(enumerate(head.frames))
    return Numbering(times, cursor, batch, tuple(warnings), numbers, has_one_clock=has_one_clock)


def _joined_warning(restarts: int) -> str:
    where = "once" if restarts == 1 else f"{restarts} times"
    return (
        f"The clock of the file starts again {where}: recordings were joined. They are shown one after "
        "another. Frames are counted from the start, so that stepping back is slow."
    )
