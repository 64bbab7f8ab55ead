"""Phrases that messages of the command line and the window share."""

from __future__ import annotations

_CUT_WORDS = {"hold": "the nearer frame is held", "blend": "both frames are blended", "decode": "pairs are decoded"}
"""What is shown across a cut, by the names of :class:`videoinr.types.AcrossCuts`."""


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Return the count with its noun: ``1 frame``, ``12 frames``. ``plural``: the noun's, if it is not noun + s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def format_secs(secs: float) -> str:
    """Return a duration coarsely: ``0.4 s``, ``40 s``, ``2 min 05 s``, ``1 h 10 min``."""
    if secs < 10:
        return f"{secs:.1f} s"
    minutes, rest = divmod(round(secs), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def format_bytes(count: float) -> str:
    """Return a number of bytes coarsely: ``900 kB``, ``35 MB``, ``1.6 GB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{count / 1e3:.0f} kB"


def format_saved(frames: int, where: object) -> str:
    """Return the sentence that ends an export: ``Saved 12 frames to out.mp4``."""
    return f"Saved {format_count(frames, 'frame')} to {where}"


def describe_cut(pair: int, across_cuts: str) -> str:
    """Return the sentence about a picture between two scenes, with a cut after frame ``pair``."""
    return f"There is a cut between frames {pair} and {pair + 1}: {_CUT_WORDS[across_cuts]}."


def describe_guess(pair: int) -> str:
    """Return the sentence about a picture between two frames whose motion the model did not find."""
    return f"Things move beyond the model's reach between frames {pair} and {pair + 1}: the picture is a guess."


def describe_cuts(count: int, across_cuts: str) -> str:
    """Return the sentence about the cuts that an export met."""
    return f"Across {format_count(count, 'cut')}, {_CUT_WORDS[across_cuts]}."
