"""Phrases that messages of the command line and the window share."""

from __future__ import annotations


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Return the count with its noun: ``1 frame``, ``12 frames``. ``plural``: the noun's, if it is not noun + s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def format_saved(frames: int, where: object) -> str:
    """Return the sentence that ends an export: ``Saved 12 frames to out.mp4``."""
    return f"Saved {format_count(frames, 'frame')} to {where}"
