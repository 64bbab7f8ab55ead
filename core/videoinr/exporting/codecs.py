"""The video encoders of an export, the files that they write, and a test of which work on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path

from videoinr.errors import ExportError, UsageError

CONTAINERS = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm",
    ".gif": "gif", ".webp": "webp", ".apng": "apng",
}  # fmt: skip
"""FFmpeg's muxer for each ending of a video file's name."""
ANIMATIONS = {"gif": "GIF", "webp": "WebP", "apng": "APNG"}
"""The muxers of animated pictures, which hold nothing but pictures, and what people call them."""
_ISO = (".mp4", ".m4v", ".mov", ".mkv")

Options = tuple[tuple[str, str], ...]


class Effort(Enum):
    """How hard an encoder tries to make a small file: the more, the longer it takes."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Crf:
    """A video encoder's constant-quality setting, in the encoder's own unit; the least value is best.

    Attributes:
        option: FFmpeg's name of the setting.
        default: the value if the user gives none.
        most: the largest value, for the smallest file.
        least: the smallest value, for the best quality.
        top: where FFmpeg's own scale counts up, its best value, from which this one is subtracted.
    """

    option: str
    default: int
    most: int
    least: int = 0
    top: int | None = None

    def written(self, value: int) -> str:
        """Return what FFmpeg is given for ``value``."""
        return str(value if self.top is None else self.top - value)


@dataclass(frozen=True, slots=True)
class Codec:
    """A video encoder.

    Attributes:
        encoder: FFmpeg's name of it.
        endings: the endings of the files that may hold its streams; the first is suggested to the user.
        pix_fmt: FFmpeg's pixel format for pictures with an even width and height.
        odd_pix_fmt: the pixel format for other pictures.
        crf: its constant-quality setting, if it has one.
        options: FFmpeg's options, always set.
        full_range: whether its files can be tagged as full range; if not, they are written in limited range.
        title: the name that the export dialog shows; the dialog leaves out codecs without a title.
        names: other names by which the command line knows the codec.
        deep: the pixel formats for clips of more than 8 bits, for even and for other sizes; None if it has 8 bits.
        fine: FFmpeg's options for more than 8 bits at a better quality than the default.
        deep_options: FFmpeg's options for more than 8 bits, instead of those of ``options``.
        most_fps: the most frames per second that players show; None: any number.
        alpha: the pixel formats with an alpha channel, for 8 and for more bits; None if its files hold none.
        efforts: FFmpeg's option for the effort, and its values for fast, medium and slow; None if there is none.
        least_side: the fewest pixels that a side may have.
        typed: the name by which a user asked for it; empty if it was not asked for by name.
    """

    encoder: str
    endings: tuple[str, ...]
    pix_fmt: str
    odd_pix_fmt: str
    crf: Crf | None = None
    options: Options = ()
    full_range: bool = True
    title: str = ""
    names: tuple[str, ...] = ()
    deep: tuple[str, str] | None = None
    fine: Options = ()
    deep_options: Options = ()
    most_fps: int | None = None
    alpha: tuple[str, str] | None = None
    efforts: tuple[str, str, str, str] | None = None
    least_side: int = 1
    typed: str = field(default="", compare=False)

    @property
    def word(self) -> str:
        """What messages call it: the word that the user typed, otherwise FFmpeg's name of the encoder."""
        return self.typed or self.encoder

    @property
    def is_rgb(self) -> bool:
        """Whether its files hold RGB."""
        return self.pix_fmt in _RGB

    @property
    def is_animation(self) -> bool:
        """Whether it writes animated pictures, which one encoder makes as a whole."""
        return CONTAINERS[self.endings[0]] in ANIMATIONS

    def pix_fmt_for(self, width: int, height: int, *, deep: bool = False, alpha: bool = False) -> str:
        """Return FFmpeg's pixel format for pictures of ``width`` x ``height`` pixels.

        ``deep``: of more than 8 bits. ``alpha``: with an alpha channel.
        """
        if alpha and self.alpha:
            return self.alpha[deep]
        even, odd = self.deep if deep and self.deep else (self.pix_fmt, self.odd_pix_fmt)
        return odd if width % 2 or height % 2 else even

    def options_for(self, crf: int | None, *, deep: bool = False, effort: Effort = Effort.MEDIUM) -> dict[str, str]:
        """Return FFmpeg's options for the quality ``crf`` (None: the default) and ``effort``.

        ``deep``: for pictures of more than 8 bits.

        Raises:
            UsageError: the encoder has no such setting, or ``crf`` is out of range.
        """
        options = {**dict(self.options), **self._effort_option(effort)}
        if self.crf is None:
            if crf is not None:
                raise UsageError(f"{self.word} has no quality setting (CRF).", hint="Leave --crf out.")
            return {**options, **dict(self.deep_options if deep else ())}
        value, least, most = self.crf.default if crf is None else crf, self.crf.least, self.crf.most
        if not least <= value <= most:
            raise UsageError(
                f"A CRF of {value} is out of range for {self.word}.",
                hint=f"Choose {least} (best) to {most} (smallest file); the default is {self.crf.default}.",
            )
        is_fine = deep and value < self.crf.default and effort is not Effort.SLOW
        return {**options, **dict(self.fine if is_fine else ()), self.crf.option: self.crf.written(value)}

    def _effort_option(self, effort: Effort) -> dict[str, str]:
        if self.efforts is not None:
            name, *values = self.efforts
            return {name: values[list(Effort).index(effort)]}
        if effort is not Effort.MEDIUM:
            raise UsageError(f"{self.word} has no setting for its effort.", hint="Leave --effort out.")
        return {}


