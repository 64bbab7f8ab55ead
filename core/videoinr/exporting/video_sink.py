"""Writes frames to a video file through an encoder, with the colour tags of the clip and exact times."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videoinr.clip.siting import ChromaPlacer, is_subsampled
from videoinr.errors import ExportError
from videoinr.exporting.codecs import CONTAINERS, Codec, check_encodes
from videoinr.exporting.matroska_aspect import MUXER_OPTIONS, write_matroska_aspect
from videoinr.exporting.png import frame_from_pixels
from videoinr.exporting.tags import StreamTags
from videoinr.exporting.target import partial_path, unfinished_path, write_errors
from videoinr.exporting.verify import verify_video

_FULL_RANGE = 2
# Without these flags swscale rounds down, and takes the chroma of every second pixel instead of a mean.
_EXACT = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)


class VideoSink:
    """Writes a video of ``width`` x ``height`` pixels; frame ``i`` is shown at ``i / fps`` seconds.

    ``crf``: the codec's quality, None for its default. ``aspect``: width of a pixel by its height. Use the sink on the
    thread that created it.
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
    ) -> None:
        self._out, self._unfinished = out, unfinished_path(out)
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
        self._count = 0

    def open(self) -> None:
        """Test and start the encoder, and create the file OUT.part."""
        check_encodes(self._codec)
        with self._errors():
            muxer = CONTAINERS[self._out.suffix.lower()]
            options = {"movflags": "+faststart"} if muxer in ("mp4", "mov") else {}
            options |= MUXER_OPTIONS if self._needs_matroska_aspect else {}
            self._container = av.open(str(self._unfinished), "w", format=muxer, container_options=options)
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

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Encode the next frame."""
        assert self._stream is not None, "open the sink first"
        with self._errors():
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

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._stream is not None
        assert self._container is not None
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self, *, partial: bool = False) -> Path:
        """Flush the encoder, close and check the file, and rename it."""
        assert self._container is not None, "open the sink first"
        path = partial_path(self._out) if partial else self._out
        with self._errors():
            self._mux(None)
            self._container.close()
            if self._needs_matroska_aspect:
                write_matroska_aspect(self._unfinished, self._aspect)
        verify_video(self._unfinished, width=self._width, height=self._height, frames=self._count, fps=self._fps)
        with write_errors(path):
            os.replace(self._unfinished, path)
        return path

    def abort(self) -> None:
        """Close the file and remove it."""
        if self._container is not None:
            # Closing writes the end of the file, which may fail again.
            with contextlib.suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()
        with contextlib.suppress(OSError):
            self._unfinished.unlink(missing_ok=True)

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
