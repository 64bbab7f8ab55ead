"""Stages that draw from several batch shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from videoinr.errors import UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.recipe import load_recipe


def test_a_stage_may_draw_from_several_shapes(tmp_path: Path) -> None:
    text = """
        config = "tiny"
        [[stages]]
        name = "several"
        steps = 8
        windows = [2, 4]
        flow_weight = 0.01
        draws = [
            { batch = 3, patch = 16, scale = 1.0, depth = 3, weight = 3.0, windows = [8] },
            { batch = 2, patch = 8, scale = 4.0 },
        ]
    """
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    stage = load_recipe(str(tmp_path / "mine.toml")).stages[0]
    assert (stage.sizes(), stage.scale_bounds(), stage.largest_crop()) == ((16, 32), (1.0, 4.0), 32)
    drawn = [stage.drawn(np.random.default_rng(seed)) for seed in range(200)]
    large = [each for each, shape in drawn if shape == BatchShape(3, 16, 16, 3, depth=3)]
    small = [each for each, shape in drawn if shape == BatchShape(2, 8, 32, 3)]
    assert len(large) + len(small) == 200
    assert 130 < len(large) < 170
    assert {each.windows for each in large} == {(8,)}
    assert {each.windows for each in small} == {(2, 4)}


@pytest.mark.parametrize(
    "draws",
    [
        "[{ batch = 3, patch = 16, scale = 0.5 }]",
        "[{ batch = 0, patch = 16, scale = 1.0 }]",
        "[{ batch = 3, patch = 16, scale = 1.0, weight = 0.0 }]",
        "[{ batch = 3, patch = 16, scale = 1.0, colour = 1 }]",
        "[{ batch = 3, patch = 16, scale = 1.0 }]\nscales = [4.0]",
    ],
)
def test_invalid_draws_are_a_usage_error(tmp_path: Path, draws: str) -> None:
    text = f'config = "tiny"\n[[stages]]\nname = "several"\nsteps = 8\ndraws = {draws}\n'
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(str(tmp_path / "mine.toml"))
