"""From a decoded frame to full-range RGB pixels, upright: the one place where a clip's colours are converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from videoinr.colour import ColourSpec, ColourTags, PixelFamily
from videoinr.types import Pixels

_MATRIX_CODES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}
"""The matrices that swscale computes, with their H.273 codes."""

_UNSPECIFIED = 2

_ACCURATE = int(
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
)


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stored picture is set upright: first mirrored left to right, then turned clockwise."""

    quarters: int = 0
    mirrored: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise rotation: 0, 90, 180 or 270."""
        return self.quarters * 90

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of a picture once it is upright."""
        return (height, width) if self.quarters % 2 else (width, height)

    def apply(self, pixels: Pixels) -> Pixels:
        """The upright picture of [height, width, 3] ``pixels``."""
        if self == Turn():
            return pixels
        seen: NDArray[Any] = np.fliplr(pixels) if self.mirrored else pixels
        return np.ascontiguousarray(np.rot90(seen, -self.quarters))


def turn_of(frame: av.VideoFrame) -> Turn | None:
    """The turn that the frame's display matrix asks for; None if that is no quarter turn."""
    try:
        matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:
        # PyAV gives none of a frame's side data where it meets a kind that it does not know (Exif): without
        # the matrix the angle is all there is, counter-clockwise.
        return Turn(round(-frame.rotation / 90) % 4)
    if matrix is None:
        return Turn()
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    if a * d == b * c:
        return Turn()
    # A mirrored matrix is a rotation of the picture already mirrored left to right: undo that column first.
    mirrored = a * d < b * c
    angle = np.degrees(np.arctan2(-b, -a) if mirrored else np.arctan2(b, a))
    quarters = round(angle / 90)
    return Turn(quarters % 4, mirrored) if abs(angle - 90 * quarters) < 1 else None


def family_of(pix_fmt: av.VideoFormat) -> PixelFamily:
    """What the planes of ``pix_fmt`` hold. Palettes, black and white, and XYZ count as RGB: swscale reads them so."""
    if pix_fmt.is_rgb or pix_fmt.has_palette or pix_fmt.is_bayer or pix_fmt.name.startswith(("mono", "xyz")):
        return PixelFamily.RGB
    return PixelFamily.GREY if len(_colour_bits(pix_fmt)) == 1 else PixelFamily.YUV


def bit_depth_of(pix_fmt: av.VideoFormat) -> int:
    """Bits of the deepest component, alpha aside."""
    return max(_colour_bits(pix_fmt))


def tags_of(source: av.VideoFrame | av.VideoCodecContext) -> ColourTags:
    """What a frame or a stream says of its colours."""
    return ColourTags.from_codes(
        matrix=int(source.colorspace),
        range_=int(source.color_range),
        primaries=int(source.color_primaries),
        transfer=int(source.color_trc),
    )


def is_convertible(matrix: str) -> bool:
    """Whether pixels under ``matrix`` are converted exactly; others are read with the nearest that can be."""
    return matrix == "rgb" or matrix in _MATRIX_CODES


class PixelReader:
    """Makes [height, width, 3] RGB of decoded frames, all of one size, depth and turn.

    ``width``, ``height``: pixels of the stored frame, before the turn; frames of another size are resampled to it.
    ``deep``: uint16 over 0..65535 instead of uint8. ``colour`` holds for all YUV frames, whatever they say.
    """

    def __init__(self, *, width: int, height: int, deep: bool, colour: ColourSpec, turn: Turn) -> None:
        self._width, self._height, self._deep = width, height, deep
        self._colour, self._turn = colour, turn
        self._reformatter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame) -> Pixels:
        """The frame in full-range RGB, upright, alpha dropped.

        Raises:
            av.FFmpegError, OSError, ValueError: swscale does not read the frame's pixel format.
        """
        family, bits = family_of(frame.format), bit_depth_of(frame.format)
        full_range = self._colour.range == "pc" or frame.format.name.startswith("yuvj")
        rgb = self._rgb(frame, family, full_range)
        if self._deep and bits > 8 and family is not PixelFamily.RGB:
            # Swscale carries grey at full range whatever it is told.
            _stretch_to_white(rgb, bits, full_range or family is PixelFamily.GREY)
        if family is not PixelFamily.YUV and not full_range:
            rgb = _expanded_levels(rgb, bits)
        return self._turn.apply(rgb)

    def _rgb(self, frame: av.VideoFrame, family: PixelFamily, full_range: bool) -> Pixels:
        # Said outright and on the frame itself: left to itself, swscale takes untagged frames for BT.601.
        frame.colorspace = self._matrix_code(frame.height) if family is PixelFamily.YUV else _UNSPECIFIED
        converted = self._reformatter.reformat(
            frame,
            width=self._width,
            height=self._height,
            format="rgb48le" if self._deep else "rgb24",
            interpolation=_ACCURATE,
            src_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        pixels: Pixels = converted.to_ndarray()  # type: ignore[assignment]
        # Where nothing had to change, the array is the decoder's own memory, which later frames may still read.
        return pixels.copy() if converted is frame else pixels

    def _matrix_code(self, height: int) -> int:
        nearest = "bt2020nc" if self._colour.primaries == "bt2020" else "bt709" if height > 576 else "smpte170m"
        return _MATRIX_CODES.get(self._colour.matrix, _MATRIX_CODES[nearest])


def _colour_bits(pix_fmt: av.VideoFormat) -> list[int]:
    return [component.bits for component in pix_fmt.components if not component.is_alpha]


def _stretch_to_white(pixels: Pixels, bits: int, full_range: bool) -> None:
    """Bring swscale's 16-bit white to 65535, in place: it widens by a shift and stops short of it."""
    shift = min(bits, 16) if full_range else 8
    np.minimum(pixels, 65536 - (65536 >> shift), out=pixels)
    pixels += pixels >> shift


def _expanded_levels(pixels: Pixels, bits: int) -> Pixels:
    """Limited-range levels, carried unchanged, spread over the full range."""
    size, unit = np.iinfo(pixels.dtype).max + 1, 2.0 ** (max(bits, 8) - 8)
    stored = np.arange(size) / (size - 1) * (256 * unit - 1)
    levels = np.clip((stored - 16 * unit) / (219 * unit), 0, 1) * (size - 1)
    table: NDArray[np.uint16] = np.rint(levels).astype(pixels.dtype)
    return table[pixels]
