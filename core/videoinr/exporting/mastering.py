"""The mastering data of HDR video: the display that it was made on, and its brightest pixels."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.sidedata.sidedata import Type as SideDataType

from videoinr.clip.video_file import open_container
from videoinr.errors import VideoInrError

_DISPLAY = struct.Struct("=20i2i")
"""FFmpeg's AVMasteringDisplayMetadata: (x, y) of red, green, blue and white, least and most luminance, two flags."""
_LIGHT = struct.Struct("=2I")
_CHROMATICITY, _LUMINANCE = 50_000, 10_000
"""Units of a chromaticity and of a candela per square metre in SMPTE ST 2086."""

CARRIERS = ("libx265", "libsvtav1")
"""The encoders that write mastering data into their streams."""


@dataclass(frozen=True, slots=True)
class Mastering:
    """SMPTE ST 2086 and CTA-861.3.

    Attributes:
        display: (x, y) of red, green, blue and white, then the least and the most luminance, cd/m2; or none.
        light: MaxCLL and MaxFALL, cd/m2; or none.
    """

    display: tuple[Fraction, ...] = ()
    light: tuple[int, ...] = ()

    def options_for(self, encoder: str) -> dict[str, str]:
        """Return the options of ``encoder`` that make it write the data; none for other encoders."""
        if encoder == "libx265":
            words = [f"master-display={self._in_units()}"] if self.display else []
            words += [f"max-cll={self.light[0]},{self.light[1]}"] if self.light else []
            return {"x265-params": ":".join(words)}
        if encoder == "libsvtav1":
            words = [f"mastering-display={self._in_decimals()}"] if self.display else []
            words += [f"content-light={self.light[0]},{self.light[1]}"] if self.light else []
            return {"svtav1-params": ":".join(words)}
        return {}

    def _in_units(self) -> str:
        *points, least, most = self.display
        numbers = [round(value * _CHROMATICITY) for value in points]
        return _words(numbers, [round(most * _LUMINANCE), round(least * _LUMINANCE)])

    def _in_decimals(self) -> str:
        *points, least, most = self.display
        return _words([f"{float(value):.5f}" for value in points], [f"{float(most):.4f}", f"{float(least):.4f}"])


def _words(points: Sequence[object], luminance: Sequence[object]) -> str:
    red, green, blue, white = (f"({points[n]},{points[n + 1]})" for n in range(0, 8, 2))
    return f"G{green}B{blue}R{red}WP{white}L({luminance[0]},{luminance[1]})"


def read_mastering(path: Path, stream: int) -> Mastering | None:
    """Return the mastering data of the first frame of a video stream of a file; None if there are none."""
    if not path.is_file():
        return None
    try:
        with open_container(path) as container:
            frame = next(container.decode(video=stream), None)
            if frame is None:
                return None
            display = _side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA)
            light = _side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL)
    except (VideoInrError, av.FFmpegError, OSError, ValueError, LookupError):
        return None
    found = Mastering(_display(display), _light(light))
    return found if found.display or found.light else None


def _side_data(frame: av.VideoFrame, kind: SideDataType) -> bytes:
    data = frame.side_data.get(kind)  # type: ignore[call-overload]
    return b"" if data is None else bytes(data)


def _display(data: bytes) -> tuple[Fraction, ...]:
    if len(data) < _DISPLAY.size:
        return ()
    *numbers, has_primaries, has_luminance = _DISPLAY.unpack(data[: _DISPLAY.size])
    if not (has_primaries and has_luminance and all(numbers[1::2])):
        return ()
    return tuple(Fraction(numbers[n], numbers[n + 1]) for n in range(0, 20, 2))


def _light(data: bytes) -> tuple[int, ...]:
    values = _LIGHT.unpack(data[: _LIGHT.size]) if len(data) >= _LIGHT.size else ()
    return values if any(values) else ()