_RGB = ("bgr0", "bgra", "rgb24", "pal8")
_DEEP = ("yuv420p10le", "yuv444p10le")

_NOT_BUILT = "The FFmpeg that PyAV brings is built without it."

# The order matters: for an ending, the first codec that names it is the default; the dialog lists them in this order.
CODECS = (
    Codec(
        "libx264", _ISO, "yuv420p", "yuv444p", Crf("crf", 16, 51),
        title="H.264", names=("h264", "x264"), deep=_DEEP, efforts=("preset", "veryfast", "medium", "slow"),
    ),
    Codec(
        "libvpx-vp9", (".webm", ".mkv", ".mp4"), "yuv420p", "yuv420p", Crf("crf", 22, 63),
        (("b", "0"), ("row-mt", "1")), title="VP9", names=("vp9",), efforts=("cpu-used", "5", "3", "1"),
    ),
    Codec(
        "libx265", _ISO, "yuv420p", "yuv444p", Crf("crf", 18, 51),
        (("x265-params", "log-level=error"),),
        title="H.265 / HEVC", names=("h265", "hevc", "x265"), deep=_DEEP,
        efforts=("preset", "veryfast", "medium", "slow"),
    ),
    # From preset 8 on, SVT-AV1 4.1.0 gets 10-bit pictures whose brightness changes wrong at low CRFs: by 13 to 28 of
    # 1023 levels in the mean at CRF 1, by 3 to 9 at CRF 10, by up to 3.5 with preset 7; with 6 by 1. From CRF 22 on,
    # the presets are alike. Of very small pictures it may never end.
    Codec(
        "libsvtav1", (".webm", ".mkv", ".mp4"), "yuv420p", "yuv420p", Crf("crf", 22, 63),
        title="AV1", names=("av1",), deep=("yuv420p10le", "yuv420p10le"), fine=(("preset", "6"),),
        efforts=("preset", "10", "8", "5"), least_side=32,
    ),
    Codec("ffv1", (".mkv",), "bgr0", "bgr0", title="FFV1 (lossless)", deep=("gbrp16le", "gbrp16le"),
        alpha=("bgra", "gbrap16le"),
    ),
    # ProRes in a .mov cannot say that its range is full.
    Codec(
        "prores_ks", (".mov", ".mkv"), "yuv422p10le", "yuv444p10le", full_range=False,
        title="ProRes 422", names=("prores",), deep=("yuv422p10le", "yuv444p10le"),
        alpha=("yuva444p10le", "yuva444p10le"),
    ),
    # 8 bits at HQ, 10 at HQX: about as many bytes as ProRes 422 HQ.
    Codec(
        "dnxhd", (".mov",), "yuv422p", "yuv422p", None, (("profile", "dnxhr_hq"),), title="DNxHR HQ", names=("dnxhr",),
        deep=("yuv422p10le", "yuv422p10le"), deep_options=(("profile", "dnxhr_hqx"),),
    ),
    # Browsers show a GIF of more than 50 frames a second at 10.
    Codec("gif", (".gif",), "pal8", "pal8", title="GIF", most_fps=50),
    Codec(
        "libwebp_anim", (".webp",), "bgra", "bgra", Crf("quality", 10, 100, top=100), title="Animated WebP",
        names=("webp",), alpha=("bgra", "bgra"),
    ),
    Codec(
        "apng", (".apng",), "rgb24", "rgb24", title="Animated PNG (lossless)", deep=("rgb48be", "rgb48be"),
        alpha=("rgba", "rgba64be"),
    ),
    # NVENC takes a cq of 0 for "automatic".
    Codec(
        "h264_nvenc", _ISO, "yuv420p", "yuv444p", Crf("cq", 18, 51, least=1),
        (("rc", "vbr"), ("b", "0")), efforts=("preset", "p2", "p5", "p7"),
    ),
    Codec(
        "hevc_nvenc", _ISO, "yuv420p", "yuv444p", Crf("cq", 20, 51, least=1),
        (("rc", "vbr"), ("b", "0")), efforts=("preset", "p2", "p5", "p7"),
    ),
    Codec("h264_videotoolbox", _ISO, "yuv420p", "yuv420p", None, (("b", "40M"),)),
    Codec("hevc_videotoolbox", _ISO, "yuv420p", "yuv420p", None, (("b", "30M"),)),
)  # fmt: skip


