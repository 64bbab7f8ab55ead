"""Puts the parts of an export and the companions of its pictures into one file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from typing import Any

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from videoinr.cancel import CancelToken
from videoinr.errors import ClipError
from videoinr.exporting.coding import Coding
from videoinr.exporting.companion_tracks import CompanionTracks, TimedPacket
from videoinr.exporting.companions import Companions
from videoinr.exporting.decode_times import MOST_DELAY
from videoinr.exporting.matroska_header import MUXER_OPTIONS, PLACE_HOLDER
from videoinr.exporting.packet_file import Numbers, PacketFile
from videoinr.exporting.sound.ahead import SoundAhead
from videoinr.writing.partial_file import PartialFile

_BUFFER_BYTES = 1 << 16
_TRAILER_BYTES, _ENTRY_BYTES = 8192, 64
"""More than the end of a file takes, and its index for each frame."""


class CompanionError(ClipError):
    """What goes with the pictures could not be written. The pictures can."""


@dataclass(frozen=True)
class VideoParts:
    """The parts of an output, from its first frame on.

    Attributes:
        files: the packets of each part.
        frames: how many frames are taken of them; only of the last part fewer than there are.
    """

    files: Sequence[PacketFile]
    frames: int

    @classmethod
    def complete(cls, files: Sequence[PacketFile]) -> VideoParts:
        """Return as many frames of ``files`` as no frame is missing before."""
        return next(cls.prefixes(files), cls((), 0))

    @classmethod
    def prefixes(cls, files: Sequence[PacketFile]) -> Iterator[VideoParts]:
        """Yield the starts of ``files`` in which no frame is missing, the longest first."""
        counts = list[int]()
        first = min((packet.pts for file in files[:1] for packet in file.packets), default=0)
        for file in files:
            numbers = [packet.pts - first - sum(counts) for packet in file.packets]
            ends = complete_prefixes(numbers, 0, -1)
            counts.append(ends[-1])
            if ends[-1] < len(numbers) or file.notes is None:
                break
        while counts:
            numbers = [packet.pts - first - sum(counts[:-1]) for packet in files[len(counts) - 1].packets]
            for count in reversed(complete_prefixes(numbers, 0, -1)):
                if 0 < count <= counts[-1]:
                    yield cls(files[: len(counts)], sum(counts[:-1]) + count)
            counts.pop()

    @property
    def first(self) -> int:
        """The number of the first frame, by the encoder."""
        return min(packet.pts for packet in self.files[0].packets) if self.files and self.files[0].packets else 0

    @property
    def size(self) -> int:
        """How many bytes the packets have."""
        return sum(numbers.size for file in self.files for numbers in file.packets)

    @property
    def largest_size(self) -> int:
        """How many bytes the packets of the largest file have, as far as they are taken."""
        left, largest = self.frames, 0
        for file in self.files:
            largest = max(largest, sum(packet.size for packet in file.packets[:left]))
            left -= min(left, len(file.packets))
        return largest

    @property
    def delay(self) -> int:
        """How many frames the decoder reads before it shows the first one.

        As many as it takes for no frame to be shown before it is read; or, if that is more, as the encoder says. Its
        decode times are used for nothing else: some encoders give wrong ones now and then.
        """
        first, packets = self.first, [packet for file in self.files for packet in file.packets]
        told = packets[0].pts - packets[0].dts if packets else 0
        return max(
            [told if told <= MOST_DELAY else 0, *(index - (packet.pts - first) for index, packet in enumerate(packets))]
        )

    def packets(self, after_file: Callable[[PacketFile], None]) -> Iterator[tuple[Numbers, bytes]]:
        """Yield the packets of the frames taken. ``after_file`` is called after the last packet of each file."""
        left = self.frames
        for file in self.files:
            count = min(left, len(file.packets))
            yield from file.data(count)
            left -= count
            after_file(file)


def write_video(
    file: PartialFile,
    coding: Coding,
    parts: VideoParts,
    companions: Companions | None,
    token: CancelToken,
    *,
    ahead: SoundAhead | None = None,
    after_file: Callable[[PacketFile], None] = lambda _: None,
) -> None:
    """Write the frames of ``parts`` and ``companions`` to ``file``; ``ahead``: sound of them that was made before.

    Raises:
        CompanionError: the companions cannot be read or encoded. The file is of no use then.
        av.FFmpegError, OSError, ValueError: the file cannot be written.
        Cancelled: ``token`` was cancelled.
    """
    options = {"movflags": "+faststart"} if coding.muxer in ("mp4", "mov") else {**MUXER_OPTIONS}
    with contextlib.ExitStack() as stack:
        container = av.open(
            file, "w", format=coding.muxer, container_options=options, buffer_size=_BUFFER_BYTES,
            io_open=lambda *_: file.reader(),
        )  # fmt: skip
        stack.callback(_close_quietly, container)
        stream = _add_stream(container, coding)
        tracks = None
        if companions is not None:
            with _companion_errors():
                tracks = CompanionTracks(companions, container, parts.frames / coding.fps, token, ahead)
            stack.callback(tracks.close)
        container.start_encoding()
        video = _video_packets(stream, coding, parts, after_file)
        others = [_checked(packets) for packets in tracks.packets()] if tracks else []
        for _, packet in merge(video, *others, key=lambda timed: timed[0]):
            token.check()
            container.mux(packet)
        container.close()


def _close_quietly(container: OutputContainer) -> None:
    with contextlib.suppress(av.FFmpegError, OSError, ValueError):
        container.close()


def _add_stream(container: OutputContainer, coding: Coding) -> VideoStream:
    stream = coding.new_stream(container)
    if coding.aspect != 1 and coding.muxer in ("matroska", "webm"):
        stream.metadata["title"] = PLACE_HOLDER
    return stream


def _video_packets(
    stream: VideoStream, coding: Coding, parts: VideoParts, after_file: Callable[[PacketFile], None]
) -> Iterator[TimedPacket]:
    base, delay, first = 1 / coding.fps, parts.delay, parts.first
    for index, (numbers, data) in enumerate(parts.packets(after_file)):
        packet: av.Packet[Any] = av.Packet(data)
        packet.stream, packet.time_base = stream, base
        packet.pts, packet.dts, packet.duration = numbers.pts - first, index - delay, 1
        packet.is_keyframe = numbers.is_key
        yield Fraction(index - delay) * base, packet


def _checked(packets: Iterator[TimedPacket]) -> Iterator[TimedPacket]:
    with _companion_errors():
        yield from packets


@contextlib.contextmanager
def _companion_errors() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ClipError, OSError, ValueError, ArithmeticError, LookupError) as error:
        raise CompanionError(f"What goes with the pictures cannot be written: {error}.") from error


def end_bytes(frames: int) -> int:
    """Return more than the index of ``frames`` frames and the end of a file take."""
    return frames * _ENTRY_BYTES + _TRAILER_BYTES


def complete_prefixes(numbers: Sequence[int], before: int, latest: int) -> list[int]:
    """Return the lengths at which a sequence of packets can end, so that no frame before the last one is missing.

    Args:
        numbers: the frame in each packet, in the order of decoding.
        before: how many packets came before.
        latest: the last frame among them, -1 if there were none.
    """
    lengths = [0] if latest + 1 == before else []
    for length, number in enumerate(numbers, 1):
        latest = max(latest, number)
        if latest + 1 == before + length:
            lengths.append(length)
    return lengths
