"""Decodes one video stream of one file, a packet at a time. Turns PyAV's errors into ClipError."""

from __future__ import annotations

import contextlib
import io
import re
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream

from videoinr.clip.animated_png import unmark_dependent_frame
from videoinr.clip.formats import VIDEO_OPTIONS
from videoinr.clip.gif_delays import with_browsers_delays
from videoinr.clip.pixels import tags_of
from videoinr.clip.sound_channels import audio_streams
from videoinr.clip.start_timecode import timecode_tag
from videoinr.clip.unreadable import refuse_empty, refuse_if_known_why
from videoinr.errors import ClipError, UsageError, VideoInrError

MAX_PIXELS = 8192 * 8192
"""The largest frame that is read. A damaged header may declare more, which would take gigabytes of memory."""

DECODER_THREADS = 0
"""Threads of a decoder; 0: as many as FFmpeg finds fit, which is one more than there are processors, at most 16."""
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}

_DURATION = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)")

_NO_FRAMES = (Disposition.attached_pic, Disposition.timed_thumbnails)


@contextlib.contextmanager
def av_errors_as(message: str, hint: str) -> Iterator[None]:
    """Turn the errors that PyAV raises in a ``with`` block into a :class:`ClipError` of this message and hint.

    Too little memory (or none for a thread) is named in the hint: it may be the computer's, or a damaged file may ask
    for far too much.
    """
    try:
        yield
    except (av.FFmpegError, OSError, ValueError, RuntimeError, MemoryError, ArithmeticError, LookupError) as error:
        short = (
            "The memory did not suffice: close other programs. "
            if isinstance(error, MemoryError | BlockingIOError)
            else ""
        )
        raise ClipError(message, hint=short + hint) from error


