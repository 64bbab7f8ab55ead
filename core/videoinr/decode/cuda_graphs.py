"""Records launches that repeat, with only the time changing, as CUDA graphs, and replays them."""

from __future__ import annotations

import weakref

from videoinr.decode.recording import Recorder, Replay
from videoinr.geometry import Rect
from videoinr.model.features import PairFeatures
from videoinr.model.kernels.decode import Canvas, DecodeWeights, Field, draw


class Launches:
    """Draws pictures; a picture drawn twice in a row, at any times, is recorded and then replayed.

    It keeps nothing alive: a recording is valid as long as the next call passes the very objects it reads and writes.
    """

    def __init__(self, record: Recorder) -> None:
        """Record by ``record``."""
        self._record = record
        self._last: tuple[weakref.ref[object], ...] = ()
        self._band: Rect | None = None
        self._replay: Replay | None = None
        self._recorded = False

    def run(self, weights: DecodeWeights, features: PairFeatures, field: Field, canvas: Canvas, band: Rect) -> None:
        """Draw a band of a picture; see :func:`videoinr.model.kernels.decode.draw`."""

        def launch() -> None:
            draw(weights, features, field, canvas, band)

        operands: tuple[object, ...] = (weights, features, field, canvas)
        if band != self._band or [known() for known in self._last] != list(operands):
            self._last, self._band = tuple(weakref.ref(each) for each in operands), band
            self._replay, self._recorded = None, False
        elif not self._recorded:
            self._replay, self._recorded = self._record(launch), True
        (self._replay or launch)()
