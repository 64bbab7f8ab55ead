"""The benchmark of the motion search: its clips, its figures and its plot."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.dom.minidom import parseString

import pytest
import torch
from torch import Tensor

from benchmarks import motion_reach
from videoinr.model.ops import warp
from videoinr.training.data.stills import Stills

CPU = torch.device("cpu")


class Waves(Stills):
    """Photographs of smooth waves, without files."""

    def __init__(self) -> None:
        pass

    def crops(self, count: int, side: int, rng: Any) -> Tensor:
        """See :class:`Stills`."""
        x, phase = torch.arange(side) / 5.0, torch.from_numpy(rng.random((count, 3, 2))).float() * 6
        waves = (x + phase[..., :1]).sin()[..., None] * (x + phase[..., 1:]).sin()[..., None, :]
        return 0.5 + 0.4 * waves


def test_the_flow_warps_one_end_to_the_other_where_both_are_visible() -> None:
    clips = motion_reach.made_clips(Waves(), 48, 6.0, 2, CPU)
    ends = [warp(clips.frames[:, end], clips.flow[:, end]) for end in (0, 1)]
    both = (clips.visible[:, 0] & clips.visible[:, 1])[:, None].expand_as(ends[0])
    assert both.float().mean() > 0.3
    assert (ends[0] - ends[1]).abs()[both].mean() < 0.02


def test_larger_clips_show_enlarged_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_reach, "OWN_SIZE_LINES", 24)
    assert motion_reach.made_clips(Waves(), 48, 6.0, 1, CPU).frames.shape == (1, 2, 3, 48, 48)


def test_only_points_with_gradients_in_both_directions_are_textured() -> None:
    frames = torch.full((1, 3, 32, 40), 0.5)
    frames[..., :12] = torch.rand(32, 12)
    frames[..., 28:] = torch.rand(1, 12)
    textured = motion_reach.is_textured(frames)[0]
    assert textured[4:-4, 4:8].all()
    assert not textured[4:-4, 16:].any()


def test_a_perfect_flow_has_all_points_within_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_reach, "_error", lambda model, clips, number: torch.zeros(clips.visible.shape[1:]))
    model = SimpleNamespace(parameters=lambda: iter([torch.zeros(1)]))
    found = motion_reach.reach(cast(Any, model), Waves(), 32, (4, 8), 1)
    assert found == {"4": [1.0, 1.0, 0.0, 0.0], "8": [1.0, 1.0, 0.0, 0.0]}


def test_stored_results_are_printed_and_plotted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"10": [0.9, 0.95, 0.1, 0.5], "20": [0.5, 0.6, 0.7, 30.0]}
    stored, plot = tmp_path / "a.json", tmp_path / "a.svg"
    stored.write_text(json.dumps({"352": {"lite": figures, "base": figures}}))
    motion_reach.main(["--read", str(stored), "--plot", str(plot)])
    shown = capsys.readouterr().out
    assert "lite: textured within 1 px" in shown
    assert "0.950" in shown
    assert len(parseString(plot.read_text()).getElementsByTagName("path")) == 4 + 2 + 2


def test_photographs_must_be_named() -> None:
    with pytest.raises(SystemExit, match="--stills"):
        motion_reach.main([])
