"""One video stream of one file: found, bounded, and decoded a packet at a time. PyAV's errors end here."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition

from videoinr.errors import ClipError
from videoinr.types import AudioInfo

MAX_PIXELS = 8192 * 8192
"""The largest frame read: a header that claims more is an error, not gigabytes of memory."""

_TEXT_ART = {"tty", "bin", "xbin", "adf", "idf", "txd"}
"""Demuxers that would draw a text file as a video."""

_NO_FRAMES = (Disposition.attached_pic, Disposition.timed_thumbnails)


@contextlib.contextmanager
def av_errors_as(message: str, hint: str) -> Iterator[None]:
    """Turn whatever PyAV raises into a :class:`ClipError`."""
    try:
        yield
    except (av.FFmpegError, OSError, ValueError, RuntimeError, MemoryError, ArithmeticError, LookupError) as error:
        raise ClipError(message, hint=hint) from error


class VideoFile:
    """The best video stream of ``path``, decoded forward from the start or from where it was last sent.

    ``seeks`` counts how often it was sent elsewhere; ``errors`` how many packets the decoder refused;
    ``broke_off`` says that reading ended in an error and not at the file's end.

    Raises:
        ClipError: no file, no video in it, or one that cannot be decoded here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seeks = 0
        self.errors = 0
        self.broke_off = False
        self._take(*self._opened())

    def _opened(self) -> tuple[InputContainer, av.VideoStream]:
        container = open_container(self.path)
        try:
            return container, video_stream(container, self.path)
        except ClipError:
            container.close()
            raise

    def _take(self, container: InputContainer, stream: av.VideoStream) -> None:
        self._container, self.stream = container, stream
        self.audio = audio_streams(container)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.codec_context.thread_type = "AUTO"
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        self._start_reading()

    def _start_reading(self) -> None:
        self._packets = self._read_packets()
        self._held: av.Packet[av.VideoStream] | None = None
        self._tail: deque[av.VideoFrame] | None = None

    @property
    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """What is left of the stream's packets, undecoded: for reading the whole file once."""
        return self._packets

    @property
    def promised_packets(self) -> int:
        """How many packets the container's own index lists, 0 where it has none (MP4 and MOV have one)."""
        return len(self.stream.index_entries) if "mov" in self._container.format.name else 0

    @property
    def promised_secs(self) -> Fraction:
        """How long the pictures last, by the container's header; 0 if it does not say so of pictures alone."""
        stream, whole = self.stream, self._container.duration
        if stream.duration and stream.time_base:
            return stream.duration * stream.time_base
        return Fraction(whole, av.time_base) if whole and not self.audio else Fraction(0)

    @property
    def drained(self) -> bool:
        """Whether the stream was read to its end and every frame given."""
        return self._tail is not None and not self._tail

    def next_key(self) -> tuple[int | None, int] | None:
        """Skip to the next key packet: its (pts, size), or None if there is none. It is decoded next."""
        for packet in self._packets:
            if packet.is_keyframe:
                self._held = packet
                return packet.pts, packet.size
        return None

    def step(self) -> list[av.VideoFrame] | None:
        """Decode one packet more: the frames that came out (often none, or one). None when all are out."""
        if self._tail is None:
            packet = self._held or next(self._packets, None)
            self._held = None
            frames = self._decode(packet)
            if packet is not None:
                return frames
            # What the decoder held back comes one by one, so that a small store of frames is not washed out.
            self._tail = deque(frames)
        return [self._tail.popleft()] if self._tail else None

    def _decode(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        try:
            return self.stream.codec_context.decode(packet)
        except (av.FFmpegError, OSError, ValueError, MemoryError):
            self.errors += 1
            return []

    def seek(self, time: int) -> bool:
        """Go to a key packet about ``time`` (the stream's ticks). False if the file cannot be sought in."""
        self.seeks += 1
        self._packets.close()
        try:
            self._container.seek(time, stream=self.stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError):
            return False
        self._start_reading()
        return True

    def restart(self) -> None:
        """Open the file anew: the start is reached whatever the container.

        Raises:
            ClipError: the file is gone, or another one; this one then stands where it stood.
        """
        self.seeks += 1
        anew = self._opened()
        self.close()
        self._take(*anew)

    def _read_packets(self) -> Generator[av.Packet[av.VideoStream], None, None]:
        """The packets that hold data, in file order, as far as the file can be read."""
        try:
            for packet in self._container.demux(self.stream):
                if packet.size:
                    yield packet
        except (av.FFmpegError, OSError):
            self.broke_off = True
        except LookupError:
            # PyAV, at the end of a file, stumbles over streams that appeared only while it was read.
            return

    def close(self) -> None:
        """Close the file and free the decoder, which ends its threads."""
        self._packets.close()
        self._container.close()
        self._held = self._tail = None
        # PyAV frees a codec context, and joins its threads, with the last reference to it.
        del self.stream, self._packets


def open_container(path: Path) -> InputContainer:
    """Open ``path`` with the demuxer that its content asks for. No network, no playlists of other files.

    Raises:
        ClipError: the file cannot be read, or holds nothing that FFmpeg knows.
    """
    size = _readable_size(path)
    if size == 0:
        raise ClipError(f"“{path.name}” is empty.", hint="Copy or record it again.")
    with av_errors_as(f"“{path.name}” is no video that can be read.", "It may be damaged, or not a video at all."):
        # "file:" keeps a colon in a name from being taken for a protocol.
        container = av.open(f"file:{path}", options=_OPEN_OPTIONS, metadata_errors="replace")
    if container.format.name in _TEXT_ART:
        container.close()
        raise ClipError(f"“{path.name}” is text, not a video.")
    return container


_OPEN_OPTIONS = {"max_pixels": str(MAX_PIXELS), "protocol_whitelist": "file"}


def video_stream(container: InputContainer, path: Path) -> av.VideoStream:
    """The stream a player would show.

    Raises:
        ClipError: there is none (only sound, or a cover picture), or its codec or size cannot be read.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream) or any(kind in stream.disposition for kind in _NO_FRAMES):
        what = "only sound" if container.streams.audio else "no video"
        hint = "Choose a file with moving pictures; a recording that was cut off may have lost its own."
        raise ClipError(f"“{path.name}” holds {what}.", hint=hint)
    if stream.codec_context is None:
        raise ClipError(f"“{path.name}” uses a video codec that FFmpeg cannot decode here.", hint="Convert it first.")
    check_size(stream.codec_context.width, stream.codec_context.height, path.name)
    return stream


def audio_streams(container: InputContainer) -> tuple[AudioInfo, ...]:
    """What sound goes with the video; streams of an unknown codec count too."""
    known = (stream.codec_context for stream in container.streams.audio)
    return tuple(
        AudioInfo(context.codec.canonical_name, context.layout.nb_channels, context.sample_rate)
        if context is not None
        else AudioInfo("unknown", 0, 0)
        for context in known
    )


def check_size(width: int, height: int, name: str) -> None:
    """Refuse frames of more than :data:`MAX_PIXELS`.

    Raises:
        ClipError: they are larger.
    """
    if width * height > MAX_PIXELS:
        raise ClipError(
            f"“{name}” claims frames of {width}x{height} pixels, more than can be read.",
            hint=f"Up to {MAX_PIXELS // 1_000_000} megapixels can be opened; its header may be damaged.",
        )


def _readable_size(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return file.seek(0, 2)
    except OSError as error:
        raise ClipError(f"“{path}” cannot be read: {error.strerror}.", hint="Check its permissions.") from error
