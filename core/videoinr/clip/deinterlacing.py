"""Deinterlaces frames with FFmpeg's bwdif: one frame for the two fields that a stored frame weaves together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.filter import Graph

from videoinr.errors import ClipError

_BOTTOM_FIRST = (3, 4)
"""FFmpeg's field orders (of a stream) whose bottom field is shown first."""

_TOP_FIRST = (2, 5)


@dataclass(frozen=True, slots=True)
class Fields:
    """How to take frames apart.

    Attributes:
        parity: which field is first: tff, bff, or auto for what each frame says.
        every: whether all frames are deinterlaced, also those that do not say that they are interlaced.
    """

    parity: str
    every: bool


def fields_of(mode: str, field_order: int, *, flagged: bool) -> Fields | None:
    """Return how to deinterlace a stream; None for not at all.

    Args:
        mode: one of :data:`~videoinr.clip.open_options.DEINTERLACE_MODES`.
        field_order: FFmpeg's field order of the stream.
        flagged: whether its first frames say that they are interlaced.
    """
    says_stream = field_order in _TOP_FIRST or field_order in _BOTTOM_FIRST
    if mode == "off" or (mode == "auto" and not flagged and not says_stream):
        return None
    parity = "auto" if flagged or not says_stream else "bff" if field_order in _BOTTOM_FIRST else "tff"
    return Fields(parity, every=mode == "on" or not flagged)


def interlacing_note(mode: str, fields: Fields | None, *, is_interlaced: bool) -> list[str]:
    """Return a sentence about interlacing, or an empty list if there is nothing to say.

    Args:
        mode: one of :data:`~videoinr.clip.open_options.DEINTERLACE_MODES`.
        fields: how the frames are deinterlaced, as :func:`fields_of` returned it.
        is_interlaced: whether the clip says that it is interlaced.
    """
    if fields is None:
        return ["The clip is interlaced. It is shown without deinterlacing, as asked."] if is_interlaced else []
    if mode == "on":
        return ["All frames are deinterlaced, as asked."]
    return ["The clip is interlaced. Its frames are deinterlaced with bwdif; --deinterlace off weaves the fields."]


class Deinterlacer:
    """Deinterlaces single frames in any order; forward, each frame of the clip is looked at once."""

    def __init__(self, fields: Fields, frame_at: Callable[[int], av.VideoFrame], count: int) -> None:
        """Make a deinterlacer.

        Args:
            fields: how to take frames apart.
            frame_at: returns a decoded frame of the clip.
            count: how many frames the clip has.
        """
        self._fields, self._frame_at, self._count = fields, frame_at, count
        self._graph: Graph | None = None
        self._last = -1
        """The frame that entered the graph last; those before it came out."""

    def frame(self, index: int) -> av.VideoFrame:
        """Return frame ``index``, deinterlaced with the help of the frames before and after it."""
        decoded = self._frame_at(index)
        if self._graph is None or self._last != index:
            self._graph = _graph_of(decoded, self._fields)
            before = self._neighbour(index - 1, decoded)
            if before is not None:
                self._graph.push(before)
            self._graph.push(decoded)
            if before is not None:
                self._graph.pull()
        graph, after = self._graph, self._neighbour(index + 1, decoded)
        graph.push(after)
        self._graph, self._last = (None, -1) if after is None else (graph, index + 1)
        deinterlaced = graph.pull()
        assert isinstance(deinterlaced, av.VideoFrame)
        return deinterlaced

    def _neighbour(self, index: int, frame: av.VideoFrame) -> av.VideoFrame | None:
        """Return frame ``index`` if it exists and is laid out as ``frame`` is."""
        if not 0 <= index < self._count:
            return None
        try:
            found = self._frame_at(index)
        except ClipError:
            return None
        return found if _layout(found) == _layout(frame) else None


def _layout(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _graph_of(frame: av.VideoFrame, fields: Fields) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 25)
    )
    which = "all" if fields.every else "interlaced"
    bwdif = graph.add("bwdif", f"mode=send_frame:parity={fields.parity}:deint={which}")
    graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
    return graph
