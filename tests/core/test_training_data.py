"""Batches from clips: target times, crops, weights of windows, and repeatability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.clips import numbered_frames, write_clip, write_picture, write_pictures
from videoinr.clip.footage import read_stretch
from videoinr.errors import UsageError
from videoinr.images import downsample
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.sources import ClipSource, free_bytes, open_source
from videoinr.training.data.windows import FULL_MOTION_PX, MOVING_WEIGHT, STILL_WEIGHT, StoredRun, WindowTable
from videoinr.training.recipe import Stage

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 1.5, 2.0), 1e-3, windows=(2, 3), targets=2)
STEP_LEVELS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips: one of flat frames whose grey level encodes their number, one of patterns."""
    where = tmp_path_factory.mktemp("clips")
    write_pictures(where / "flat", [np.full((24, 28, 3), STEP_LEVELS * number, np.uint8) for number in range(9)])
    write_pictures(where / "pattern", numbered_frames(6, width=32, height=24))
    return where


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("stills")
    rng = np.random.default_rng(0)
    for number in range(2):
        write_picture(where / f"{number}.png", rng.integers(0, 256, (80, 90, 3), dtype=np.uint8))
    return where


@pytest.fixture(scope="module")
def source(folder: Path) -> ClipSource:
    return open_source([folder], CPU)


def only(folder: Path, name: str) -> ClipSource:
    return open_source([folder / name], CPU)


def assert_equal(one: Batch, other: Batch) -> None:
    assert torch.equal(one.low, other.low)
    assert torch.equal(one.targets, other.targets)
    assert torch.equal(one.times, other.times)


@pytest.mark.parametrize("windows", [(2,), (4, 8), (3, 5)])
def test_each_target_is_the_frame_at_its_time(folder: Path, windows: tuple[int, ...]) -> None:
    flat, stage = only(folder, "flat"), replace(STAGE, windows=windows)
    lengths = set()
    for seed in range(20):
        batch = flat.batch(stage, BatchShape(4, 8, 12, 3), np.random.default_rng(seed))
        numbers = (batch.low.mean((2, 3, 4)) * 255 / STEP_LEVELS).round()
        first, last = numbers[:, :1], numbers[:, 1:]
        shown = batch.targets.mean((2, 3, 4)) * 255 / STEP_LEVELS
        torch.testing.assert_close(shown, first + batch.times * (last - first), atol=1e-3, rtol=0)
        assert 0 <= float(batch.times.min()) <= float(batch.times.max()) <= 1
        lengths |= set((last - first).int().flatten().tolist())
    assert lengths == {sign * window for window in windows for sign in (1, -1)}  # Backwards, too.


def test_inputs_are_the_targets_degraded(folder: Path) -> None:
    """At times 0 and 1 a target is an input before degradation: same crop, same orientation."""
    pattern, seen = only(folder, "pattern"), 0
    for seed in range(12):
        batch = pattern.batch(STAGE, BatchShape(3, 8, 16, 2), np.random.default_rng(seed))
        for low, targets, times in zip(batch.low, batch.targets, batch.times, strict=True):
            for target, time in zip(targets, times.tolist(), strict=True):
                if time in (0, 1):
                    expected = downsample(target[None], height=8, width=8)[0]
                    torch.testing.assert_close(low[int(time)], expected, atol=1e-6, rtol=0)
                    seen += 1
    assert seen > 10


def test_crops_have_every_orientation_and_position(folder: Path) -> None:
    frames = read_stretch(folder / "pattern").pixels
    every = {}
    windows = np.lib.stride_tricks.sliding_window_view(frames, (12, 12), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    for place in np.ndindex(*windows.shape[:3]):
        every[windows[place].tobytes()] = place
    orientations, places = set(), set()
    for seed in range(12):
        batch = only(folder, "pattern").batch(STAGE, BatchShape(8, 8, 12, 1), np.random.default_rng(seed))
        for target in batch.targets[:, 0]:
            picture = (target.permute(1, 2, 0) * 255).round().byte().numpy()
            ways = [(turns, flip) for turns in range(4) for flip in (False, True)]
            found = {way: every.get(upright(picture, way[0], flip=way[1]).tobytes()) for way in ways}
            orientations |= {way for way, place in found.items() if place}
            places |= {place for place in found.values() if place}
            assert any(found.values())
    assert len(orientations) == 8
    assert {place[0] for place in places} == set(range(6))
    assert {0, 12} <= {place[1] for place in places}  # Both edges: 24 - 12 and 32 - 12.
    assert {0, 20} <= {place[2] for place in places}


def upright(picture: NDArray[np.uint8], turns: int, *, flip: bool) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if flip else picture, -turns))


def test_a_batch_has_the_requested_shape(source: ClipSource) -> None:
    batch = source.batch(STAGE, BatchShape(5, 6, 9, 3), np.random.default_rng(0))
    assert batch.low.shape == (5, 2, 3, 6, 6)
    assert batch.targets.shape == (5, 3, 3, 9, 9)
    assert batch.times.shape == (5, 3)
    assert {tensor.dtype for tensor in (batch.low, batch.targets, batch.times)} == {torch.float32}


