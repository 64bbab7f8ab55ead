"""Describes a clip in plain values, as ``videoinr probe`` prints them."""

from __future__ import annotations

from videoinr.clip.base import Clip
from videoinr.text.timecode import timecode_of
from videoinr.types import ClipInfo


def describe(clip: Clip) -> dict[str, object]:
    """Return the properties of ``clip``: see :func:`facts_of`."""
    return facts_of(clip.info)


def facts_of(info: ClipInfo) -> dict[str, object]:
    """Return ``info`` as values that JSON can hold, in the order to print them.

    ``fps`` is "num/den", ``duration_secs`` is a float, ``timecode`` that of the first
    frame by the file, or None, ``colour`` and the entries of ``audio`` are dictionaries.
    """
    colour = info.colour
    return {
        "path": str(info.path),
        "stream": info.stream,
        "width": info.width,
        "height": info.height,
        "pixel_aspect": f"{info.pixel_aspect.numerator}:{info.pixel_aspect.denominator}",
        "rotation": info.rotation,
        "fps": f"{info.fps.numerator}/{info.fps.denominator}",
        "frames": info.frames,
        "duration_secs": float(info.duration_secs),
        "vfr": info.vfr,
        "timecode": None if info.timecode is None else timecode_of(0, info),
        "codec": info.codec,
        "pix_fmt": info.pix_fmt,
        "bit_depth": info.bit_depth,
        "colour": {
            "matrix": colour.matrix,
            "range": colour.range,
            "primaries": colour.primaries,
            "transfer": colour.transfer,
            "guessed": list(colour.guessed),
        },
        "audio": [
            {"codec": sound.codec, "channels": sound.channels, "sample_rate_hz": sound.sample_rate_hz}
            for sound in info.audio
        ],
        "interlaced": info.interlaced,
        "warnings": list(info.warnings),
    }
