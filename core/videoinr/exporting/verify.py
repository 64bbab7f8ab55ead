"""Read a finished video file back: what is promised must be in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from videoinr.errors import ExportError

_MILLISECOND = Fraction(1, 1000)


def verify_video(path: Path, *, width: int, height: int, frames: int, fps: Fraction) -> None:
    """ExportError unless ``path`` holds ``frames`` pictures of that size, ``1 / fps`` seconds apart from second 0.

    Times may be rounded to the container's unit (Matroska and WebM: milliseconds). Reads the whole file, and decodes
    one picture of it.
    """
    try:
        with av.open(str(path)) as container:
            times = _times(container)
            container.seek(0)
            first = next(container.decode(video=0))
            duration = Fraction(container.duration or 0, av.time_base)
    except (av.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise _failed(f"it cannot be read back ({error!r})") from error
    if len(times) != frames:
        raise _failed(f"it holds {len(times)} frames instead of {frames}")
    if (first.width, first.height) != (width, height):
        raise _failed(f"its pictures are {first.width}x{first.height} instead of {width}x{height}")
    if any(abs(time - index / fps) > _MILLISECOND for index, time in enumerate(times)):
        raise _failed("its frames are not shown when they should be")
    if abs(duration - frames / fps) > 1 / fps + _MILLISECOND:
        raise _failed(f"it lasts {float(duration):.3f} s instead of {float(frames / fps):.3f} s")


def _times(container: InputContainer) -> list[Fraction]:
    """When each picture is shown, seconds, in order."""
    stream = container.streams.video[0]
    base = stream.time_base or Fraction(1)
    return sorted(packet.pts * base for packet in container.demux(stream) if packet.pts is not None)


def _failed(what: str) -> ExportError:
    return ExportError(
        f"The written file failed its check: {what}.", hint="Try another codec or container; the file was removed."
    )
