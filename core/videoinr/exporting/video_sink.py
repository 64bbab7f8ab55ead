"""Writes frames to a video file through an encoder, with the colour tags of the clip and exact times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.siting import ChromaPlacer, is_subsampled
from videoinr.errors import ExportError
from videoinr.exporting.codecs import CONTAINERS, Codec, check_encodes
from videoinr.exporting.matroska_aspect import MUXER_OPTIONS, write_matroska_aspect
from videoinr.exporting.png import frame_from_pixels
from videoinr.exporting.tags import StreamTags
from videoinr.exporting.target import NameTakenError, partial_path, write_errors
from videoinr.exporting.verify import verify_video
from videoinr.writing.claims import claim
from videoinr.writing.names import free_name
from videoinr.writing.partial_file import PartialFile

_FULL_RANGE = 2
_BUFFER_BYTES = 1 << 16
_TRAILER_BYTES, _ENTRY_BYTES = 8192, 64
"""More than the end of a file takes, and its index for each frame."""
_FIRST_RATIO = 128
"""How many times smaller than its pixels a coded frame is assumed to be; this counts as much as some real frames."""
_FIRST_WEIGHT = 10
# Without these flags swscale rounds down, and takes the chroma of every second pixel instead of a mean.
_EXACT = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)


class VideoSink:
    """Writes a video of ``width`` x ``height`` pixels; frame ``i`` is shown at ``i / fps`` seconds.

    ``crf``: the codec's quality, None for its default. ``aspect``: width of a pixel by its height. Use the sink on the
    thread that created it. ``overwrite``: replace an existing file. ``keeps_partial``: keep room on the disk, so that
    the file can be finished when the disk is full. ``token`` cancels :meth:`finish`.
    """

    def __init__(
        self,
        out: Path,
        *,
        width: int,
        height: int,
        fps: Fraction,
        codec: Codec,
        crf: int | None,
        tags: StreamTags,
        aspect: Fraction = Fraction(1),
        overwrite: bool = False,
        keeps_partial: bool = False,
        token: CancelToken = NEVER,
    ) -> None:
        self._out = out
        self._overwrite, self._keeps_partial, self._token = overwrite, keeps_partial, token
        self._file: PartialFile | None = None
        self._width, self._height, self._fps = width, height, fps
        self._codec, self._tags, self._aspect = codec, tags, aspect
        self._pix_fmt = codec.pix_fmt_for(width, height)
        self._options = codec.options_for(crf)
        siting = _siting(self._pix_fmt, codec, out, is_full=tags.range == _FULL_RANGE)
        self._placer = ChromaPlacer(siting) if siting else None
        if siting:
            self._options["chroma_sample_location"] = siting
        self._reformatter = VideoReformatter()
        self._needs_matroska_aspect = aspect != 1 and CONTAINERS[out.suffix.lower()] in ("matroska", "webm")
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._count = self._packets = self._packet_bytes = self._largest_bytes = 0
        self._latest = -1
        self._drain: Iterator[av.Packet[VideoStream]] | None = None
        self._drained: list[av.Packet[VideoStream]] = []

    def open(self) -> None:
        """Test and start the encoder, and create the unfinished file."""
        check_encodes(self._codec)
        with self._errors():
            muxer = CONTAINERS[self._out.suffix.lower()]
            options = {"movflags": "+faststart"} if muxer in ("mp4", "mov") else {}
            options |= MUXER_OPTIONS if self._needs_matroska_aspect else {}
            self._file = file = claim(self._out, PartialFile)
            self._container = av.open(
                file, "w", format=muxer, container_options=options, buffer_size=_BUFFER_BYTES,
                io_open=lambda *_: file.reader(),
            )  # fmt: skip
            self._stream = self._add_stream(self._container)
            self._container.start_encoding()

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        stream = container.add_stream(self._codec.encoder, rate=self._fps, options=self._options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, self._pix_fmt
        stream.time_base = 1 / self._fps
        context, tags = stream.codec_context, self._tags
        context.time_base = 1 / self._fps
        context.colorspace, context.color_range = tags.matrix, tags.range
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        if self._aspect != 1:
            context.sample_aspect_ratio = self._aspect
        if self._codec.encoder in ("libx265", "hevc_nvenc", "hevc_videotoolbox") and self._out.suffix != ".mkv":
            context.codec_tag = "hvc1"  # Apple's players know HEVC only by this tag.
        return stream

    @property
    def kept_frames(self) -> int:
        """How many frames the file holds, after :meth:`finish`."""
        return self._count

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Encode the next frame."""
        assert self._stream is not None, "open the sink first"
        assert self._file is not None
        with self._errors():
            if self._keeps_partial:
                self._file.reserve(self._finished_bytes())
            frame = self._frame(rgbx)
            frame.pts, frame.time_base = self._count, 1 / self._fps
            self._mux(frame)
        self._count += 1

    def _frame(self, rgbx: NDArray[np.uint8]) -> av.VideoFrame:
        source = frame_from_pixels(rgbx, "rgba")
        if self._placer:
            # PyAV copies the location from the source to the frame that swscale fills.
            source = self._placer.placed(source)
        tags = self._tags
        frame = self._reformatter.reformat(
            source, format=self._pix_fmt, interpolation=_EXACT,
            src_colorspace=tags.swscale_matrix, dst_colorspace=tags.swscale_matrix,
            src_color_range=_FULL_RANGE, dst_color_range=tags.range,
        )  # fmt: skip
        frame.colorspace, frame.color_range = tags.matrix, tags.range
        frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
        return frame

    def _finished_bytes(self) -> int:
        """Return an estimate of the file's size if it is finished after the next frame.

        The muxer holds packets back, so it is not enough to look at what was written.
        """
        first = self._width * self._height * 3 // 2 // _FIRST_RATIO
        # The first packets hold key frames, which are far larger than the others.
        usual = (self._packet_bytes + _FIRST_WEIGHT * first) * 3 // 2 // (self._packets + _FIRST_WEIGHT)
        waiting = (self._count + 1 - self._packets) * usual + self._largest_bytes
        return self._packet_bytes + waiting + _end_bytes(self._count)

    def _mux(self, frame: av.VideoFrame | None, token: CancelToken = NEVER) -> None:
        assert self._stream is not None
        assert self._container is not None
        # Lazily: the last frames of a slow encoder take seconds, between which the export can be cancelled.
        for packet in self._stream.encode_lazy(frame):
            token.check()
            self._mux_packet(self._container, packet)

    def _mux_packet(self, container: OutputContainer, packet: av.Packet[VideoStream]) -> None:
        self._packets += 1
        self._packet_bytes += packet.size
        self._largest_bytes = max(self._largest_bytes, packet.size)
        self._latest = max(self._latest, packet.pts or 0)
        container.mux(packet)

    def _mux_what_fits(
        self, container: OutputContainer, file: PartialFile, *, partial: bool, token: CancelToken
    ) -> None:
        """Take the last frames out of the encoder, and write them if the disk has room for them.

        ``partial``: write as many as it has room for. Otherwise, if it has not, nothing is written yet.
        """
        assert self._stream is not None
        if self._drain is None:
            self._drain = self._stream.encode_lazy(None)
        for packet in self._drain:
            self._drained.append(packet)
            token.check()
        packets = self._drained
        whole = complete_prefixes([(packet.pts or 0) for packet in packets], self._packets, self._latest)
        for length in reversed(whole):
            size = self._packet_bytes + sum(packet.size for packet in packets[:length])
            try:
                file.reserve(size + _end_bytes(self._packets + length))
            except OSError:
                if length == whole[0] or not partial:
                    raise
            else:
                for packet in packets[:length]:
                    self._mux_packet(container, packet)
                break
        self._count = self._packets

    def finish(self, *, partial: bool = False) -> Path:
        """Flush the encoder, close and check the file, and give it its name."""
        assert self._container is not None, "open the sink first"
        assert self._file is not None
        # What is kept of a cancelled export is finished although it was cancelled.
        token = NEVER if partial else self._token
        with self._errors():
            if self._keeps_partial or partial:
                self._mux_what_fits(self._container, self._file, partial=partial, token=token)
            else:
                self._mux(None, token)
            self._container.close()
            if self._needs_matroska_aspect:
                write_matroska_aspect(self._file.path, self._aspect)
            self._file.complete()
        verify_video(
            self._file.path, width=self._width, height=self._height, frames=self._count, fps=self._fps, token=token
        )
        return self._named(self._file, partial=partial)

    def _named(self, file: PartialFile, *, partial: bool) -> Path:
        with write_errors(self._out):
            if partial:
                return file.commit(partial_path(self._out), replace=False)
            try:
                return file.commit(replace=self._overwrite)
            except FileExistsError as error:
                kept = file.commit(free_name(self._out), replace=False)
                raise NameTakenError(self._out, kept, self._count) from error

    def abort(self) -> None:
        """Close the file and remove it."""
        if self._file is not None:
            # PyAV writes no end to a closed file: that could take long, or fail again.
            self._file.discard()
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with write_errors(self._out):
                yield
        except (av.FFmpegError, ValueError) as error:
            raise ExportError(
                f"{self._codec.encoder} cannot encode {self._width}x{self._height} at {self._fps} frames per second.",
                hint="Try another codec or size.",
            ) from error


def _siting(pix_fmt: str, codec: Codec, out: Path, *, is_full: bool) -> str | None:
    """Return where the chroma samples of a written file lie: FFmpeg's name, or None if it has as many as luma samples.

    It is the left, which all codecs take for granted. Only a full-range VP9 file in an MP4 has the centre: FFmpeg reads
    no location from it, and players then take the centre.
    """
    if not is_subsampled(av.VideoFormat(pix_fmt)):
        return None
    is_untold = codec.encoder == "libvpx-vp9" and CONTAINERS[out.suffix.lower()] == "mp4"
    return "center" if is_full and is_untold else "left"


def _end_bytes(frames: int) -> int:
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
