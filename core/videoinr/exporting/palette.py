"""Turns frames into pictures of 256 colours, each with a palette of its own, for GIF."""

from __future__ import annotations

from fractions import Fraction

import av
from av.filter import Graph


def with_palette(frame: av.VideoFrame) -> av.VideoFrame:
    """Return ``frame`` in FFmpeg's format pal8, dithered to the 256 colours that suit it best."""
    # Anew for each frame: palettegen and paletteuse then wait for no other one.
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    graph.push(frame)
    graph.push(None)
    found = graph.pull()
    assert isinstance(found, av.VideoFrame)
    return found
