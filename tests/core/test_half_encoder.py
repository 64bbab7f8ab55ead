"""Encoding in half precision on a CPU, which a processor with AMX does, gives the pictures of float32."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.clips import numbered_frames, write_clip
from videoinr import devices
from videoinr.geometry import Grid, Rect
from videoinr.render.engine import open_engine
from videoinr.types import Instant, RegionQuery


@pytest.mark.parametrize("model", ["lite", "base"])
def test_pictures_in_bfloat16_are_those_in_float32(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mkv", numbered_frames(2, width=128, height=64), codec="ffv1")  # no loss
    query = RegionQuery(Instant(0, Fraction(1, 2)), Grid(128, 64), Rect(0, 0, 96, 64))
    pictures = []
    for half in (False, True):
        monkeypatch.setattr(devices, "_cpu_multiplies_bfloat16", lambda half=half: half)
        with open_engine(path, device="cpu", model=model) as engine:
            pictures.append(engine.render(query).rgbx[..., :3].astype(float))
    error = pictures[1] - pictures[0]
    assert error.any()
    assert np.square(error).mean() < 255**2 / 10**4.5  # 45 dB
    assert abs(error.mean()) < 0.1