class VideoFile:
    """Decodes one video stream of a file forward, from the start or from the last seek.

    Attributes:
        path: the file.
        tags: the container's colour tags, read before the decoder replaces them.
        timecode_tag: what the file calls its first frame; empty if it does not say.
        seeks: how many seeks and restarts there were.
        errors: how many packets the decoder refused, or decoded with errors, since the file was opened.
        broke_off: whether reading ended with an error before the end of the file.
        stream: PyAV's stream.
        audio: the file's audio streams.
    """

    def __init__(self, path: Path, number: int | None = None) -> None:
        """Open ``path``.

        Args:
            path: the file.
            number: which of its video streams to read, counted from 0; None for the one that a player would show.

        Raises:
            ClipError: there is no such file, it holds no video, or its codec cannot be decoded here.
            UsageError: it has no such stream.
        """
        self.path, self._number = path, number
        self._where = path.absolute()  # It may be opened again from another folder.
        self.seeks = self.errors = 0
        self.broke_off = self._lost_its_end = False
        self._take(*self._opened())

    def _opened(self) -> tuple[InputContainer, av.VideoStream]:
        container = open_container(self._where)
        try:
            return container, video_stream(container, self.path, self._number)
        except VideoInrError:
            container.close()
            raise

    def _take(self, container: InputContainer, stream: av.VideoStream) -> None:
        self._container, self.stream = container, stream
        self.audio = audio_streams(container)
        self.tags, self.timecode_tag = tags_of(stream.codec_context), timecode_tag(container, stream)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.codec_context.thread_type = "SLICE" if self._lost_its_end else "AUTO"
        stream.codec_context.thread_count = DECODER_THREADS
        self._decoder = _alpha_decoder(stream) or stream.codec_context
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
    def format_name(self) -> str:
        """FFmpeg's name of the container's format."""
        return self._container.format.name

    @property
    def declared_packets(self) -> int:
        """How many packets the container's own index lists; 0 if it has none (MP4 and MOV have one)."""
        return len(self.stream.index_entries) if "mov" in self._container.format.name else 0

    @property
    def declared_secs(self) -> Fraction:
        """The video's duration by the container's header; 0 if the header gives none, or one of all streams."""
        stream, whole = self.stream, self._container.duration
        if stream.duration and stream.time_base:
            return stream.duration * stream.time_base
        tagged = next((value for name, value in stream.metadata.items() if name.upper().startswith("DURATION")), "")
        if tagged:
            return _secs_of_tag(tagged)
        return Fraction(whole, av.time_base) if whole and len(self._container.streams) == 1 else Fraction(0)

    @property
    def sound_start_secs(self) -> Fraction | None:
        """When the first sound starts, in the file's own time; None if that is unknown or there is none."""
        sound = self._container.streams.best("audio")
        if sound is None or sound.start_time is None or sound.time_base is None:
            return None
        return Fraction(sound.start_time * sound.time_base)

    @property
    def number(self) -> int:
        """Which of the file's video streams this is, counted from 0."""
        return next(n for n, each in enumerate(self._container.streams.video) if each.index == self.stream.index)

    @property
    def others(self) -> list[str]:
        """The other video streams that can be shown, as "1 (64x48, h264)"."""
        streams = enumerate(self._container.streams.video)
        shown = ((n, each.codec_context) for n, each in streams if _has_frames(each) and self._is_other(each))
        return [f"{n} ({context.width}x{context.height}, {context.codec.canonical_name})" for n, context in shown]

    @property
    def has_hidden_alpha(self) -> bool:
        """Whether the stream has an alpha channel that is not decoded. Matroska may say so of any codec."""
        is_apart = self.stream.codec_context.codec.canonical_name in _ALPHA_DECODERS
        return is_apart and _says_alpha(self.stream) and self._decoder is self.stream.codec_context

    @property
    def alpha_stream(self) -> int | None:
        """Which of the file's video streams is the alpha channel of this one (AVIF); None without one."""
        ours, streams = self.stream, enumerate(self._container.streams.video)
        if not _is_avif(self._container) or _is_grey(ours):
            return None
        size = ours.width, ours.height, ours.frames
        alike = ((n, each) for n, each in streams if (each.width, each.height, each.frames) == size)
        return next((n for n, each in alike if _is_grey(each)), None)

    def _is_other(self, stream: av.VideoStream) -> bool:
        """Return whether ``stream`` is another video, not the still picture or the alpha channel of an AVIF file."""
        ours = self.stream
        alike = (stream.width, stream.height) == (ours.width, ours.height) and _is_avif(self._container)
        is_still = alike and stream.frames == 1 < ours.frames
        is_alpha = alike and _is_grey(stream) and not _is_grey(ours)
        return stream is not ours and not is_still and not is_alpha

    def reopened(self) -> VideoFile:
        """Open the same stream once more, at its start."""
        return VideoFile(self._where, self._number)

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
            return self._decoder.decode(packet)
        except (av.FFmpegError, OSError, ValueError, MemoryError):
            self.errors += 1
            return []

    def miss_frame(self) -> None:
        """Take note that a frame did not come before the end: from the next seek on, no frame has its own thread.

        With such threads errors are met some packets later. One that is met after all packets costs the last frames.
        """
        self._lost_its_end = True

    def seek(self, time: int) -> bool:
        """Seek to a key packet near ``time`` (the stream's ticks). Return False if the file does not allow it."""
        self.seeks += 1
        if self._lost_its_end and self.stream.codec_context.thread_type != ThreadType.SLICE:
            with contextlib.suppress(ClipError):  # If the file is gone, what is open can still be read.
                self.restart()
        self._packets.close()
        try:
            self._container.seek(time, stream=self.stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError):
            return False
        if self._decoder is not self.stream.codec_context:
            # PyAV flushes only the stream's own decoder.
            self._decoder.flush_buffers()
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
        is_animated_png = self.stream.codec_context.codec.canonical_name == "apng"
        try:
            for packet in self._container.demux(self.stream):
                if packet.size:
                    if is_animated_png:
                        unmark_dependent_frame(packet)
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
        del self.stream, self._packets, self._decoder


def open_container(path: Path) -> InputContainer:
    """Open a media file with the demuxer that fits its content. Neither the network nor other files are read.

    Raises:
        ClipError: the file cannot be read, or FFmpeg does not know its format.
    """
    size = _readable_size(path)
    if size == 0:
        refuse_empty(path)
    try:
        with av_errors_as(f"“{path.name}” can't be read as video.", "It may be damaged, or not a video."):
            changed = with_browsers_delays(path)
            # Without "file:", FFmpeg would take a name with a colon for a protocol.
            source = io.BytesIO(changed[0]) if changed else f"file:{path}"
            return av.open(source, "r", options=_OPEN_OPTIONS, metadata_errors="replace")
    except ClipError:
        refuse_if_known_why(path)
        raise


