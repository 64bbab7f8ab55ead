"""Converts decoded frames to upright full-range RGB. The only place where a clip's colours are converted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from videoinr.clip.background import BLACK, Background
from videoinr.clip.linear_light import as_srgb, holds_floats, pixels_from_light
from videoinr.clip.siting import ChromaPlacer
from videoinr.clip.transparency import alpha_of, grey_pixels, laid_over
from videoinr.colour import ColourSpec, ColourTags, PixelFamily
from videoinr.geometry import Rect
from videoinr.types import Pixels

_MATRIX_CODES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9}
"""The matrices that swscale supports, with their H.273 codes."""

_UNSPECIFIED = 2

_ACCURATE = int(
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
)


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to set a stored picture upright: mirror it left to right (if ``is_mirrored``), then rotate it clockwise.

    ``quarter_turns`` is 0 ... 3.
    """

    quarter_turns: int = 0
    is_mirrored: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise rotation: 0, 90, 180 or 270."""
        return self.quarter_turns * 90

    def upright_size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of the upright picture, in pixels, from those of the stored one."""
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def apply(self, pixels: Pixels) -> Pixels:
        """Return the upright picture of ``pixels`` [height, width, 3]."""
        if self == Orientation():
            return pixels
        mirrored: NDArray[Any] = np.fliplr(pixels) if self.is_mirrored else pixels
        return np.ascontiguousarray(np.rot90(mirrored, -self.quarter_turns))


_PICTURE_CODECS = ("apng", "bmp", "gif", "jpeg2000", "jpegls", "ljpeg", "mjpeg", "mjpegb", "png", "tiff", "webp")
"""The codecs of pictures, also of those in video files. The side data of their frames are never read."""


def orientation_of(frame: av.VideoFrame, codec: str) -> Orientation | None:
    """Return the orientation of a video's frame.

    Args:
        frame: a decoded frame.
        codec: FFmpeg's name of the codec.

    Returns:
        The orientation in the display matrix; None if its angle is not a multiple of 90 degrees.
    """
    if codec in _PICTURE_CODECS:
        return orientation_from_angle(frame)
    try:
        matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:
        # PyAV returns no side data at all if it does not know one kind of it. The angle remains.
        return orientation_from_angle(frame)
    if matrix is None:
        return Orientation()
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    if a * d == b * c:
        return Orientation()
    # A mirrored matrix rotates a picture that was mirrored left to right, which changes the sign of its first column.
    mirrored = a * d < b * c
    angle = np.degrees(np.arctan2(-b, -a) if mirrored else np.arctan2(b, a))
    quarters = round(angle / 90)
    return Orientation(quarters % 4, mirrored) if abs(angle - 90 * quarters) < 1 else None


def orientation_from_angle(frame: av.VideoFrame) -> Orientation:
    """Return the orientation by the angle alone, which PyAV takes from the display matrix without its side data."""
    return Orientation(round(-frame.rotation / 90) % 4)


def frame_bytes(frame: av.VideoFrame) -> int:
    """Return the bytes that a decoded frame takes."""
    return frame.width * frame.height * frame.format.padded_bits_per_pixel // 8


def family_of(pix_fmt: av.VideoFormat) -> PixelFamily:
    """Return what the planes of ``pix_fmt`` hold. Palettes, monochrome and XYZ count as RGB, as swscale reads them."""
    if pix_fmt.is_rgb or pix_fmt.has_palette or pix_fmt.is_bayer or pix_fmt.name.startswith(("mono", "xyz")):
        return PixelFamily.RGB
    return PixelFamily.GREY if len(_colour_bits(pix_fmt)) == 1 else PixelFamily.YUV


def bit_depth_of(pix_fmt: av.VideoFormat) -> int:
    """Return the bits of the deepest component, without alpha."""
    return max(_colour_bits(pix_fmt))