@pytest.mark.parametrize("degradation", ["clean", "realistic"])
def test_a_batch_depends_only_on_its_seed(folder: Path, stills: Path, degradation: str) -> None:
    shape, stage = BatchShape(4, 8, 12, 2), replace(STAGE, stills_share=0.5)
    source = open_source([folder], CPU, degradation=degradation, stills=[stills])
    one, again, other = (source.batch(stage, shape, np.random.default_rng((7, step))) for step in (3, 3, 4))
    assert_equal(one, again)
    assert not torch.equal(one.targets, other.targets)
    assert_equal(
        one,
        open_source([folder], CPU, degradation=degradation, stills=[stills]).batch(
            stage, shape, np.random.default_rng((7, 3))
        ),
    )


def test_targets_repeat_only_when_all_frames_are_used(folder: Path) -> None:
    stage = replace(STAGE, windows=(2,))
    flat = only(folder, "flat")
    for seed in range(5):
        batch = flat.batch(stage, BatchShape(3, 8, 8, 7), np.random.default_rng(seed))
        for times in batch.times:
            values, counts = times.unique(return_counts=True)
            assert values.tolist() == [0.0, 0.5, 1.0]
            assert sorted(counts.tolist()) == [2, 2, 3]


def test_clips_too_short_or_too_small_are_left_out(source: ClipSource) -> None:
    assert source.frame_count == 15
    assert source.usable(STAGE, BatchShape(1, 8, 16, 1)) == [0, 1]
    assert source.usable(replace(STAGE, windows=(8,)), BatchShape(1, 8, 16, 1)) == [0]
    for stage, size in ((STAGE, 25), (replace(STAGE, windows=(9,)), 16)):
        with pytest.raises(UsageError, match="No clip has"):
            source.usable(stage, BatchShape(1, 8, size, 1))
        with pytest.raises(UsageError, match="No clip has"):
            source.batch(stage, BatchShape(1, 8, size, 1), np.random.default_rng(0))


def test_window_lengths_that_no_clip_has_are_not_drawn(folder: Path) -> None:
    stage = replace(STAGE, windows=(2, 40))
    batch = only(folder, "flat").batch(stage, BatchShape(8, 8, 8, 1), np.random.default_rng(0))
    numbers = (batch.low.mean((2, 3, 4)) * 255 / STEP_LEVELS).round()
    assert set((numbers[:, 1] - numbers[:, 0]).abs().tolist()) == {2.0}


def test_windows_with_motion_have_larger_weights() -> None:
    still, moving = (StoredRun(n * 10**6, 20, 8, 8, np.full(20, n * FULL_MOTION_PX, np.float32)) for n in (0, 1))
    drawn = WindowTable([still, moving]).draw(STAGE, np.random.default_rng(0), count=4000, size=8, targets=1)
    share = float((drawn.firsts[:, 0] >= 10**6).mean())
    assert share == pytest.approx(MOVING_WEIGHT / (MOVING_WEIGHT + STILL_WEIGHT), abs=0.03)


def test_a_runs_weight_is_the_square_root_of_its_length() -> None:
    runs = [StoredRun(n * 10**6, frames, 8, 8, np.ones(frames, np.float32)) for n, frames in enumerate((10, 90))]
    drawn = WindowTable(runs).draw(STAGE, np.random.default_rng(0), count=4000, size=8, targets=1)
    assert float((drawn.firsts[:, 0] >= 10**6).mean()) == pytest.approx(0.75, abs=0.03)


def test_windows_of_photographs_have_the_stages_share_and_come_last(folder: Path, stills: Path) -> None:
    source = open_source([folder / "flat"], CPU, stills=[stills])
    for share, count in ((0.0, 0), (0.25, 2), (1.0, 8)):
        batch = source.batch(replace(STAGE, stills_share=share), BatchShape(8, 8, 12, 2), np.random.default_rng(0))
        assert batch.low.shape == (8, 2, 3, 8, 8)
        spread = batch.targets.std((2, 3, 4)).amax(1) > 0  # Every frame of a flat clip is flat.
        assert spread.tolist() == [False] * (8 - count) + [True] * count


def test_a_stage_with_stills_share_needs_photographs(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="photographs") as caught:
        open_source([folder], CPU).batch(
            replace(STAGE, stills_share=0.5), BatchShape(2, 8, 12, 1), np.random.default_rng(0)
        )
    assert "stills_share" in caught.value.hint
    with pytest.raises(UsageError, match="no photographs"):
        open_source([folder], CPU, stills=[tmp_path])


def test_the_sources_report(folder: Path, stills: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 8)
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    lines = open_source([folder, tmp_path], CPU, degradation="realistic", stills=[stills]).report()
    text = "\n".join(lines)
    assert f"{folder}: 2 folders of pictures; 15 frames" in text
    assert f"{tmp_path}: 2 video files; 8 frames" in text
    assert "8 frames in 1 run; 0 cuts; 0.0 % left out" in text
    assert "1 clip could not be read: broken.mp4" in text
    assert "2 photographs" in text
    assert "in memory (cpu)" in text
    assert "H.264" in lines[-1]


def test_folders_without_usable_clips_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no training clips"):
        open_source([tmp_path], CPU)
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="can be read"):
        open_source([tmp_path], CPU)
    write_pictures(tmp_path / "static", [np.full((24, 24, 3), 90, np.uint8)] * 8)
    with pytest.raises(UsageError, match="Screening left no frames"):
        open_source([tmp_path], CPU)


def test_free_memory_is_measured() -> None:
    assert free_bytes(CPU) > 1 << 20
