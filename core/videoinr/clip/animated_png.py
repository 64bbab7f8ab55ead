"""Frames of animated PNGs that FFmpeg takes for key frames although they need the frames before them.

FFmpeg (8.1) marks each frame of the whole size as a key frame that replaces what was shown, or is cleared afterwards.
One that is laid over what was shown, and cleared afterwards, is then decoded without what was shown: transparent.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

_TICKS = 100_000
"""FFmpeg cuts the time of each frame to whole ticks of 1 s / 100,000: 12 frames a second become 12.0005."""

_DISPOSAL, _BLENDING = 32, 33
"""Where these bytes of a frame's control chunk are in a packet, which begins with the chunk."""

_PREVIOUS, _SOURCE = 2, 0


def unmark_dependent_frame(packet: Any) -> None:
    """Take the mark of a key frame off a packet of an animated PNG that needs the frames before it.

    Args:
        packet: a packet of an animated PNG.
    """
    if packet.is_keyframe:
        data = bytes(memoryview(packet)[: _BLENDING + 1])
        if len(data) > _BLENDING and data[4:8] == b"fcTL":
            # After "previous" the frame before is shown again, which a decoder that began here has not.
            packet.is_keyframe = data[_BLENDING] == _SOURCE and data[_DISPOSAL] != _PREVIOUS


def uncut_rate(rate: Fraction | None) -> Fraction | None:
    """Return the whole rate, or that of NTSC, whose frames FFmpeg shows at ``rate``; ``rate`` itself if none fits.

    A frame of whole milliseconds is believed, since programs state times so: 9 ms are not 111 frames a second.
    """
    if not rate or (1000 / rate).denominator == 1:
        return rate
    whole = max(1, round(rate))
    likely = (Fraction(whole), Fraction(whole * 1000, 1001))
    return next((each for each in likely if floor(_TICKS / each) == _TICKS / rate), rate)