_OPEN_OPTIONS = {"max_pixels": str(MAX_PIXELS), **VIDEO_OPTIONS}


def video_stream(container: InputContainer, path: Path, number: int | None = None) -> av.VideoStream:
    """Return a video stream of a file.

    Args:
        container: the open file.
        path: its path, for messages.
        number: which video stream, counted from 0; None for the one that a player would show.

    Raises:
        ClipError: there is none (only sound or a cover picture), its codec is unknown, or its frames are too large.
        UsageError: there is no stream ``number``.
    """
    streams = [stream for stream in container.streams.video if _is_shown(stream)]
    best = _picture_of(container, container.streams.best("video"))
    stream = best if number is None else next((s for n, s in enumerate(container.streams.video) if n == number), None)
    if not streams or (number is None and (not isinstance(stream, av.VideoStream) or not _is_shown(stream))):
        what = "only sound" if container.streams.audio else "no video"
        hint = "Choose a file with video. A recording that was cut off may have lost its video."
        raise ClipError(f"“{path.name}” holds {what}.", hint=hint)
    if not isinstance(stream, av.VideoStream) or not _is_shown(stream):
        raise UsageError(
            f"“{path.name}” has no video stream {number}.",
            hint=f"Choose one of: {', '.join(str(n) for n, s in enumerate(container.streams.video) if _is_shown(s))}.",
        )
    if stream.codec_context is None:
        raise ClipError(f"“{path.name}” uses a video codec that FFmpeg cannot decode here.", hint="Convert it first.")
    check_size(stream.codec_context.width, stream.codec_context.height, path.name)
    return stream


def _picture_of(container: InputContainer, best: Stream | None) -> Stream | None:
    """Return ``best``, or the stream whose alpha channel it is: AVIF keeps that as a grey stream of its own."""
    if not isinstance(best, av.VideoStream) or not _is_avif(container) or not _is_grey(best):
        return best
    size = best.width, best.height, best.frames
    alike = (each for each in container.streams.video if (each.width, each.height, each.frames) == size)
    return next((each for each in alike if not _is_grey(each)), best)


def _says_alpha(stream: av.VideoStream) -> bool:
    """Return whether a WebM stream carries an alpha channel, as a second stream within its packets."""
    return any(name.lower() == "alpha_mode" and value == "1" for name, value in stream.metadata.items())


def _alpha_decoder(stream: av.VideoStream) -> av.VideoCodecContext | None:
    """Return a decoder of VP8 or VP9 with its alpha channel, if one is needed: FFmpeg's own decoders leave it out."""
    name = _ALPHA_DECODERS.get(stream.codec_context.codec.canonical_name)
    if name is None or not _says_alpha(stream):
        return None
    try:
        decoder = av.CodecContext.create(name, "r")
    except (av.FFmpegError, ValueError):
        return None
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    return decoder if isinstance(decoder, av.VideoCodecContext) else None


def _is_avif(container: InputContainer) -> bool:
    return container.metadata.get("major_brand") in ("avif", "avis")


def _is_grey(stream: av.VideoStream) -> bool:
    return stream.codec_context is not None and (stream.pix_fmt or "").startswith("gray")


def _is_shown(stream: av.VideoStream) -> bool:
    """Return whether ``stream`` is a video, not a cover picture or thumbnails."""
    return not any(kind in stream.disposition for kind in _NO_FRAMES)


def _has_frames(stream: av.VideoStream) -> bool:
    return _is_shown(stream) and stream.codec_context is not None


def _secs_of_tag(text: str) -> Fraction:
    """Return the seconds of Matroska's tag "00:00:02.040000000"; 0 if it is written otherwise."""
    found = _DURATION.fullmatch(text.strip())
    return 3600 * int(found[1]) + 60 * int(found[2]) + Fraction(found[3]) if found else Fraction(0)


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
