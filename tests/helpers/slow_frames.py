"""The frames of a slow renderer's clip, as the window reads them beside the render thread."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from helpers.slow_renderer import SlowRenderer
from videoinr.cancel import NEVER, CancelToken
from videoinr.types import Instant, PairKind


class SlowFrames:
    """Implements ``FrameSource``: the source frames of :class:`SlowRenderer`, and cuts and repeats as a test says."""

    def __init__(
        self, path: Path, *, frames: int = 50, size: tuple[int, int] = (160, 90), secs: float = 0.0,
        cuts: frozenset[int] = frozenset(), repeats: frozenset[int] = frozenset(),
    ) -> None:  # fmt: skip
        self.path, self.secs, self.cuts, self.repeats = path, secs, cuts, repeats
        self._renderer = SlowRenderer(path, *size, frames=frames)
        self.read: list[int] = []
        self.judged: list[int] = []
        self.closed = False

    def rgbx(self, index: int, token: CancelToken = NEVER) -> NDArray[np.uint8]:
        time.sleep(self.secs)
        token.check()
        self.read.append(index)
        last = index == self._renderer.frames - 1
        instant = Instant(index - 1, Fraction(1)) if last and index else Instant(index, Fraction(0))
        return self._renderer.source(instant).rgbx

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        time.sleep(self.secs)
        token.check()
        self.judged.append(pair)
        return PairKind.CUT if pair in self.cuts else PairKind.REPEAT if pair in self.repeats else PairKind.MOTION

    def close(self) -> None:
        self.closed = True
