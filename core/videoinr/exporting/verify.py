"""Checks a written video file by reading it back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from videoinr.clip.formats import VIDEO_OPTIONS
from videoinr.errors import ExportError
from videoinr.text.phrases import format_count

_MILLISECOND = Fraction(1, 1000)


def verify_video(path: Path, *, width: int, height: int, frames: int, fps: Fraction) -> None:
    """Check that the file ``path`` holds ``frames`` pictures of that size, ``1 / fps`` seconds apart from second 0.

    Times may be rounded to the container's unit (milliseconds in Matroska and WebM). The check reads the whole file
    and decodes its first picture.

    Raises:
        ExportError: the file cannot be read, or it holds something else.
    """
    try:
        with av.open(f"file:{path}", options=VIDEO_OPTIONS) as container:
            times = _times(container)
            container.seek(0)
            first = next(container.decode(video=0))
            duration = Fraction(container.duration or 0, av.time_base)
    except (av.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise _failed(f"it cannot be read back ({error!r})") from error
    if len(times) != frames:
        raise _failed(f"it holds {format_count(len(times), 'frame')} instead of {frames}")
    if (first.width, first.height) != (width, height):
        raise _failed(f"its pictures are {first.width}x{first.height} instead of {width}x{height}")
    if any(abs(time - index / fps) > _MILLISECOND for index, time in enumerate(times)):
        raise _failed("its frames have wrong times")
    if abs(duration - frames / fps) > 1 / fps + _MILLISECOND:
        raise _failed(f"it lasts {float(duration):.3f} s instead of {float(frames / fps):.3f} s")


def _times(container: InputContainer) -> list[Fraction]:
    """The presentation times of all pictures, seconds, in order."""
    stream = container.streams.video[0]
    base = stream.time_base or Fraction(1)
    return sorted(packet.pts * base for packet in container.demux(stream) if packet.pts is not None)


def _failed(fault: str) -> ExportError:
    return ExportError(
        f"The written file failed its check: {fault}.", hint="It was removed. Try another codec or file type."
    )