def tags_of(source: av.VideoFrame | av.VideoCodecContext) -> ColourTags:
    """Return the colour tags of a frame or a stream."""
    return ColourTags.from_codes(
        matrix=int(source.colorspace),
        range_=int(source.color_range),
        primaries=int(source.color_primaries),
        transfer=int(source.color_trc),
    )


def is_full_range(pix_fmt: str, colour: ColourSpec) -> bool:
    """Return whether the values of a frame have the full range, 0 ... 255 for 8 bits, and not 16 ... 235.

    Args:
        pix_fmt: FFmpeg's name of its pixel format; ``yuvj...`` have the full range by definition.
        colour: how its values are read.
    """
    return colour.range == "pc" or pix_fmt.startswith("yuvj")


def is_convertible(matrix: str) -> bool:
    """Return whether swscale supports ``matrix``. Clips with another one are read with a similar matrix."""
    return matrix == "rgb" or matrix in _MATRIX_CODES


class PixelReader:
    """Converts the decoded frames of one clip to RGB."""

    def __init__(
        self,
        *,
        width: int,
        height: int,
        deep: bool,
        colour: ColourSpec,
        orientation: Orientation,
        shown: Rect | None = None,
        siting: str | None = None,
        background: Background = BLACK,
        is_linear: bool = False,
        is_premultiplied: bool = False,
    ) -> None:
        """Make a reader.

        Args:
            width: columns of the stored frames, before rotation. Frames of another size are resampled to fit, with
                black borders where their shape differs.
            height: rows of the stored frames.
            deep: whether to return uint16 over 0 ... 65535 instead of uint8.
            colour: the colours of all frames, whatever their own tags say.
            orientation: how to set the frames upright.
            shown: the pixels of a stored frame that are shown; None for all.
            siting: where the chroma samples lie (see :mod:`~videoinr.clip.siting`); None where the frames say it
                themselves, and for the centre otherwise.
            background: what is shown behind transparent pixels.
            is_linear: whether the levels are amounts of light, which are returned as sRGB.
            is_premultiplied: whether colours were multiplied by alpha already.
        """
        self._width, self._height, self._deep = width, height, deep
        self._colour, self._orientation, self._shown = colour, orientation, shown or Rect(0, 0, width, height)
        self._placer = ChromaPlacer(siting) if siting else None
        self._background, self._is_linear, self._is_premultiplied = background, is_linear, is_premultiplied
        self._reformatter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame, alpha: av.VideoFrame | None = None) -> Pixels:
        """Convert ``frame`` to upright full-range RGB, laid over the background where it is transparent.

        Args:
            frame: a decoded frame.
            alpha: its alpha channel, a grey frame of the same size, where the file keeps it apart.

        Returns:
            [height, width, 3], uint8 or uint16.

        Raises:
            av.FFmpegError, OSError, ValueError: swscale does not read the frame's pixel format.
        """
        if self._background.is_alpha:
            rgb = self._alpha(frame, alpha)
        elif self._is_linear and holds_floats(frame):
            rgb = pixels_from_light(frame, self._background)
        else:
            rgb = self._opaque(frame, alpha, self._levels(frame))
            rgb = as_srgb(rgb) if self._is_linear else rgb
        whole = self._shown == Rect(0, 0, self._width, self._height)
        shown: Any = self._centred(rgb)
        return self._orientation.apply(shown if whole else np.ascontiguousarray(shown[self._shown.slices]))

    def _levels(self, frame: av.VideoFrame) -> Pixels:
        """Return the full-range RGB of ``frame``, whatever its alpha channel says."""
        family, bits = family_of(frame.format), bit_depth_of(frame.format)
        full_range = is_full_range(frame.format.name, self._colour)
        rgb = self._rgb(self._placer.placed(frame) if self._placer else frame, family, full_range)
        if self._deep and bits > 8 and family is not PixelFamily.RGB:
            # Swscale reads grey as full range, whatever range it is given.
            _stretch_to_white(rgb, bits, full_range or family is PixelFamily.GREY)
        return _expanded_levels(rgb, bits) if family is not PixelFamily.YUV and not full_range else rgb

    def _alpha(self, frame: av.VideoFrame, apart: av.VideoFrame | None) -> Pixels:
        """Return the alpha channel of ``frame`` as grey levels; all is opaque without one."""
        (width, height), peak = self._fitting_size(frame), 65535 if self._deep else 255
        alpha = alpha_of(frame, peak, width=width, height=height) if apart is None else grey_pixels(apart, peak)
        if alpha is None or alpha.shape != (height, width):
            return cast("Pixels", np.full((height, width, 3), peak, np.uint16 if self._deep else np.uint8))
        return laid_over(alpha, alpha, self._background)

    def _opaque(self, frame: av.VideoFrame, apart: av.VideoFrame | None, rgb: Pixels) -> Pixels:
        """Return ``rgb``, the levels of ``frame``, laid over the background where it is transparent."""
        (height, width), peak = rgb.shape[:2], int(np.iinfo(rgb.dtype).max)
        alpha = alpha_of(frame, peak, width=width, height=height) if apart is None else grey_pixels(apart, peak)
        if alpha is None or alpha.shape != rgb.shape[:2]:
            return rgb
        return laid_over(rgb, alpha, self._background, is_premultiplied=self._is_premultiplied)

    def _fitting_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return (width, height) of ``frame`` resampled to fit the clip's frames, in its own shape."""
        if (frame.width, frame.height) == (self._width, self._height):
            return self._width, self._height
        scale = min(Fraction(self._width, frame.width), Fraction(self._height, frame.height))
        return max(1, round(frame.width * scale)), max(1, round(frame.height * scale))

    def _centred(self, pixels: Pixels) -> Pixels:
        """Return ``pixels`` in the middle of a black frame of the clip's size."""
        height, width = pixels.shape[:2]
        if (width, height) == (self._width, self._height):
            return pixels
        frame: Pixels = np.zeros((self._height, self._width, 3), pixels.dtype)
        place = Rect((self._width - width) // 2, (self._height - height) // 2, width, height)
        frame[place.slices] = pixels
        return frame

    def _rgb(self, frame: av.VideoFrame, family: PixelFamily, full_range: bool) -> Pixels:
        # The matrix is set on the frame: swscale reads untagged frames as BT.601.
        frame.colorspace = self._matrix_code(frame.height) if family is PixelFamily.YUV else _UNSPECIFIED
        width, height = self._fitting_size(frame)
        converted = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb48le" if self._deep else "rgb24",
            interpolation=_ACCURATE,
            src_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        pixels: Pixels = converted.to_ndarray()  # type: ignore[assignment]
        # If nothing had to be converted, the array is the decoder's own memory, which later frames may refer to.
        return pixels.copy() if converted is frame else pixels

    def _matrix_code(self, height: int) -> int:
        nearest = "bt2020nc" if self._colour.primaries == "bt2020" else "bt709" if height > 576 else "smpte170m"
        return _MATRIX_CODES.get(self._colour.matrix, _MATRIX_CODES[nearest])


def _colour_bits(pix_fmt: av.VideoFormat) -> list[int]:
    return [component.bits for component in pix_fmt.components if not component.is_alpha]


def _stretch_to_white(pixels: Pixels, bits: int, full_range: bool) -> None:
    """Scale swscale's 16-bit white to 65535, in place: swscale widens by a shift and ends below it."""
    shift = min(bits, 16) if full_range else 8
    np.minimum(pixels, 65536 - (65536 >> shift), out=pixels)
    pixels += pixels >> shift


def _expanded_levels(pixels: Pixels, bits: int) -> Pixels:
    """Return limited-range levels expanded to the full range."""
    size, unit = np.iinfo(pixels.dtype).max + 1, 2.0 ** (max(bits, 8) - 8)
    stored = np.arange(size) / (size - 1) * (256 * unit - 1)
    levels = np.clip((stored - 16 * unit) / (219 * unit), 0, 1) * (size - 1)
    table: NDArray[np.uint16] = np.rint(levels).astype(pixels.dtype)
    return table[pixels]
