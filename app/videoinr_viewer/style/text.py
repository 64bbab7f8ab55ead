"""Formats times, instants, scales and rates as text, in the language of the window, and parses typed times."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from videoinr.errors import UsageError
from videoinr.text import phrases
from videoinr.text.clip_time import ClipTime, FramePlace, clip_time
from videoinr.text.timecode import Timecode
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Instant
from videoinr_viewer.style.language import decimal, tr

_ENCODING, _ENCODING_FOR = re.compile(r"encoding (\d+) %, (\d+) s"), re.compile(r"encoding for (\d+) s")
_CPU = re.compile(r"CPU, (\d+) threads")


def format_time(time_secs: Fraction) -> str:
    """Return ``0:01.234`` or ``1:02:03.004``: hours only if there are any, milliseconds rounded down."""
    millis = int(time_secs * 1000)
    secs, millis = divmod(millis, 1000)
    minutes, secs = divmod(secs, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return decimal(f"{clock}:{secs:02}.{millis:03}")


def format_instant(instant: Instant) -> str:
    """Return ``frame 12`` for a source frame and ``frame 12 + 0.250`` for an instant between two."""
    frame = tr("frame {number}", number=instant.source_frame)
    # Rounded down: the last moment before the next frame is not that frame.
    return frame if instant.is_source else decimal(f"{frame} + {int(instant.phase * 1000) / 1000:.3f}")


def parse_time(text: str, timeline: Timeline, info: ClipInfo) -> Fraction | None:
    """Return the time in seconds that ``text`` names, or None if it names none; see :func:`place_on`."""
    try:
        typed = clip_time(text)
    except UsageError:
        return None
    secs = place_on(typed, timeline, info)
    return secs if secs >= 0 else None


def place_on(typed: ClipTime, timeline: Timeline, info: ClipInfo) -> Fraction:
    """Return the seconds of a time in a clip.

    A time after the end reads as the end, a timecode or a frame as the last frame.

    Raises:
        UsageError: it is a timecode that the clip does not have.
    """
    is_frame = isinstance(typed.typed, FramePlace | Timecode)
    last = timeline.frame_time(timeline.last_frame) if is_frame else timeline.duration_secs
    return min(typed.time_on(timeline, info), last)


def format_factor(factor: float) -> str:
    """Return ``×4``, ``×2.5`` or ``×0.25``: at most three digits."""
    return decimal(f"×{factor:.3g}")


def describe_scale(scale: float, trained: tuple[float, float], *, zoom: float | None = None) -> tuple[str, bool]:
    """Return a text about the decoding scale, and whether it lies above the scales of the training.

    Pictures there are decoded at the greatest of them and enlarged (core's render/enlarged.py).

    Args:
        scale: Decoded pixels for each clip pixel, along one side.
        trained: The least and the greatest scale that the model was trained for.
        zoom: Screen pixels for each clip pixel. Where it is not the scale, the text says that it is about decoding.
    """
    least, most = trained
    extrapolates = scale > most * 1.0001
    factor, first, last = _factor_beside(zoom, scale), format_factor(least), format_factor(most)
    note = tr("enlarged from {last}") if extrapolates else tr("trained for {first}–{last}")
    return f"{factor} ({note.format(first=first, last=last)})", extrapolates


def describe_scale_briefly(scale: float, trained: tuple[float, float], *, zoom: float | None = None) -> str:
    """Return the same in fewer words, for a narrow window: ``×8 (beyond ×4)``."""
    most, factor = trained[1], _factor_beside(zoom, scale)
    if scale <= most * 1.0001:
        return factor
    return tr("{scale} (beyond {last})", scale=factor, last=format_factor(most))


def _factor_beside(zoom: float | None, scale: float) -> str:
    """Return ``×8``; beside another ``zoom``, that the picture is decoded at it: a user would read two zooms."""
    factor = format_factor(scale)
    if zoom is None or math.isclose(zoom, scale, rel_tol=1e-6):
        return factor
    return tr("decoded at {scale}", scale=factor)


def format_zoom(zoom: float) -> str:
    """Return ``412%``; below 10% with one decimal."""
    percent = zoom * 100
    return tr("{percent}%", percent=f"{percent:.0f}" if percent >= 10 else decimal(f"{percent:.1f}"))


def format_elapsed(secs: float) -> str:
    """Return ``38 ms`` or ``2.1 s``."""
    return f"{secs * 1000:.0f} ms" if secs < 1 else decimal(f"{secs:.1f} s")


def format_remaining(secs: float | None) -> str:
    """Return a coarse ``about 2 min left``. None: not known yet."""
    if secs is None:
        return tr("estimating…")
    if secs < 60:
        return tr("about {number} s left", number=max(1, round(secs)))
    if secs < 3600:
        return tr("about {number} min left", number=round(secs / 60))
    return tr("about {number} h left", number=decimal(f"{secs / 3600:.1f}"))


def format_duration(secs: float) -> str:
    """Return a coarse ``40 s``, ``2 min`` or ``1.5 h``."""
    if secs < 60:
        return tr("{number} s", number=max(1, round(secs)))
    if secs < 3600:
        return tr("{number} min", number=round(secs / 60))
    return tr("{number} h", number=decimal(f"{secs / 3600:.1f}"))


def format_progress(words: str) -> str:
    """Return the engine's words about an encoding in the language of the window."""
    if found := _ENCODING.fullmatch(words):
        return tr("encoding {percent} %, {secs} s", percent=found[1], secs=found[2])
    return tr("encoding for {secs} s", secs=found[1]) if (found := _ENCODING_FOR.fullmatch(words)) else words


def format_device(name: str) -> str:
    """Return the engine's name of a device in the language of the window."""
    threads = _CPU.fullmatch(name)
    return name if threads is None else tr("CPU, {count} threads", count=threads[1])


def format_bytes(count: float) -> str:
    """Return ``900 kB``, ``35 MB`` or ``1.6 GB``."""
    return decimal(phrases.format_bytes(count))


def describe_estimate(found: Mapping[str, Any]) -> str:
    """Return what an export will take, from the values of :class:`videoinr.exporting.estimate.Estimate`."""
    lines = [
        tr(
            "Time: about {likely} ({least} to {most}).",
            **{name: format_duration(found[key]) for name, key in _limits("secs")},
        ),
        tr(
            "Size: about {likely} ({least} to {most}), without sound.",
            **{name: format_bytes(found[key]) for name, key in _limits("size_bytes")},
        ),
    ]
    if found.get("memory_bytes"):
        lines.append(tr("Memory: about {bytes}.", bytes=format_bytes(found["memory_bytes"])))
    if found.get("device_bytes"):
        lines.append(tr("Memory of the GPU: about {bytes}.", bytes=format_bytes(found["device_bytes"])))
    lines.append(tr("Measured on {frames}.", frames=format_frames(found["sampled"])))
    return "\n".join(lines)


def _limits(name: str) -> tuple[tuple[str, str], ...]:
    return ("likely", name), ("least", f"least_{name}"), ("most", f"most_{name}")


def format_frames(count: int) -> str:
    """Return ``1 frame`` or ``250 frames``."""
    return tr("1 frame") if count == 1 else tr("{number} frames", number=count)


def format_rate(fps: Fraction) -> str:
    """Return ``25 fps`` or ``23.976 fps``."""
    return tr("{rate} fps", rate=decimal(f"{float(fps):.3f}".rstrip("0").rstrip(".")))
