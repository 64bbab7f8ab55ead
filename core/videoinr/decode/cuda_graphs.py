"""The same launches again and again, while only the time changes: recorded once as a CUDA graph, then replayed."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch

from videoinr.geometry import Rect
from videoinr.model.features import PairFeatures
from videoinr.model.kernels.decode import Canvas, DecodeWeights, Field, draw

Replay = Callable[[], None]
Recorder = Callable[[Callable[[], None]], Replay | None]
"""A launch -> what does the same again, faster; None where that cannot be had."""


class Launches:
    """Draws; what is drawn twice in a row, but for the time, is recorded and from then on replayed.

    Holds nothing alive: a recording counts only while the very objects it reads and writes are asked for again.
    """

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._last: tuple[weakref.ref[object], ...] = ()
        self._band: Rect | None = None
        self._replay: Replay | None = None
        self._recorded = False

    def run(self, weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, band: Rect) -> None:
        """As :func:`draw`."""

        def launch() -> None:
            draw(weights, features, field, canvas, band)

        parts: tuple[object, ...] = (weights, features, field, canvas)
        if band != self._band or [known() for known in self._last] != list(parts):
            self._last, self._band = tuple(weakref.ref(part) for part in parts), band
            self._replay, self._recorded = None, False
        elif not self._recorded:
            self._replay, self._recorded = self._record(launch), True
        (self._replay or launch)()


def cuda_graph(launch: Callable[[], None]) -> Replay | None:
    """``launch``, which must have run before, as a CUDA graph; None where there is none to be had."""
    if not torch.cuda.is_available():
        return None
    # Not torch.cuda.graph(): that empties the allocator's cache and waits for the whole device.
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                launch()
            finally:
                graph.capture_end()
    except RuntimeError:
        return None
    torch.cuda.current_stream().wait_stream(stream)
    return graph.replay
