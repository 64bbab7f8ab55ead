"""Reads animated WebP with Pillow, that is with Google's library; FFmpeg reads none.

Equal frames are stored once, for longer: they are counted as often as they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence


def probe_webp(path: Path, fps: Fraction) -> dict[str, Any]:
    """What ffprobe would say of the animated WebP ``path``, whose frames are shown at multiples of 1 / ``fps``."""
    frames = list(_frames_of_webp(path, fps))
    stream = {"width": frames[0][1].width, "height": frames[0][1].height, "pix_fmt": "rgb24"}
    with Image.open(path) as image:
        msecs = sum(_duration(each) for each in ImageSequence.Iterator(image))
    packets = [{"pts_time": secs} for secs, _ in frames]
    return {"streams": [stream], "format": {"duration": str(msecs / 1000)}, "packets": packets}


def planes_of_webp(path: Path, fps: Fraction) -> list[list[NDArray[np.float64]]]:
    """Red, green and blue of each frame."""
    return [list(np.moveaxis(np.asarray(each).astype(float), -1, 0)) for _, each in _frames_of_webp(path, fps)]


def _frames_of_webp(path: Path, fps: Fraction) -> Iterator[tuple[float, Any]]:
    """Yield the time, seconds, and the picture of each frame, those of equal frames as often as they are shown."""
    start = Fraction(0)
    with Image.open(path) as image:
        for each in ImageSequence.Iterator(image):
            picture, secs = each.convert("RGB"), Fraction(_duration(each), 1000)
            for number in range(max(1, round(secs * fps))):
                yield float(start + number / fps), picture
            start += secs


def _duration(image: Any) -> int:
    """Milliseconds of the present frame of an animation."""
    image.load()
    return int(image.info["duration"])
