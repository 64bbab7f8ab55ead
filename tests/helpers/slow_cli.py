"""``python -m helpers.slow_cli SECS_PER_FRAME ...``: the real command line with a renderer without a model.

SECS_PER_FRAME: see :func:`helpers.held_frames.pace_from_text`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.held_frames import left_unfinished, pace_from_text
from helpers.slow_renderer import Pace, SlowRenderer

PIXELS = 320 * 180
"""Pixels of a frame at the default scale of an export, which takes SECS_PER_FRAME."""


def engine_module(
    *, secs_per_frame: float = 0.0, made: list[SlowRenderer] | None = None, is_unfinished: bool = False
) -> ModuleType:
    """Return a stub of :mod:`videoinr.render.engine` whose ``open_engine`` adds a SlowRenderer to ``made``."""

    def open_engine(path: Path, **_options: object) -> Any:
        renderer = SlowRenderer(path, pace=Pace(secs_per_pixel=secs_per_frame / PIXELS))
        if made is not None:
            made.append(renderer)
        return left_unfinished(renderer, renderer.frames) if is_unfinished else renderer

    module = ModuleType("videoinr.render.engine")
    module.__dict__["open_engine"] = open_engine
    return module


def main() -> None:
    """Run the command line with this engine."""
    secs_per_frame, is_unfinished = pace_from_text(sys.argv.pop(1))
    sys.modules["videoinr.render.engine"] = engine_module(secs_per_frame=secs_per_frame, is_unfinished=is_unfinished)
    from videoinr.cli import main as run

    run()


if __name__ == "__main__":
    main()
