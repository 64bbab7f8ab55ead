"""Coded training footage: stretches through real encoders, and windows whose LR inputs and HR targets coincide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.clips import numbered_frame, write_clip
from videoinr.errors import UsageError
from videoinr.images import downsample
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data import coded_footage, coded_store
from videoinr.training.data.coded_footage import (
    ENCODERS,
    Encoder,
    StretchJob,
    coded,
    degraded,
    made_stretch,
    stretch_jobs,
)
from videoinr.training.data.coded_store import CodedStore
from videoinr.training.data.sources import CODED_SHARE, open_source
from videoinr.training.data.windows import StoredRun
from videoinr.training.recipe import Stage, load_recipe

HEIGHT, WIDTH, FRAMES = 72, 104, 6
CPU = torch.device("cpu")
STAGE = Stage("a", 1, windows=(2, 4))


def frames() -> np.ndarray:
    return np.stack([numbered_frame(number, width=WIDTH, height=HEIGHT) for number in range(FRAMES)])


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodedStore]:
    # One run, coded lightly, at two scales.
    light = Encoder("libx264", 1, "crf", 10, 11)
    monkeypatch.setattr(coded_footage, "ENCODERS", (light,))
    for name in ("BLURRED", "RESIZED", "NOISY", "SHARPENED", "COMBED", "UNCODED"):
        monkeypatch.setattr(coded_footage, name, 0)
    monkeypatch.setattr(coded_store, "SCALES", {1: 1, 2: 2})
    monkeypatch.setattr(coded_store, "LEAST_SIDES", {1: 32, 2: 32})
    flat = torch.from_numpy(np.concatenate([np.zeros(1000, np.uint8), frames().ravel()]))
    made = CodedStore(flat, [StoredRun(1000, FRAMES, HEIGHT, WIDTH, np.ones(FRAMES, np.float32))], processes=0)
    yield made
    made.close()


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * torch.log10((a - b).square().mean()))


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda each: each.name)
def test_an_encoder_keeps_levels_and_loses_more_at_worse_quality(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, errors = frames(), []
    monkeypatch.setattr(coded_footage, "UNCODED", 0)
    for quality in (encoder.best, encoder.worst):
        monkeypatch.setattr(coded_footage, "ENCODERS", (replace(encoder, best=quality, worst=quality),))
        out = coded(pixels, np.random.default_rng(0))
        assert out.shape == pixels.shape
        difference = out.astype(float) - pixels
        assert abs(difference.mean()) < 1.5
        errors.append(np.square(difference).mean())
    assert errors[0] < 0.7 * errors[1] < 400


def test_a_stretch_depends_on_its_seed_alone(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    frames().tofile(path)
    job = StretchJob(0, FRAMES, HEIGHT, WIDTH, 3, (7, 1))
    one, again = made_stretch(path, job), made_stretch(path, job)
    assert one.shape == (FRAMES, 24, 34, 3)
    assert np.abs(one.astype(int) - again).mean() < 1  # x264 may vary: findings/x264_varies.sh
    assert np.abs(one.astype(int) - made_stretch(path, replace(job, seed=(7, 2)))).mean() > 0.5


def test_each_degradation_changes_the_frames_and_none_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    low = torch.from_numpy(frames()).permute(0, 3, 1, 2).float() / 255
    names = ("BLURRED", "RESIZED", "NOISY", "SHARPENED", "COMBED")
    for name in names:
        monkeypatch.setattr(coded_footage, name, 0)
    assert torch.equal(degraded(low, np.random.default_rng(0)), low)
    for name in names:
        monkeypatch.setattr(coded_footage, name, 1)
        changed = degraded(low, np.random.default_rng(1))
        assert 15 < psnr(changed, low) < 60, name
        assert abs(float((changed - low).mean())) < 0.01
        monkeypatch.setattr(coded_footage, name, 0)


def test_every_run_gives_a_stretch_before_any_gives_two() -> None:
    runs = [(0, 40, 90, 120), (1296000, 2, 90, 120), (1360800, 10, 90, 120), (1684800, 30, 40, 120)]
    jobs = stretch_jobs(runs, {1: 1.5, 2: 0.1}, sides={1: 64, 2: 16}, seed=(3, 0))
    at_one = [run for run, _, job in jobs if job.scale == 1]
    assert sorted(at_one[:2]) == [0, 2]  # Run 1 is too short, run 3 too low.
    assert len(at_one) == 3
    assert len(jobs) == 4
    for run, first, job in jobs:
        offset, count, height, width = runs[run]
        assert first + job.frames <= count
        assert job.offset == offset + first * height * width * 3


@pytest.mark.parametrize("scale", [1, 2])
def test_inputs_and_targets_show_the_same_place_and_instant(store: CodedStore, scale: int) -> None:
    shape = BatchShape(6, 32, 32 * scale, 3)
    assert store.serves(shape)
    batch = store.windows(STAGE, shape, 5, np.random.default_rng(2))
    low, targets, times = batch.low, batch.targets, batch.times
    assert low.shape == (6, 2, 3, 32, 32)
    assert targets.shape == (6, 3, 3, 32 * scale, 32 * scale)
    small = downsample(targets.flatten(0, 1), height=32, width=32).view(6, 3, 3, 32, 32)
    ends = [(b, k, int(times[b, k])) for b in range(6) for k in range(3) if times[b, k] in (0, 1)]
    assert {end for _, _, end in ends} == {0, 1}
    for window, target, end in ends:
        assert psnr(small[window, target], low[window, end]) > 27
        assert psnr(small[window, target], low[window, end]) > psnr(small[window, target], low[window, 1 - end]) + 3


def test_a_batch_is_drawn_by_its_generator_and_its_epoch(store: CodedStore) -> None:
    shape = BatchShape(4, 32, 64, 2)
    first = store.windows(STAGE, shape, 0, np.random.default_rng(1))
    again = store.windows(STAGE, shape, coded_store.EPOCH_STEPS - 1, np.random.default_rng(1))
    for name in ("low", "targets", "times"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    other = store.windows(STAGE, shape, 0, np.random.default_rng(2))
    assert not torch.equal(first.low, other.low)


def test_other_scales_and_larger_patches_are_not_served(store: CodedStore) -> None:
    assert not store.serves(BatchShape(4, 32, 48, 2))
    assert not store.serves(BatchShape(4, 32, 96, 2))
    assert not store.serves(BatchShape(4, 64, 128, 2))


def footage(folder: Path) -> Path:
    folder.mkdir()
    write_clip(folder / "a.mkv", (numbered_frame(n, width=288, height=264) for n in range(8)), codec="ffv1")
    return folder


def test_a_source_codes_a_share_of_its_windows_in_processes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    stage = Stage("a", 1, batch=10, patch=64, windows=(2, 4))
    source = open_source([footage(tmp_path / "clips")], CPU, degradation="coded")
    try:
        shape = BatchShape(10, 64, 256, 2)
        batch = source.batch(stage, shape, np.random.default_rng((1, 3, 1)))
        assert batch.low.shape == (10, 2, 3, 64, 64)
        assert batch.targets.shape == (10, 2, 3, 256, 256)
        exact = [
            bool(torch.equal(downsample(batch.targets[b, k][None], height=64, width=64)[0], batch.low[b, int(t)]))
            for b in range(10)
            for k, t in enumerate(batch.times[b].tolist())
            if t in (0, 1)
        ]
        assert set(exact) == {True, False}
        assert any("libx265" in line and f"{CODED_SHARE:.0%}" in line for line in source.report())
    finally:
        source.close()
        source.close()


def test_clips_that_do_not_fit_into_the_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not stream"):
        open_source([footage(tmp_path / "clips")], CPU, degradation="coded", memory_bytes=1 << 20)


def test_the_recipe_is_valid() -> None:
    recipe = load_recipe("lite-real")
    assert recipe.degradation == "coded"
    assert recipe.scale_bounds() == (1, 4)
