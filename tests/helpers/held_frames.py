"""A renderer without a model for exports of real clips: an instant shows the frame that started last.

``python -m helpers.held_frames SECS_PER_FRAME ...`` is the real command line with it; see :func:`pace_from_text`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from videoinr.cancel import CancelToken
from videoinr.clip import open_clip
from videoinr.clip.base import Clip
from videoinr.closing import Closeable
from videoinr.render.messages import Opened
from videoinr.types import Quality, RegionQuery, RenderedRegion

UNDRAWN = 3
FOREVER_SECS = 3600
"""Longer than any test takes."""


def pace_from_text(text: str) -> tuple[float, bool]:
    """Return the seconds for a frame, and whether the last frames of the clip are never drawn: ``0.01:unfinished``.

    Then a test that kills the process finds it at work, however long it takes to come to that.
    """
    secs, _, end = text.partition(":")
    assert end in ("", "unfinished"), end
    return float(secs), bool(end)


def left_unfinished(renderer: Any, frames: int) -> Any:
    """Let ``renderer``, of a clip of so many frames, draw for ever at the last UNDRAWN ones; return it."""

    def unless_last(draw: Callable[..., RenderedRegion]) -> Callable[..., RenderedRegion]:
        def drawn(query: RegionQuery, *how: Any) -> RenderedRegion:
            if query.instant.position >= frames - UNDRAWN:
                time.sleep(FOREVER_SECS)
            return draw(query, *how)

        return drawn

    renderer.render, renderer.render_deep = unless_last(renderer.render), unless_last(renderer.render_deep)
    return renderer


class HeldFrames(Closeable):
    """Shows the frames of ``clip`` at their own size, and takes ``frame_secs`` for each."""

    def __init__(self, clip: Clip, frame_secs: float = 0.0) -> None:
        self.clip, self._frame_secs = clip, frame_secs
        self.opened = Opened(clip.info, clip.timeline, "held", (1.0, 1.0), "cpu")

    def render(self, query: RegionQuery, quality: Quality, token: CancelToken) -> RenderedRegion:
        """Return the frame in 8 bits."""
        pixels = self._pixels(query, token)
        if pixels.dtype == np.uint16:
            pixels = np.rint(pixels / 257).astype(np.uint8)
        return RenderedRegion(query, quality, pixels, 0.0)

    def render_deep(self, query: RegionQuery, token: CancelToken) -> RenderedRegion:
        """Return the frame in 16 bits."""
        pixels = self._pixels(query, token)
        if pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * 257
        return RenderedRegion(query, Quality.FULL, pixels, 0.0)

    def _pixels(self, query: RegionQuery, token: CancelToken) -> Any:
        time.sleep(self._frame_secs)
        token.check()
        instant = query.instant
        pixels: Any = self.clip.frame(instant.pair + (instant.phase == 1))
        return np.concatenate([pixels, np.full_like(pixels[..., :1], np.iinfo(pixels.dtype).max)], -1)

    def close(self) -> None:
        self.clip.close()


def engine_module(frame_secs: float = 0.0, *, is_unfinished: bool = False) -> ModuleType:
    """Return a stub of :mod:`videoinr.render.engine` whose ``open_engine`` shows frames as they are."""

    def open_engine(path: Path, **_options: object) -> Any:
        renderer = HeldFrames(open_clip(path), frame_secs)
        return left_unfinished(renderer, renderer.clip.info.frames) if is_unfinished else renderer

    module = ModuleType("videoinr.render.engine")
    module.__dict__["open_engine"] = open_engine
    return module


def main() -> None:
    """Run the command line with this engine."""
    frame_secs, is_unfinished = pace_from_text(sys.argv.pop(1))
    sys.modules["videoinr.render.engine"] = engine_module(frame_secs, is_unfinished=is_unfinished)
    from videoinr.cli import main as run

    run()


if __name__ == "__main__":
    main()
