"""Where the chroma samples of a clip lie between its luma samples, and frames that say so.

PyAV does not show a frame's chroma location, and swscale takes a missing one as the centre. Most video without one has
its chroma at the left, as MPEG-2 and its successors define, which is half a luma pixel away.
"""

from __future__ import annotations

import io
import re
from fractions import Fraction

import av
from av.filter import Graph

_MATROSKA_SITING = re.compile(rb"\x55\xb7\x81([\x00-\x02])\x55\xb8\x81([\x00-\x02])", re.DOTALL)
"""Matroska's ChromaSitingHorz and ChromaSitingVert, which FFmpeg writes one after the other."""

_MATROSKA_NAMES = {(1, 1): "topleft", (1, 2): "left", (2, 2): "center", (2, 1): "top"}


def siting_of(stream: av.VideoStream, *, full_range: bool) -> str | None:
    """Return where the chroma samples of a stream lie.

    Without a chroma location in the file it is the left for limited range and the centre for full range, which is mpv's
    rule too.

    Args:
        stream: the stream of an open container.
        full_range: whether the stream has the full range.

    Returns:
        FFmpeg's name of the location ("left", "center", "topleft" ...), or None where its frames say it themselves.
    """
    if stream.format is None or not is_subsampled(stream.format) or _says_itself(stream):
        return None
    return declared_siting(stream) or ("center" if full_range else "left")


def declared_siting(stream: av.VideoStream) -> str | None:
    """Return the chroma location that FFmpeg knows of a stream; None if it knows none.

    PyAV hides that field, so the header of a Matroska file is written to memory, which holds it (0.1 ms).
    """
    written = io.BytesIO()
    try:
        with av.open(written, "w", format="matroska") as container:
            container.add_stream_from_template(stream, opaque=True)
            container.start_encoding()
    except (av.FFmpegError, ValueError, RuntimeError):
        # Matroska does not take every codec.
        return None
    found = _MATROSKA_SITING.search(written.getvalue())
    return _MATROSKA_NAMES.get((found[1][0], found[2][0])) if found else None


def is_subsampled(pix_fmt: av.VideoFormat) -> bool:
    """Return whether chroma has fewer columns or rows than luma in ``pix_fmt``."""
    return pix_fmt.chroma_width(16) != 16 or pix_fmt.chroma_height(16) != 16


def _says_itself(stream: av.VideoStream) -> bool:
    """Return whether all files of the container give a location. For raw video :func:`declared_siting` cannot tell."""
    return stream.container.format.name == "yuv4mpegpipe"


class ChromaPlacer:
    """Marks frames with a chroma location: swscale places their chroma accordingly. No pixels are copied."""

    def __init__(self, siting: str) -> None:
        """Make a placer of ``siting``, FFmpeg's name of a location."""
        self._siting = siting
        self._graph: Graph | None = None
        self._layout: tuple[int, int, str] | None = None

    def placed(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame that shares the pixels of ``frame`` and has the chroma location."""
        layout = frame.width, frame.height, frame.format.name
        if self._graph is None or layout != self._layout:
            self._graph, self._layout = _graph_of(frame, self._siting), layout
        self._graph.push(frame)
        placed = self._graph.pull()
        assert isinstance(placed, av.VideoFrame)
        return placed


def _graph_of(frame: av.VideoFrame, siting: str) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 25)
    )
    graph.link_nodes(source, graph.add("setparams", f"chroma_location={siting}"), graph.add("buffersink")).configure()
    return graph