def codec_for(ending: str, name: str | None) -> Codec:
    """Return the codec called ``name`` (an encoder or a format), or the default codec of a file's ``ending``.

    Raises:
        UsageError: the name is unknown, no video file has that ending, or the file cannot hold that codec.
    """
    ending = ending.lower()
    if ending not in CONTAINERS:
        raise UsageError(
            f"A video cannot be saved as a {ending} file." if ending else "The output's name has no ending.",
            hint=f"End the name in {', '.join(CONTAINERS)}; for pictures, give a folder or frames/%05d.png.",
        )
    if name is None:
        return next(codec for codec in CODECS if ending in codec.endings)
    codec = next((codec for codec in CODECS if name.lower() in (codec.encoder, *codec.names)), None)
    if codec is None and name.lower().endswith("_vaapi"):
        raise UsageError(f"{name} cannot be used.", hint=f"{_why_no_vaapi(name.lower())} {working_hint()}")
    if codec is None:
        raise UsageError(f"The codec '{name}' is unknown.", hint=working_hint())
    if ending not in codec.endings:
        raise UsageError(
            f"{ending} files cannot hold {name}.",
            hint=f"End the output's name in {', '.join(codec.endings)}.",
        )
    return replace(codec, typed=name)


def _why_no_vaapi(name: str) -> str:
    import av

    if name not in av.codecs_available:
        return _NOT_BUILT
    return "VAAPI encodes only frames that lie in the memory of the GPU, which this program does not write there."


def codec_named(encoder: str) -> Codec:
    """Return the codec of FFmpeg's encoder ``encoder``, which must be one of CODECS."""
    return next(codec for codec in CODECS if codec.encoder == encoder)


def working_hint() -> str:
    """Return a sentence that lists the codecs that work on this machine."""
    names = (codec.names[0] if codec.names else codec.encoder for codec in CODECS if encodes(codec))
    return f"These codecs work on this machine: {', '.join(names)}."


def encodes(codec: Codec) -> bool:
    """Return whether ``codec`` encodes a picture of 256 x 256 pixels on this machine."""
    return why_not(codec) is None


def why_not(codec: Codec) -> str | None:
    """Return why ``codec`` encodes no picture of 256 x 256 pixels on this machine; None if it does."""
    import av
    from av.codec.codec import UnknownCodecError
    from av.video.codeccontext import VideoCodecContext

    # SVT-AV1 writes its settings to stderr itself, not through FFmpeg's log; level 1 leaves only its errors.
    os.environ.setdefault("SVT_LOG", "1")
    try:
        context = av.CodecContext.create(codec.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = 256, 256, codec.pix_fmt
        context.time_base = Fraction(1, 25)
        context.options = codec.options_for(None)
        frame = av.VideoFrame(256, 256, codec.pix_fmt)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        return None if context.encode(frame) + context.encode(None) else "It gave no packet."
    except UnknownCodecError:
        return _NOT_BUILT
    except (av.FFmpegError, ValueError) as error:
        return f"It answered: {getattr(error, 'strerror', None) or error}."


def effort_named(name: str) -> Effort:
    """Return the effort called ``name``. Raises UsageError."""
    try:
        return Effort(name)
    except ValueError:
        known = ", ".join(effort.value for effort in Effort)
        raise UsageError(f"There is no effort “{name}”.", hint=f"Choose one of: {known}.") from None


def check_encodes(codec: Codec) -> None:
    """Raise ExportError, with the codecs that work, if ``codec`` does not encode a picture on this machine."""
    if why := why_not(codec):
        raise ExportError(f"{codec.word} does not work on this machine.", hint=f"{why} {working_hint()}")


def is_video(out: Path) -> bool:
    """Return whether ``out`` has the ending of a video file."""
    return out.suffix.lower() in CONTAINERS
