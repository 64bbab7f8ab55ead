"""Opens a video file: numbers its frames, reads its colours and its shape, and collects warnings for the user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from videoinr.cancel import CancelToken
from videoinr.clip.cropping import cropping_of
from videoinr.clip.cursor import Batch, Cursor
from videoinr.clip.deinterlacing import Fields, fields_of, interlacing_note
from videoinr.clip.found import Found, Scan
from videoinr.clip.head import FrameFacts, Head, HeadFacts
from videoinr.clip.numbering import Numbering, number_frames, tick_secs_of
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.packet_index import PacketTable, scan_packets
from videoinr.clip.pixels import (
    Orientation,
    PixelReader,
    bit_depth_of,
    family_of,
    frame_bytes,
    is_full_range,
    orientation_of,
    tags_of,
)
from videoinr.clip.siting import siting_of
from videoinr.clip.size_changes import SizeChanges
from videoinr.clip.start_timecode import start_timecode
from videoinr.clip.stream_timecode import GopTimecodes, frame_timecodes, timecode_of_frames, timecode_of_groups
from videoinr.clip.timecode_track import trimmed_secs
from videoinr.clip.transparency import transparency_note
from videoinr.clip.video_file import VideoFile, check_size
from videoinr.clip.video_warnings import loss_warning, oddities, size_warning
from videoinr.colour import ColourTags, colour_from_tags
from videoinr.errors import ClipError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, StartTimecode

_HEAD_FRAMES = 8
"""How many frames are decoded while opening: enough to check their times against the packets' times."""

HEAD_BYTES = 64 << 20
"""How many bytes of them are kept; of larger ones only the first."""

_HEAD_PACKETS = 1500
"""How many packets are decoded for them at most: a recording may start in the middle of a long group of pictures."""

_INTERLACED_ORDERS = range(2, 6)
"""FFmpeg's field orders that mean interlaced."""

_INVENTED_TAGS = ("dnxhd", "mjpeg", "vp8")
"""The codecs whose decoders state colours that the stream need not hold. There the container is believed first."""

_INVENTED_RANGE = ("hevc", "vvc")
"""The codecs whose decoders state a limited range even if the stream has none."""

_ENCRYPTED_TAGS = ("encv", "drmi")
"""Codec tags of MP4 and MOV for encrypted video."""


@dataclass(frozen=True, eq=False)
class OpenedVideo:
    """The parts of a clip. ``head`` holds the first frames, if they were decoded; ``cursor`` is positioned after them.

    ``numbers`` and ``facts`` say what is known of the first frames, whether they were decoded or not.
    """

    info: ClipInfo
    timeline: Timeline
    file: VideoFile
    cursor: Cursor
    head: Batch
    reader: PixelReader
    fields: Fields | None
    facts: HeadFacts
    numbers: tuple[int | None, ...]


def open_video_stream(path: Path, options: OpenOptions, token: CancelToken, found: Found) -> OpenedVideo:
    """Open a video stream of a file: scan its packets and decode the first frames.

    Args:
        path: the video file.
        options: how to read it.
        token: cancels the scan.
        found: may hold the stream's scan and head; otherwise it gets them.

    Raises:
        ClipError: the file cannot be read, or no frame can be decoded.
        UsageError: the file has no such video stream.
        Cancelled: ``token`` was cancelled.
    """
    scan = found.scans.get(options.stream) or _scan(path, options.stream, token)
    found.scans[options.stream] = scan
    file = VideoFile(path, options.stream)
    try:
        known = found.heads.get(options.stream)
        head = Head(known) if known else _decode_head(file, path, options)
        numbering = number_frames(file, scan.table, head, token)
        video = _describe(file, numbering, head.facts, scan, options)
        if numbering.found_again:
            # Otherwise another opening decodes them as well, and counts.
            found.heads[options.stream] = video.facts
        return video
    except BaseException:
        file.close()
        raise


def _scan(path: Path, stream: int | None, token: CancelToken) -> Scan:
    file = VideoFile(path, stream)
    try:
        context, changes, groups = file.stream.codec_context, SizeChanges(), GopTimecodes()
        codec = context.codec.canonical_name

        def note_key(packet: Any) -> None:
            changes.note(packet, codec)
            groups.note(packet, codec)

        table = scan_packets(file.packets, codec=codec, token=token, note_key=note_key)
        warnings = [loss_warning(file, table), size_warning(changes.sizes(context))]
        if table.is_encrypted or file.stream.codec_context.codec_tag in _ENCRYPTED_TAGS:
            hint = "Only programs that have its key can. The file is not damaged."
            raise ClipError(f"“{path.name}” is encrypted and cannot be shown.", hint=hint)
    finally:
        file.close()
    if table.shown_count == 0:
        raise ClipError(f"“{path.name}” holds no frames.", hint="The recording may have been cut off. Copy it again.")
    return Scan(table, tuple(sentence for sentence in warnings if sentence), groups.found)


def _decode_head(file: VideoFile, path: Path, options: OpenOptions) -> Head:
    frames, times = list[av.VideoFrame](), list[int | None]()
    packets = kept = 0
    while len(times) < _HEAD_FRAMES and packets < _HEAD_PACKETS and (step := file.step()) is not None:
        packets += 1
        for frame in step:
            times.append(frame.pts)
            kept += frame_bytes(frame)
            if not frames or kept <= HEAD_BYTES:
                frames.append(frame)
        del step
    if not frames:
        raise ClipError(f"No frame of “{path.name}” can be decoded.", hint="The file is damaged. Copy it again.")
    check_size(frames[0].width, frames[0].height, path.name)
    return Head(_facts_of(file, frames, times, options), frames, packets)


