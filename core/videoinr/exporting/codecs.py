"""The encoders an export can use, which files they go into, and which of them really work on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoinr.errors import ExportError, UsageError

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""FFmpeg's muxer for each ending of a video file."""
_ISO = (".mp4", ".m4v", ".mov", ".mkv")

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Crf:
    """An encoder's constant-quality setting: its ``option``'s name, its ``default``, and the range 0 ... ``most``.

    0 is best, and the unit is the encoder's own.
    """

    option: str
    default: int
    most: int


@dataclass(frozen=True, slots=True)
class Codec:
    """One encoder. ``endings``: the files it may go into, without further ado the first codec of the table wins.

    ``pix_fmt`` is for pictures with both sides even, ``odd_pix_fmt`` for the others. ``full_range``: whether a file
    can say that its range is full; if not, the range is always limited.
    """

    encoder: str
    endings: tuple[str, ...]
    pix_fmt: str
    odd_pix_fmt: str
    crf: Crf | None = None
    options: Options = ()
    full_range: bool = True

    def pix_fmt_for(self, width: int, height: int) -> str:
        """FFmpeg's name of the pixel layout for a picture of ``width`` x ``height`` pixels."""
        return self.odd_pix_fmt if width % 2 or height % 2 else self.pix_fmt

    def options_for(self, crf: int | None) -> dict[str, str]:
        """FFmpeg's options for this encoder at quality ``crf`` (None: its default). UsageError if out of range."""
        if self.crf is None:
            if crf is not None:
                raise UsageError(f"{self.encoder} has no --crf.", hint="Leave --crf out.")
            return dict(self.options)
        value = self.crf.default if crf is None else crf
        if not 0 <= value <= self.crf.most:
            raise UsageError(
                f"--crf {value} is outside the range of {self.encoder}.",
                hint=f"Choose 0 (best) to {self.crf.most} (smallest file); {self.crf.default} is the default.",
            )
        return {**dict(self.options), self.crf.option: str(value)}


# The order matters: for an ending, the first codec that names it is the default.
CODECS = (
    Codec("libx264", _ISO, "yuv420p", "yuv444p", Crf("crf", 16, 51), (("preset", "medium"),)),
    Codec(
        "libvpx-vp9", (".webm", ".mkv", ".mp4"), "yuv420p", "yuv420p", Crf("crf", 22, 63),
        (("b", "0"), ("row-mt", "1"), ("cpu-used", "3")),
    ),
    Codec(
        "libx265", _ISO, "yuv420p", "yuv444p", Crf("crf", 18, 51),
        (("preset", "medium"), ("x265-params", "log-level=error")),
    ),
    Codec(
        "libsvtav1", (".webm", ".mkv", ".mp4"), "yuv420p", "yuv420p", Crf("crf", 22, 63), (("preset", "8"),),
    ),
    Codec("ffv1", (".mkv",), "bgr0", "bgr0"),
    # ProRes in a .mov cannot say that its range is full.
    Codec("prores_ks", (".mov", ".mkv"), "yuv422p10le", "yuv444p10le", full_range=False),
    Codec("h264_nvenc", _ISO, "yuv420p", "yuv444p", Crf("cq", 18, 51), (("rc", "vbr"), ("b", "0"), ("preset", "p5"))),
    Codec("hevc_nvenc", _ISO, "yuv420p", "yuv444p", Crf("cq", 20, 51), (("rc", "vbr"), ("b", "0"), ("preset", "p5"))),
    Codec("h264_videotoolbox", _ISO, "yuv420p", "yuv420p", None, (("b", "40M"),)),
    Codec("hevc_videotoolbox", _ISO, "yuv420p", "yuv420p", None, (("b", "30M"),)),
)  # fmt: skip
_ALIASES = {"h264": "libx264", "x264": "libx264", "h265": "libx265", "hevc": "libx265", "x265": "libx265",
            "vp9": "libvpx-vp9", "av1": "libsvtav1", "prores": "prores_ks"}  # fmt: skip


def codec_for(ending: str, name: str | None) -> Codec:
    """The codec called ``name`` (an encoder's or a format's name), or the default one for a file's ``ending``.

    UsageError for an unknown name, an ending that is no video's, or two that do not go together.
    """
    ending = ending.lower()
    if ending not in CONTAINERS:
        raise UsageError(
            f"No video file ends in '{ending}'." if ending else "The output's name has no ending.",
            hint=f"End its name in {', '.join(CONTAINERS)}, or name a folder or frames/%05d.png for pictures.",
        )
    if name is None:
        return next(codec for codec in CODECS if ending in codec.endings)
    wanted = _ALIASES.get(name.lower(), name.lower())
    codec = next((codec for codec in CODECS if codec.encoder == wanted), None)
    if codec is None:
        raise UsageError(f"There is no codec '{name}'.", hint=working_hint())
    if ending not in codec.endings:
        raise UsageError(
            f"{codec.encoder} does not go into {ending} files.",
            hint=f"End the output's name in {', '.join(codec.endings)}.",
        )
    return codec


def codec_named(encoder: str) -> Codec:
    """Return the codec of FFmpeg's encoder ``encoder``, which must be one of CODECS."""
    return next(codec for codec in CODECS if codec.encoder == encoder)


def working_hint() -> str:
    """A sentence that lists what works here."""
    return f"These work on this machine: {', '.join(working_encoders())}."


def working_encoders() -> tuple[str, ...]:
    """The names of the codecs that really encode a picture here; tries each one, which takes about a second."""
    return tuple(codec.encoder for codec in CODECS if encodes(codec))


def encodes(codec: Codec) -> bool:
    """Whether ``codec`` encodes one picture of 256 x 256 on this machine."""
    import av
    from av.video.codeccontext import VideoCodecContext

    # SVT-AV1 writes its settings to stderr, past FFmpeg's log; 1 leaves its errors.
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
        return bool(context.encode(frame) + context.encode(None))
    except (av.FFmpegError, ValueError):
        return False


def check_encodes(codec: Codec) -> None:
    """ExportError, with the codecs that do work, unless ``codec`` encodes a picture here."""
    if not encodes(codec):
        raise ExportError(f"{codec.encoder} does not work on this machine.", hint=working_hint())


def is_video(out: Path) -> bool:
    """Whether ``out`` names a video file, by its ending."""
    return out.suffix.lower() in CONTAINERS
