"""How the frames of an export become packets: the encoder's settings, and the conversion of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from videoinr.clip.siting import ChromaPlacer, is_subsampled
from videoinr.errors import ExportError
from videoinr.exporting.codecs import CONTAINERS, Codec, Effort
from videoinr.exporting.mastering import Mastering
from videoinr.exporting.palette import with_palette
from videoinr.exporting.png import frame_from_pixels
from videoinr.exporting.tags import StreamTags

FULL_RANGE = 2
"""FFmpeg's number of the full range."""
# Without these flags swscale rounds down, and takes the chroma of every second pixel instead of a mean.
_EXACT = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)

THREADS = 4
"""Threads of an encoder. Some write other bytes with other numbers of threads: all machines that share an export use
the same. Several parts are encoded at a time where there are more cores."""

_THREADED = frozenset(("libx264", "libx265", "libvpx-vp9", "libsvtav1", "ffv1", "prores_ks", "dnxhd"))


@dataclass(frozen=True, slots=True)
class Coding:
    """The settings of a video stream.

    Attributes:
        codec: the encoder.
        ending: the ending of the file's name.
        width: columns of a frame.
        height: rows of a frame.
        fps: frames per second; frame ``i`` is shown at ``i / fps`` seconds.
        crf: constant quality; None for the codec's default.
        tags: the colour tags.
        aspect: width of a pixel by its height.
        deep: whether the frames have more than 8 bits.
        mastering: the mastering data of HDR pictures.
        alpha: whether the frames have an alpha channel.
        effort: how hard the encoder tries to make a small file.
    """

    codec: Codec
    ending: str
    width: int
    height: int
    fps: Fraction
    crf: int | None
    tags: StreamTags
    aspect: Fraction
    deep: bool = False
    mastering: Mastering | None = None
    alpha: bool = False
    effort: Effort = Effort.MEDIUM

    @property
    def muxer(self) -> str:
        """FFmpeg's name of the file's format."""
        return CONTAINERS[self.ending.lower()]

    @property
    def pix_fmt(self) -> str:
        """FFmpeg's pixel format of the frames."""
        return self.codec.pix_fmt_for(self.width, self.height, deep=self.deep, alpha=self.alpha)

    @property
    def frame_bytes(self) -> int:
        """How many bytes a frame takes before it is encoded."""
        return self.width * self.height * av.VideoFormat(self.pix_fmt).padded_bits_per_pixel // 8

    @property
    def siting(self) -> str | None:
        """Where the chroma samples lie: FFmpeg's name, or None if there are as many as luma samples.

        It is the left, which all codecs take for granted. Only a full-range VP9 file in an MP4 has the centre: FFmpeg
        reads no location from it, and players then take the centre.
        """
        if not is_subsampled(av.VideoFormat(self.pix_fmt)):
            return None
        is_untold = self.codec.encoder == "libvpx-vp9" and self.muxer == "mp4"
        return "center" if self.tags.range == FULL_RANGE and is_untold else "left"

    @property
    def options(self) -> dict[str, str]:
        """The encoder's options."""
        options = self.codec.options_for(self.crf, deep=self.deep, effort=self.effort)
        if self.siting:
            options["chroma_sample_location"] = self.siting
        for name, words in (self.mastering.options_for(self.codec.encoder) if self.mastering else {}).items():
            options[name] = ":".join(each for each in (options.get(name, ""), words) if each)
        return options

    def as_values(self) -> dict[str, Any]:
        """Return the settings as plain values; :func:`coding_from_values` reads them."""
        tags = self.tags
        return {
            "encoder": self.codec.encoder,
            "ending": self.ending,
            "size": [self.width, self.height],
            "fps": str(self.fps),
            "crf": self.crf,
            "tags": [tags.matrix, tags.range, tags.primaries, tags.transfer, tags.swscale_matrix],
            "aspect": str(self.aspect),
            "deep": self.deep,
            "display": [str(value) for value in self.mastering.display] if self.mastering else [],
            "light": list(self.mastering.light) if self.mastering else [],
            "threads": THREADS,
            # Absent as long as they are as always, so that journals from before there was a choice still fit.
            **({"alpha": True} if self.alpha else {}),
            **({"effort": self.effort.value} if self.effort is not Effort.MEDIUM else {}),
        }

    def configure(self, context: Any) -> None:
        """Set up the context of an encoder, PyAV's or that of a stream."""
        context.width, context.height, context.pix_fmt = self.width, self.height, self.pix_fmt
        context.time_base = 1 / self.fps
        context.framerate = self.fps
        tags = self.tags
        context.colorspace, context.color_range = tags.matrix, tags.range
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        if self.codec.encoder in _THREADED:
            context.thread_count = THREADS
        if self.aspect != 1:
            context.sample_aspect_ratio = self.aspect
        if self.codec.encoder in ("libx265", "hevc_nvenc", "hevc_videotoolbox") and self.ending != ".mkv":
            context.codec_tag = "hvc1"  # Apple's players know HEVC only by this tag.

    def new_stream(self, container: OutputContainer) -> VideoStream:
        """Add a stream of this coding to ``container``, and return it."""
        stream = container.add_stream(self.codec.encoder, rate=self.fps, options=self.options)
        assert isinstance(stream, VideoStream)
        self.configure(stream.codec_context)
        stream.time_base = 1 / self.fps
        return stream

    def new_encoder(self) -> VideoCodecContext:
        """Return an encoder whose packets fit the stream of every file of this coding.

        Raises:
            ExportError: its pictures are too small for the encoder.
            av.FFmpegError, ValueError: the encoder refuses them.
        """
        if min(self.width, self.height) < (least := self.codec.least_side):
            raise ExportError(
                f"{self.codec.word} cannot encode pictures of {self.width}x{self.height}.",
                hint=f"Give both sides {least} pixels or more, or choose another codec.",
            )
        context = av.CodecContext.create(self.codec.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        self.configure(context)
        context.options = self.options
        # All of the files keep the headers of a stream apart.
        context.flags |= int(Flags.global_header)
        context.open()
        return context

    def refusal(self) -> ExportError:
        """Return the error for an encoder that does not take the frames."""
        return ExportError(
            f"{self.codec.word} cannot encode {self.width}x{self.height} at {self.fps} frames per second.",
            hint="Try another codec or size.",
        )

    def failure(self, error: Exception) -> ExportError:
        """Return the error for an encoder that fails while it encodes."""
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ExportError(
            f"{self.codec.word} failed while it encoded: {reason}.", hint="Try another codec or size, or try again."
        )


def set_tags(frame: av.VideoFrame, tags: StreamTags) -> None:
    """Give ``frame`` the colour tags of its stream."""
    frame.colorspace, frame.color_range = tags.matrix, tags.range
    frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer


class FrameConverter:
    """Converts decoded pixels to the frames of a coding. One thread at a time may use it."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._placer = ChromaPlacer(coding.siting) if coding.siting else None
        self._reformatter = VideoReformatter()

    def frame(self, rgbx: NDArray[np.uint8]) -> av.VideoFrame:
        """Return the frame of ``rgbx``, uint8 or uint16 [height, width, 4]."""
        source = self._source(rgbx)
        if self._placer:
            # PyAV copies the location from the source to the frame that swscale fills.
            source = self._placer.placed(source)
        tags, is_indexed = self._coding.tags, self._coding.pix_fmt == "pal8"
        frame = self._reformatter.reformat(
            source, format="rgb24" if is_indexed else self._coding.pix_fmt, interpolation=_EXACT,
            src_colorspace=tags.swscale_matrix, dst_colorspace=tags.swscale_matrix,
            src_color_range=FULL_RANGE, dst_color_range=tags.range,
        )  # fmt: skip
        if is_indexed:
            frame = with_palette(frame)
        set_tags(frame, tags)
        return frame

    def _source(self, rgbx: NDArray[Any]) -> av.VideoFrame:
        if rgbx.dtype == np.uint8:
            return frame_from_pixels(rgbx, "rgba")
        if self._coding.tags.matrix != 0:
            # Swscale takes 65280 for white where it makes YUV of 16 bits.
            rgbx = rgbx - (rgbx >> 8)
        return frame_from_pixels(rgbx, "rgba64le")
