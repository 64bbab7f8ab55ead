"""The picture files of an export: PNG, TIFF and OpenEXR, their depths, and how pixels become their bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoinr.clip.linear_light import light_from_srgb
from videoinr.errors import UsageError
from videoinr.exporting.codecs import Options
from videoinr.exporting.png import encoded_frame, frame_from_pixels


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A kind of picture files.

    Attributes:
        name: the name by which ``--codec`` chooses it.
        title: what people call it.
        encoder: FFmpeg's name of its encoder.
        endings: the endings of the files' names; the first is that of pictures in a folder.
        layouts: FFmpeg's pixel formats for 8 and for 16 bits; the first is empty if there are no 8 bits.
        options: FFmpeg's options.
        depth: bits of a sample; 0: 16 for clips of more than 8 bits, 8 for others.
        is_light: whether the samples are half floats of linear light.
        is_offered: whether the export dialog shows it.
        alpha: FFmpeg's pixel formats with an alpha channel, for 8 and for 16 bits.
        keeps_alpha: whether the pictures have an alpha channel.
    """

    name: str
    title: str
    encoder: str
    endings: tuple[str, ...]
    layouts: tuple[str, str]
    options: Options
    depth: int = 0
    is_light: bool = False
    is_offered: bool = False
    alpha: tuple[str, str] = ("", "")
    keeps_alpha: bool = False

    def is_deep(self, bit_depth: int) -> bool:
        """Return whether pictures of a clip of ``bit_depth`` bits have 16."""
        return self.depth == 16 or (self.depth == 0 and bit_depth > 8)

    def encoded(self, rgbx: NDArray[Any], aspect: Fraction = Fraction(1)) -> bytes:
        """Return the bytes of a file of ``rgbx``, uint8 or uint16 [height, width, 4]; X is alpha, or dropped.

        ``aspect``: width of a pixel by its height.
        """
        import av

        layout = (self.alpha if self.keeps_alpha else self.layouts)[rgbx.dtype == np.uint16]
        rgb: Any = rgbx if self.keeps_alpha else rgbx[..., :3]
        if self.is_light:
            light = _light_with_alpha(rgb) if self.keeps_alpha else _light(rgb)
            frame = av.VideoFrame.from_ndarray(light, format=layout)
        elif rgbx.dtype == np.uint16:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=layout)
        else:
            frame = frame_from_pixels(rgb, layout)
        return encoded_frame(frame, self.encoder, dict(self.options), aspect)


_PNG = PictureFormat(
    # Level 3 takes a third of the time of the default 6, for files 2 % larger.
    "png", "PNG pictures", "png", (".png",), ("rgb24", "rgb48be"), (("compression_level", "3"),), is_offered=True,
    alpha=("rgba", "rgba64be"),
)  # fmt: skip
_TIFF = PictureFormat(
    "tiff", "TIFF pictures", "tiff", (".tif", ".tiff"), ("rgb24", "rgb48le"), (("compression_algo", "deflate"),),
    is_offered=True, alpha=("rgba", "rgba64le"),
)  # fmt: skip

# The first of an ending is its default; that of a folder is the first of all.
PICTURES = (
    _PNG,
    replace(_PNG, name="png8", title="PNG pictures, 8 bits", depth=8, is_offered=False),
    replace(_PNG, name="png16", title="PNG pictures, 16 bits", depth=16),
    _TIFF,
    replace(_TIFF, name="tiff8", title="TIFF pictures, 8 bits", depth=8, is_offered=False),
    replace(_TIFF, name="tiff16", title="TIFF pictures, 16 bits", depth=16),
    PictureFormat(
        "exr", "OpenEXR pictures (linear light)", "exr", (".exr",), ("", "gbrpf32le"),
        (("format", "half"), ("compression", "zip16")), depth=16, is_light=True, is_offered=True,
        alpha=("", "gbrapf32le"),
    ),
)  # fmt: skip
PICTURE_ENDINGS = tuple(dict.fromkeys(ending for each in PICTURES for ending in each.endings))


def picture_format_named(name: str) -> PictureFormat | None:
    """Return the format of pictures called ``name``; None if there is none."""
    return next((each for each in PICTURES if each.name == name.lower()), None)


def check_no_pictures(ending: str, name: str | None) -> None:
    """Raise UsageError if ``name``, the codec of a video file, is one of pictures."""
    if name is not None and (found := picture_format_named(name)):
        raise UsageError(
            f"A {ending} file holds no {found.title}.",
            hint="For pictures, give a folder, or a pattern: frames/%05d.png.",
        )


def picture_format_for(ending: str, name: str | None) -> PictureFormat:
    """Return the format of pictures whose names end in ``ending`` (empty: those of a folder), called ``name`` or not.

    Raises:
        UsageError: there is no such format, or it has other endings.
    """
    ending = ending.lower()
    fitting = [each for each in PICTURES if not ending or ending in each.endings]
    if name is None:
        found = fitting[0] if fitting else None
    else:
        found = next((each for each in fitting if each.name == name.lower()), None)
    if found is None:
        what = fitting[0].title if fitting else "Pictures"
        raise UsageError(
            f"{what} have no codec called {name}." if name else f"{what} cannot be written to {ending} files.",
            hint="End the name in .mp4, .mov, .mkv or .webm for a video. Pictures end in "
            f"{', '.join(PICTURE_ENDINGS)}; their codecs are {', '.join(each.name for each in PICTURES)}.",
        )
    return found


def _light_with_alpha(rgba: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the linear light of 16-bit levels and alpha, by which OpenEXR has the light multiplied."""
    alpha = rgba[..., 3:].astype(np.float32) / np.float32(65535)
    return np.concatenate([_light(rgba[..., :3]) * alpha, alpha], axis=2).astype(np.float16).astype(np.float32)


def _light(rgb: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the linear light of 16-bit levels, taken as sRGB: float32 that half floats hold exactly."""
    return _lights()[rgb]


@cache
def _lights() -> NDArray[np.float32]:
    levels = light_from_srgb(np.arange(65536, dtype=np.float32) / np.float32(65535))
    # FFmpeg cuts the bits off that a half float does not have: rounded here, nothing is left to be cut off.
    return levels.astype(np.float16).astype(np.float32)
