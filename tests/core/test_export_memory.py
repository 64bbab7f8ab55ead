"""An export keeps only what later frames need: its memory does not grow with the number of frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.clips import write_clip
from helpers.held_frames import HeldFrames
from helpers.tiny_model import load_tiny_model
from videoinr.clip import open_clip
from videoinr.clip.video_clip import VideoClip
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.exporting import export
from videoinr.exporting.export import write_frames
from videoinr.exporting.job import ExportJob
from videoinr.geometry import Grid
from videoinr.render.engine import Engine
from videoinr.types import AcrossCuts, ExportProgress, Segment

FRAMES = 16
PROFILE = ComputeProfile(torch.device("cpu"), tile_side=32, feature_bytes=2**26, tile_bytes=2**26)


class CountingSink:
    """Counts the frames."""

    def __init__(self) -> None:
        self.count = 0

    def open(self) -> None:
        """Do nothing."""

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        assert rgbx.shape == (48, 64, 4)
        self.count += 1

    def finish(self, *, partial: bool = False) -> Path:
        assert not partial
        return Path("out.mp4")

    def abort(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("across_cuts", [AcrossCuts.HOLD, AcrossCuts.BLEND], ids=str)
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path: Path, across_cuts: AcrossCuts) -> None:
    clip, grid, sink = write_clip(tmp_path / "clip.mp4", FRAMES, fps=Fraction(24)), Grid(64, 48), CountingSink()
    job = ExportJob(clip, tmp_path / "out.mp4", Segment(Fraction(0), Fraction(FRAMES, 24)), Fraction(24), Fraction(1),
                    grid, grid.rect)  # fmt: skip
    held: list[tuple[int, int, int]] = []
    with Engine(open_clip(clip), load_tiny_model(tmp_path), PROFILE, across_cuts) as engine:
        decoder = engine._decoder
        assert isinstance(decoder, TiledDecoder)

        def note(_: ExportProgress) -> None:
            tiles = decoder._tiles
            used = sum(len(one.slots) for one in tiles._fields.values())
            held.append((int(engine._pairs.cache._held.currsize), used, len(tiles._basis_memory)))

        write_frames(job, engine, sink, note)
    assert sink.count == FRAMES
    early = held[4:8]
    for kind in range(3):
        assert max(one[kind] for one in held[-6:]) <= max(one[kind] for one in early)


@pytest.mark.parametrize("speed", [Fraction(1), Fraction(1, 3)], ids=str)
def test_the_clip_of_an_export_keeps_a_fixed_number_of_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: Fraction
) -> None:
    monkeypatch.setattr(export, "_HELD_FRAMES", 4)
    clip, grid = write_clip(tmp_path / "clip.mp4", FRAMES, fps=Fraction(24)), Grid(64, 48)
    segment = Segment(Fraction(0), Fraction(FRAMES, 24))
    job = ExportJob(clip, tmp_path / "out.mp4", segment, Fraction(24), speed, grid, grid.rect)
    held: list[int] = []
    with HeldFrames(open_clip(clip)) as engine:
        source = engine.clip
        assert isinstance(source, VideoClip)
        write_frames(job, engine, CountingSink(), lambda _: held.append(source.held_bytes))
        decoded, shown = grid.rect.area * 3 // 2, grid.rect.area * 3
        assert 0 < max(held[-FRAMES // 2 :]) <= 4 * (decoded + shown)
        assert source.seeks <= 1
