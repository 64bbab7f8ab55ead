"""A clip described in plain values: what ``videoinr probe`` prints."""

from __future__ import annotations

from videoinr.clip.base import Clip


def describe(clip: Clip) -> dict[str, object]:
    """What ``clip`` is, ready for JSON; keys in the order in which they are shown.

    ``fps`` is "num/den", ``duration_secs`` a float, ``colour`` and the entries of ``audio`` are dictionaries.
    """
    info, colour = clip.info, clip.info.colour
    return {
        "path": str(info.path),
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "fps": f"{info.fps.numerator}/{info.fps.denominator}",
        "frames": info.frames,
        "duration_secs": float(info.duration_secs),
        "vfr": info.vfr,
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
