"""Copies the packets of a sound stream: whether a file can take them, and at which times they lie."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from videoinr.cancel import CancelToken
from videoinr.exporting.sound.facts import SoundFacts

_COMPRESSED = ("aac", "mp3", "ac3", "eac3", "alac")
_PCM = ("pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le")
_HELD = {
    "mp4": (*_COMPRESSED, "opus", "flac"),
    "mov": (*_COMPRESSED, *_PCM, "pcm_s16be", "pcm_s24be"),
    "matroska": (*_COMPRESSED, *_PCM, "mp2", "opus", "vorbis", "flac", "dts", "truehd"),
    "webm": ("opus", "vorbis"),
}
"""The codecs that files of each of FFmpeg's muxers hold, as far as players know them."""

_DELAYS = frozenset(("aac", "mp3"))
"""Codecs whose delay FFmpeg's MP4 demuxer gives only in its first packet, where Matroska's muxer does not look."""

_EARLY_SECS = Fraction(1, 1000)
"""A stream that starts so little before the picture starts with it: containers round times to milliseconds."""


def why_not_copied(sound: SoundFacts, container: str, muxer: str, origin_secs: Fraction) -> str:
    """Return why the packets of a stream cannot be copied into a file of FFmpeg's ``muxer``; empty if they can.

    Args:
        sound: the stream.
        container: FFmpeg's name of the format that it is in.
        muxer: FFmpeg's name of the format of the output.
        origin_secs: the file's own time of the first picture.
    """
    if sound.codec not in _HELD[muxer]:
        return f"the file cannot hold {sound.codec}"
    if sound.codec == "aac" and not sound.has_header:
        return "its header would have to be rebuilt"
    if sound.codec in _DELAYS and muxer == "matroska" and "mov" in container:
        return f"the file cannot hold the delay of {sound.codec}"
    if sound.has_own_order:
        return "its channels are in an order of their own"
    if sound.start_secs is not None and sound.start_secs < origin_secs - _EARLY_SECS:
        return "it starts before the picture"
    return ""


def copied_packets(
    container: InputContainer,
    source: av.AudioStream,
    target: av.AudioStream,
    *,
    start_secs: Fraction,
    duration_secs: Fraction,
    token: CancelToken,
) -> Iterator[av.Packet[Any]]:
    """Yield the packets of ``source`` for the stream ``target``, as far as they lie in the output.

    Args:
        container: the open file of ``source``, at its start.
        source: the stream to copy.
        target: the stream of the output.
        start_secs: the file's own time of the output's second 0.
        duration_secs: how long the output is. The last packet is declared to end there, although it may hold more.
        token: cancels the copying.
    """
    rate = source.codec_context.sample_rate
    clock = _SampleClock(rate, start_secs)
    unit = Fraction(1, rate)
    end = int(duration_secs * rate + Fraction(1, 2))
    for packet in container.demux(source):
        token.check()
        if packet.pts is None or not packet.size:
            continue
        first, count = clock.place(packet)
        if first >= end:
            return
        if first < 0 and start_secs > clock.stream_start_secs + _EARLY_SECS:
            continue
        packet.stream, packet.time_base = target, unit
        packet.pts = packet.dts = first
        packet.duration = min(count, end - first)
        yield packet


class _SampleClock:
    """Counts samples over packets whose times a container has rounded to milliseconds."""

    def __init__(self, rate: int, start_secs: Fraction) -> None:
        self._rate, self._start = rate, start_secs
        self._is_first = True
        self._next: int | None = None
        self.stream_start_secs = start_secs

    def place(self, packet: av.Packet[Any]) -> tuple[int, int]:
        """Return the sample at which ``packet`` begins, counted from the start of the output, and its length."""
        base = packet.time_base
        time_secs = (packet.pts or 0) * base
        first = round((time_secs - self._start) * self._rate)
        slack = base * self._rate * Fraction(3, 2)
        if self._is_first:
            self._is_first = False
            lead = _skipped(packet)
            # The stream itself begins after the encoder's delay.
            if abs(first + lead - round(-self._start * self._rate)) <= slack:
                first = round(-self._start * self._rate) - lead
            self.stream_start_secs = time_secs + Fraction(lead, self._rate)
        elif self._next is not None and abs(first - self._next) <= slack:
            first = self._next
        count, is_exact = self._length(packet, base)
        # Lengths that are rounded, too, do not tell more than the packet's own time: their errors would add up.
        self._next = first + count if is_exact else None
        return first, count

    def _length(self, packet: av.Packet[Any], base: Fraction) -> tuple[int, bool]:
        """Return the number of samples of ``packet``, and whether it is exact.

        It is the packet's duration, or the codec's own number where that is rounded.
        """
        said = round((packet.duration or 0) * base * self._rate)
        if base * self._rate <= 1:
            return said, True
        usual = packet.stream.codec_context.frame_size
        slack = base * self._rate * Fraction(3, 2)
        return (usual, True) if usual and abs(said - usual) <= slack else (said, False)


def _skipped(packet: av.Packet[Any]) -> int:
    """Return how many samples at the start of the first packet are the encoder's delay."""
    for each in packet.iter_sidedata():
        if each.data_type == "skip_samples":
            return int.from_bytes(bytes(each)[:4], "little")
    return 0
