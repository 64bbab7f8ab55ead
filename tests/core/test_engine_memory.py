"""What an engine keeps: nothing once it is closed, and few of the clip's frames where memory is short."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from helpers.clips import numbered_frames, write_clip
from videoinr.cancel import NEVER
from videoinr.clip.video_clip import VideoClip
from videoinr.geometry import Grid, Rect
from videoinr.render.engine import open_engine
from videoinr.types import Instant, RegionQuery


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# No cycle of references keeps its maps until Python looks for cycles.
@pytest.mark.usefixtures("no_collector")
def test_a_closed_engine_is_freed_at_once(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", numbered_frames(3, width=96, height=64))
    query = RegionQuery(Instant(0, Fraction(1, 2)), Grid(192, 128), Rect(0, 0, 100, 128))
    engine = open_engine(path, device="cpu", model="lite")
    engine.render(query)
    engine.motion(query)
    engine.preview(query, Rect(0, 0, 64, 64), NEVER)
    engine.inspector.flow(query, NEVER)
    parts = (engine, engine._pairs, engine._pairs.encoder, engine._motion, engine._decoder, engine.clip)
    left = {type(part).__name__: weakref.ref(part) for part in parts}
    engine.close()
    del engine, parts
    assert [name for name, there in left.items() if there() is not None] == []


def test_with_a_budget_the_clip_keeps_fewer_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", numbered_frames(12, width=96, height=64))
    held = []
    for budget in (2**20, None):
        with open_engine(path, device="cpu", model="lite", memory_bytes=budget) as engine:
            clip = engine.clip
            assert isinstance(clip, VideoClip)
            for index in range(12):
                clip.frame(index)
            held.append(clip.held_bytes)
    assert 3 * held[0] == held[1]
