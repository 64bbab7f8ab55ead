"""Which subtitles an output holds, and the conversion of text subtitles to the kind of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.container import OutputContainer
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from videoinr.cancel import CancelToken
from videoinr.errors import ClipError

_HELD = {
    "mp4": ("mov_text",),
    "mov": ("mov_text",),
    "matroska": ("subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"),
    "webm": ("webvtt",),
}
"""The subtitles that files of each muxer hold, by FFmpeg's names."""

_TEXT = frozenset(("subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"))
"""Subtitles of text, which FFmpeg reads as lines of ASS; others are pictures, or it decodes them no more."""

_OWN = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
"""What text is converted to for files of each muxer."""


@dataclass(frozen=True, slots=True)
class PlannedSubtitles:
    """A stream of subtitles of the output.

    Attributes:
        number: its number among the clip's subtitle streams.
        codec: FFmpeg's name of what the clip has.
        encoder: what it is converted to; None if its packets are copied.
    """

    number: int
    codec: str
    encoder: str | None = None

    @property
    def in_words(self) -> str:
        """What happens to the stream; empty if it is copied."""
        return "" if self.encoder is None else f"converted from {self.codec} to {self.encoder}"


def plan_subtitles(found: tuple[tuple[int, str], ...], muxer: str) -> tuple[PlannedSubtitles, ...]:
    """Return what becomes of the subtitle streams ``found``, (number, codec), in a file of FFmpeg's ``muxer``.

    Those that are absent from the answer cannot be kept: pictures, where the file holds text alone.
    """
    return tuple(
        PlannedSubtitles(number, codec, None if codec in _HELD[muxer] else _OWN[muxer])
        for number, codec in found
        if codec in _HELD[muxer] or codec in _TEXT
    )


def add_converted(container: OutputContainer, source: SubtitleStream, encoder: str) -> SubtitleStream:
    """Add a stream to ``container`` that takes the text of ``source``, converted by FFmpeg's ``encoder``."""
    target: Any = container.add_stream("srt" if encoder == "subrip" else encoder)
    target.time_base = source.time_base
    reader, writer = _opened(source.codec_context), target.codec_context
    writer.time_base = source.time_base
    writer.subtitle_header = reader.subtitle_header
    return target  # type: ignore[no-any-return]


def converted_packets(
    source: Iterator[av.Packet[Any]],
    stream: SubtitleStream,
    target: SubtitleStream,
    moved: Callable[[av.Packet[Any]], bool],
    token: CancelToken,
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of ``target`` with the text of ``source``, the packets of ``stream``.

    ``moved`` sets a packet's times to those in the output, and returns whether it is shown there.

    Raises:
        ClipError: a text cannot be converted.
        Cancelled: ``token`` was cancelled.
    """
    for packet in source:
        token.check()
        if packet.pts is None or not packet.size:
            continue
        try:
            texts = [each.ass for each in stream.decode2(packet) or () if isinstance(each, AssSubtitle)]
            if not texts or not moved(packet):
                continue
            for text in texts:
                yield _coded(text, packet, target)
        except (av.FFmpegError, ValueError) as error:
            raise ClipError(f"Subtitles cannot be converted: {error}.") from error


def _coded(text: bytes, packet: av.Packet[Any], target: SubtitleStream) -> av.Packet[Any]:
    shown_msecs = round((packet.duration or 0) * packet.time_base * 1000)
    made: av.Packet[Any] = target.codec_context.encode_subtitle(SubtitleSet.create(text, 0, shown_msecs))
    made.pts = made.dts = packet.pts
    made.duration, made.time_base, made.stream = packet.duration, packet.time_base, target
    return made


def _opened(context: SubtitleCodecContext) -> SubtitleCodecContext:
    """Return ``context``, opened: only then it knows its header."""
    context.open(strict=False)
    return context
