"""What a person chose to export, what that amounts to, and the command line that does it. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoinr.errors import UsageError
from videoinr.exporting.codecs import CODECS, Codec, codec_for
from videoinr.exporting.retime import ConstantRate, checked_fps, rate_from_scale
from videoinr.geometry import Grid, Rect, grid_from_scale
from videoinr.render.view import MAX_SCALE, MIN_SCALE
from videoinr.types import ClipInfo, Segment

_FACTOR = re.compile(r"(?:[x×]\s*(\d+(?:[.,]\d+)?)|(\d+(?:[.,]\d+)?)\s*[x×])", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", re.IGNORECASE)
_RATE = re.compile(r"(\d+(?:[.,]\d+)?)(?:\s*/\s*(\d+))?(?:\s*fps)?", re.IGNORECASE)
_LARGEST_DENOMINATOR = 10**9
"""Times on the command line: every frame's time is exact, a mark set in playback moves by less than 1e-18 s."""


def factor_from_words(text: str) -> Fraction | None:
    """``×4``, ``x2.5`` or ``4x``; None for anything else."""
    match = _FACTOR.fullmatch(text.strip())
    return Fraction((match[1] or match[2]).replace(",", ".")) if match else None


def rate_from_words(text: str, mean_fps: Fraction) -> Fraction:
    """``60``, ``24000/1001``, or ``×4`` of the clip's ``mean_fps``; UsageError for what is no rate."""
    factor = factor_from_words(text)
    if factor:
        return rate_from_scale(mean_fps, factor)
    match = _RATE.fullmatch(text.strip())
    if not match or (match[2] and not int(match[2])):
        raise UsageError(f"“{text}” is no frame rate.", hint="Write 60, 24000/1001, or ×4 of the clip's own.")
    return checked_fps(Fraction(match[1].replace(",", ".")) / int(match[2] or 1))


def grid_from_words(text: str, info: ClipInfo) -> Grid:
    """``×2.5`` of the clip's size, or ``1920x1080``; UsageError for what is no size, or beyond the decoder's range."""
    if match := _SIZE.fullmatch(text.strip()):
        width, height = int(match[1]), int(match[2])
    elif factor := factor_from_words(text):
        grid = grid_from_scale(info.width, info.height, float(factor))
        width, height = grid.width, grid.height
    else:
        raise UsageError(f"“{text}” is no size.", hint="Write ×4, or width x height such as 1920x1080.")
    scales = (width / info.width, height / info.height)
    if not all(MIN_SCALE * 0.99 <= scale <= MAX_SCALE * 1.01 for scale in scales):
        raise UsageError(f"{width}×{height} is out of range.", hint=f"Choose ×{MIN_SCALE:g} to ×{MAX_SCALE:g}.")
    return Grid(width, height)


def codec_named(encoder: str) -> Codec:
    """The codec of FFmpeg's encoder ``encoder``."""
    return next(codec for codec in CODECS if codec.encoder == encoder)


@dataclass(frozen=True)
class ExportChoice:
    """One export: ``crop`` (pixels of ``grid``) may be None for the whole picture, ``crf`` for the codec's default."""

    clip: Path
    out: Path
    segment: Segment
    fps: Fraction
    speed: Fraction
    grid: Grid
    crop: Rect | None
    codec: str
    crf: int | None
    model: str | None = None
    device: str | None = None

    @property
    def retiming(self) -> ConstantRate:
        """How many frames, and how long they play."""
        return ConstantRate(self.segment, self.fps, self.speed)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the file's picture."""
        part = self.crop or self.grid.rect
        return part.width, part.height

    def check(self) -> None:
        """UsageError where codec, quality and file name do not go together."""
        if not self.out.name:
            raise UsageError("The file has no name yet.", hint="Choose where to save it.")
        codec_for(self.out.suffix, self.codec).options_for(self.crf)

    def arguments(self) -> list[str]:
        """The arguments of ``videoinr`` that do it. The person agreed to replace the file: the dialog asked."""
        made = ["export", str(self.clip), str(self.out)]
        made += ["--start", _exact(self.segment.start_secs), "--end", _exact(self.segment.end_secs)]
        made += ["--fps", str(self.fps), "--speed", str(self.speed), "--size", str(self.grid), "--codec", self.codec]
        if self.crop is not None:
            made += ["--crop", f"{self.crop.width}x{self.crop.height}+{self.crop.x}+{self.crop.y}"]
        for name, value in (("--crf", self.crf), ("--model", self.model), ("--device", self.device)):
            if value is not None:
                made += [name, str(value)]
        return [*made, "--overwrite", "--json-progress"]


def _exact(secs: Fraction) -> str:
    return str(secs.limit_denominator(_LARGEST_DENOMINATOR))
