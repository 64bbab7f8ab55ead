"""Augmentation: downsampled and recoloured windows, as often as the stage says, from the seed only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.clips import numbered_frames, write_pictures
from videoinr.images import downsample
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.augmentation import GAMMAS, downsampled, draw_crop_side, recoloured
from videoinr.training.data.clip_store import Cut
from videoinr.training.data.sources import open_source
from videoinr.training.fitting import fitted
from videoinr.training.recipe import Recipe, Stage

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (2.0,), 1e-3, windows=(2, 3), targets=2)


def some_cut(count: int, side: int) -> Cut:
    images = torch.from_numpy(np.random.default_rng(0).random((count, 4, 3, side, side), np.float32))
    return Cut(images, torch.rand((count, 2)))


def test_half_of_the_batches_take_larger_crops() -> None:
    sides = [draw_crop_side(100, 1.4, np.random.default_rng(seed)) for seed in range(2000)]
    larger = [side for side in sides if side > 100]
    assert len(larger) / len(sides) == pytest.approx(0.5, abs=0.04)
    assert max(larger) == 140
    assert np.mean(larger) == pytest.approx(120, abs=1)


def test_windows_are_downsampled_like_lr_inputs() -> None:
    cut = some_cut(2, 12)
    small = downsampled(cut, 9)
    expected = downsample(cut.images.flatten(0, 1), height=9, width=9)
    assert torch.equal(small.images.flatten(0, 1), expected)
    assert torch.equal(small.times, cut.times)
    assert downsampled(cut, 12) is cut


def test_recolouring_changes_all_frames_of_a_window_alike() -> None:
    """Each channel is one of the window's channels to a power that all its frames share."""
    cut = some_cut(200, 4)
    images = recoloured(cut, 0.5, np.random.default_rng(1)).images
    changed, orders = 0, set()
    for before, after in zip(cut.images, images, strict=True):
        if torch.equal(before, after):
            continue
        changed += 1
        # [channel after, channel before]: the exponent between the two, at every pixel.
        exponents = after.log().transpose(0, 1).flatten(1)[:, None] / before.log().transpose(0, 1).flatten(1)[None]
        order = exponents.std(-1).argmin(1).tolist()
        exponent = exponents[torch.arange(3), order].median(-1).values
        assert sorted(order) == [0, 1, 2]
        torch.testing.assert_close(exponent, exponent[:1].expand(3), rtol=1e-3, atol=0)
        assert GAMMAS[0] <= float(exponent[0]) <= GAMMAS[1]
        orders.add(tuple(order))
    assert changed / 200 == pytest.approx(0.5, abs=0.1)
    assert len(orders) == 6


def test_an_augmented_batch_has_the_requested_shape(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pattern", numbered_frames(6, width=32, height=24))
    source, stage = open_source([tmp_path], CPU), replace(STAGE, downsample=1.5, recolour=0.5)
    plain = [source.batch(STAGE, BatchShape(4, 8, 16, 2), np.random.default_rng((3, step))) for step in range(8)]
    batches = [source.batch(stage, BatchShape(4, 8, 16, 2), np.random.default_rng((3, step))) for step in range(8)]
    again = [source.batch(stage, BatchShape(4, 8, 16, 2), np.random.default_rng((3, step))) for step in range(8)]
    for one, other, same in zip(plain, batches, again, strict=True):
        assert other.low.shape == one.low.shape == (4, 2, 3, 8, 8)
        assert other.targets.shape == one.targets.shape == (4, 2, 3, 16, 16)
        assert not torch.equal(one.targets, other.targets)
        assert torch.equal(other.targets, same.targets)
        assert torch.equal(other.low, same.low)


def test_patches_get_smaller_until_the_largest_crop_fits(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pattern", numbered_frames(6, width=64, height=48))
    source = open_source([tmp_path], CPU)
    stage = replace(STAGE, patch=24, downsample=1.5)
    recipe, _ = fitted(Recipe("mine", "tiny", (stage,)), source)
    assert stage.largest_crop() == 72
    assert recipe.stages[0].patch == 16
    assert recipe.stages[0].largest_crop() == 48