def _facts_of(file: VideoFile, frames: list[av.VideoFrame], times: list[int | None], options: OpenOptions) -> HeadFacts:
    first, context = frames[0], file.stream.codec_context
    orientation = orientation_of(first, context.codec.canonical_name)
    return HeadFacts(
        pts=tuple(times),
        errors=file.errors,
        frames=tuple(FrameFacts(each.pts, each.width, each.height, each.is_corrupt) for each in frames),
        format=first.format.name,
        tags=tags_of(first),
        turns=None if orientation is None else (orientation.quarter_turns, orientation.is_mirrored),
        is_interlaced=any(each.interlaced_frame for each in frames),
        field_order=int(context.field_order),
        notes=transparency_note(first, None, options.behind),
        timecodes=frame_timecodes(frames, context.codec.canonical_name),
    )


def _describe(
    file: VideoFile,
    numbering: Numbering,
    facts: HeadFacts,
    scan: Scan,
    options: OpenOptions,
) -> OpenedVideo:
    stream, times, pix_fmt = file.stream, numbering.times, av.VideoFormat(facts.format, *facts.size)
    codec, timeline = stream.codec_context.codec.canonical_name, times.timeline
    upright = Orientation(*facts.turns) if facts.turns else Orientation()
    shown = cropping_of(file.path, file.format_name, file.number, *facts.size).rect(*facts.size)
    width, height = upright.upright_size(shown.width, shown.height)
    spec = options.colour or colour_from_tags(
        _tags(file, facts.tags, codec), width=facts.size[0], height=facts.size[1], family=family_of(pix_fmt)
    )
    order, flagged = facts.field_order, facts.is_interlaced
    interlaced = order in _INTERLACED_ORDERS or flagged
    fields = fields_of(options.deinterlace, order, flagged=flagged)
    depth = bit_depth_of(pix_fmt)
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    fps = times.fps or timeline.mean_fps.limit_denominator(1001) or timeline.mean_fps
    info = ClipInfo(
        path=file.path,
        width=width,
        height=height,
        rotation=upright.degrees,
        fps=fps,
        frames=timeline.frame_count,
        duration_secs=timeline.duration_secs,
        vfr=(times.fps is None or times.has_gaps) and timeline.frame_count > 1,
        codec=codec,
        pix_fmt=facts.format,
        bit_depth=depth,
        colour=spec,
        audio=file.audio,
        interlaced=interlaced,
        warnings=(),
        pixel_aspect=1 / aspect if upright.quarter_turns % 2 else aspect,
        stream=file.number,
        start_secs=_start_secs(file, facts.frames[0].pts, scan.table) if numbering.has_one_clock else None,
        timecode=_timecode(file, facts, scan, fps) if numbering.has_one_clock else None,
    )
    notes = oddities(file, info, timeline, scan.table, is_right_angled=facts.turns is not None)
    notes += interlacing_note(options.deinterlace, fields, is_interlaced=interlaced)
    notes += facts.notes
    info = replace(info, warnings=(*scan.warnings, *numbering.warnings, *notes))
    facts = replace(facts, siting=facts.siting or siting_of(stream, full_range=is_full_range(facts.format, spec)))
    reader = PixelReader(
        width=facts.size[0],
        height=facts.size[1],
        deep=depth > 8,
        colour=spec,
        orientation=upright,
        shown=shown,
        siting=facts.siting,
        background=options.behind,
    )
    return OpenedVideo(info, timeline, file, numbering.cursor, numbering.head, reader, fields, facts, numbering.numbers)


def _start_secs(file: VideoFile, pts: int | None, table: PacketTable) -> Fraction:
    """Return the file's own time of the first frame that can be decoded."""
    return (table.extent[0] if pts is None else pts) * tick_secs_of(file)


def _timecode(file: VideoFile, facts: HeadFacts, scan: Scan, fps: Fraction) -> StartTimecode | None:
    """Return what the file, or else its stream, calls the first frame that can be decoded."""
    pts, table = facts.frames[0].pts, scan.table
    if not file.timecode_tag:
        tick_secs, first = tick_secs_of(file), table.extent[0] if pts is None else pts
        return timecode_of_groups(scan.timecodes, fps, tick_secs, first) or timecode_of_frames(facts.timecodes, fps)
    trimmed = trimmed_secs(file.path, file.format_name, file.number)
    if trimmed is None:
        return None
    # The tag is the timecode of the file's first frame.
    skipped = max(Fraction(0), _start_secs(file, pts, table) - _start_secs(file, None, table)) + trimmed
    return start_timecode(file.timecode_tag, fps, skipped=round(skipped * fps))


def _tags(file: VideoFile, own: ColourTags, codec: str) -> ColourTags:
    """Return the colour tags of the stream, and those of the container where the stream has none."""
    container = file.tags
    if codec in _INVENTED_RANGE and own.matrix is own.primaries is own.transfer is None:
        own = replace(own, range=None)
    return container.filled_from(own) if codec in _INVENTED_TAGS else own.filled_from(container)
