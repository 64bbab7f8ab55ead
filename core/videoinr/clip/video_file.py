"""Decodes one video stream of one file, a packet at a time. Turns PyAV's errors into ClipError."""

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
"""The largest frame that is read. A damaged header may declare more, which would take gigabytes of memory."""

_TEXT_ART = {"tty", "bin", "xbin", "adf", "idf", "txd"}
"""FFmpeg's demuxers that show a text file as a video."""

_NO_FRAMES = (Disposition.attached_pic, Disposition.timed_thumbnails)


@contextlib.contextmanager
def av_errors_as(message: str, hint: str) -> Iterator[None]:
    """Turn the errors that PyAV raises into a :class:`ClipError` of this message and hint."""
    try:
        yield
    except (av.FFmpegError, OSError, ValueError, RuntimeError, MemoryError, ArithmeticError, LookupError) as error:
        raise ClipError(message, hint=hint) from error


class VideoFile:
    """Decodes the best video stream of a file forward, from the start or from the last seek.

    Attributes:
        path: the file.
        seeks: how many seeks and restarts there were.
        errors: how many packets the decoder refused.
        broke_off: whether reading ended with an error before the end of the file.
        stream: PyAV's stream.
        audio: the file's audio streams.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``.

        Raises:
            ClipError: there is no such file, it holds no video, or its codec cannot be decoded here.
        """
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
        """The stream's remaining packets, undecoded: for scanning the whole file."""
        return self._packets

    @property
    def declared_packets(self) -> int:
        """How many packets the container's own index lists; 0 if it has none (MP4 and MOV have one)."""
        return len(self.stream.index_entries) if "mov" in self._container.format.name else 0

    @property
    def declared_secs(self) -> Fraction:
        """The video's duration by the container's header; 0 if the header gives none, or one that includes audio."""
        stream, whole = self.stream, self._container.duration
        if stream.duration and stream.time_base:
            return stream.duration * stream.time_base
        return Fraction(whole, av.time_base) if whole and not self.audio else Fraction(0)

    @property
    def is_drained(self) -> bool:
        """Whether the stream was read to its end and all its frames were returned."""
        return self._tail is not None and not self._tail

    def next_key(self) -> tuple[int | None, int] | None:
        """Skip to the next key packet, which is decoded next. Return its (pts, size), or None if there is none."""
        for packet in self._packets:
            if packet.is_keyframe:
                self._held = packet
                return packet.pts, packet.size
        return None

    def step(self) -> list[av.VideoFrame] | None:
        """Decode the next packet. Return the frames that came out (often none or one), or None after the last frame."""
        if self._tail is None:
            packet = self._held or next(self._packets, None)
            self._held = None
            frames = self._decode(packet)
            if packet is not None:
                return frames
            # The decoder's last frames are returned one by one: all at once would displace a small cache.
            self._tail = deque(frames)
        return [self._tail.popleft()] if self._tail else None

    def _decode(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        try:
            return self.stream.codec_context.decode(packet)
        except (av.FFmpegError, OSError, ValueError, MemoryError):
            self.errors += 1
            return []

    def seek(self, time: int) -> bool:
        """Seek to a key packet near ``time`` (the stream's ticks). Return False if the file does not allow it."""
        self.seeks += 1
        self._packets.close()
        try:
            self._container.seek(time, stream=self.stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError):
            return False
        self._start_reading()
        return True

    def restart(self) -> None:
        """Open the file again: this reaches its start in every container.

        Raises:
            ClipError: the file is gone or was replaced; the position then stays as it was.
        """
        self.seeks += 1
        anew = self._opened()
        self.close()
        self._take(*anew)

    def _read_packets(self) -> Generator[av.Packet[av.VideoStream], None, None]:
        """Yield the packets that hold data, in file order, as far as the file can be read."""
        try:
            for packet in self._container.demux(self.stream):
                if packet.size:
                    yield packet
        except (av.FFmpegError, OSError):
            self.broke_off = True
        except LookupError:
            # At the end of a file, PyAV fails on streams that appeared only while the file was read.
            return

    def close(self) -> None:
        """Close the file and free the decoder, which ends its threads."""
        self._packets.close()
        self._container.close()
        self._held = self._tail = None
        # PyAV frees a codec context, and joins its threads, when the last reference to it goes.
        del self.stream, self._packets


def open_container(path: Path) -> InputContainer:
    """Open a media file with the demuxer that fits its content. Neither the network nor other files are read.

    Raises:
        ClipError: the file cannot be read, or FFmpeg does not know its format.
    """
    size = _readable_size(path)
    if size == 0:
        raise ClipError(f"“{path.name}” is empty.", hint="Copy or record it again.")
    with av_errors_as(f"“{path.name}” can't be read as video.", "It may be damaged, or not a video."):
        # Without "file:", FFmpeg would take a name with a colon for a protocol.
        container = av.open(f"file:{path}", options=_OPEN_OPTIONS, metadata_errors="replace")
    if container.format.name in _TEXT_ART:
        container.close()
        raise ClipError(f"“{path.name}” is text, not a video.")
    return container


_OPEN_OPTIONS = {"max_pixels": str(MAX_PIXELS), "protocol_whitelist": "file"}


def video_stream(container: InputContainer, path: Path) -> av.VideoStream:
    """Return the video stream that a player would show.

    Raises:
        ClipError: there is none (only sound or a cover picture), its codec is unknown, or its frames are too large.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream) or any(kind in stream.disposition for kind in _NO_FRAMES):
        what = "only sound" if container.streams.audio else "no video"
        hint = "Choose a file with video. A recording that was cut off may have lost its video."
        raise ClipError(f"“{path.name}” holds {what}.", hint=hint)
    if stream.codec_context is None:
        raise ClipError(f"“{path.name}” uses a video codec that FFmpeg cannot decode here.", hint="Convert it first.")
    check_size(stream.codec_context.width, stream.codec_context.height, path.name)
    return stream


def audio_streams(container: InputContainer) -> tuple[AudioInfo, ...]:
    """Return the file's audio streams, also those of an unknown codec."""
    known = (stream.codec_context for stream in container.streams.audio)
    return tuple(
        AudioInfo(context.codec.canonical_name, context.layout.nb_channels, context.sample_rate)
        if context is not None
        else AudioInfo("unknown", 0, 0)
        for context in known
    )


def check_size(width: int, height: int, name: str) -> None:
    """Check that frames of ``width`` x ``height`` pixels have at most :data:`MAX_PIXELS`.

    Raises:
        ClipError: they have more. The message gives ``name``.
    """
    if width * height > MAX_PIXELS:
        raise ClipError(
            f"“{name}” has frames of {width}x{height} pixels, which is more than can be read.",
            hint=f"At most {MAX_PIXELS // 1_000_000} megapixels can be read. The file's header may be damaged.",
        )


def _readable_size(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return file.seek(0, 2)
    except OSError as error:
        raise ClipError(f"“{path}” cannot be read: {error.strerror}.", hint="Check its permissions.") from error
