"""What the window says and what it understands: times, instants, scales and rates as text. No Qt."""

from __future__ import annotations

import re
from fractions import Fraction

from videoinr.timeline import Timeline
from videoinr.types import Instant

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d*(?:[.,]\d+)?)\s*s?")
_FRAME = re.compile(r"[f#]\s*(\d+(?:[.,]\d+)?)", re.IGNORECASE)


def format_time(time_secs: Fraction) -> str:
    """``0:01.234`` or ``1:02:03.004``: hours only where there are any; the millisecond that has begun."""
    millis = int(time_secs * 1000)
    secs, millis = divmod(millis, 1000)
    minutes, secs = divmod(secs, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{secs:02}.{millis:03}"


def format_instant(instant: Instant) -> str:
    """``frame 12`` on a source frame, ``frame 12 + 0.250`` between two."""
    frame = f"frame {instant.source_frame}"
    return frame if instant.is_source else f"{frame} + {float(instant.phase):.3f}"


def parse_time(text: str, timeline: Timeline) -> Fraction | None:
    """The second that ``text`` names, or None: ``1.5``, ``1:02.5``, ``1:02:03`` or a frame, ``f 29.5``.

    Times beyond the clip read as its end.
    """
    text = text.strip()
    if match := _FRAME.fullmatch(text):
        position = Fraction(match[1].replace(",", "."))
        return timeline.time_from_instant(timeline.instant_from_position(position))
    match = _CLOCK.fullmatch(text)
    if not match or not match[3] or match[3] in ".,":
        return None
    hours, minutes, secs = (Fraction((part or "0").replace(",", ".")) for part in match.groups())
    return min(hours * 3600 + minutes * 60 + secs, timeline.duration_secs)


def format_factor(factor: float) -> str:
    """``×4``, ``×2.5``, ``×0.25``: three digits at most."""
    return f"×{factor:.3g}"


def describe_scale(scale: float, trained: tuple[float, float]) -> tuple[str, bool]:
    """What the decode ``scale`` means to a model ``trained`` from least to most, and whether it extrapolates."""
    least, most = trained
    if scale > most * 1.0001:
        return f"{format_factor(scale)}, beyond trained {format_factor(most)}: extrapolated", True
    if scale < least * 0.9999:
        return f"{format_factor(scale)}, below trained {format_factor(least)}", False
    return f"{format_factor(scale)} of trained {format_factor(least)}–{format_factor(most)}", False


def format_zoom(zoom: float) -> str:
    """``412 %``; a decimal below 10 %."""
    percent = zoom * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def format_elapsed(secs: float) -> str:
    """How long a picture took: ``38 ms``, ``2.1 s``."""
    return f"{secs * 1000:.0f} ms" if secs < 1 else f"{secs:.1f} s"


def format_remaining(secs: float | None) -> str:
    """How long is left, coarsely: ``about 2 min left``."""
    if secs is None:
        return "estimating…"
    if secs < 60:
        return f"about {max(1, round(secs))} s left"
    if secs < 3600:
        return f"about {round(secs / 60)} min left"
    return f"about {secs / 3600:.1f} h left"


def format_rate(fps: Fraction) -> str:
    """``25 fps`` or ``23.976 fps``."""
    return f"{float(fps):.3f}".rstrip("0").rstrip(".") + " fps"
