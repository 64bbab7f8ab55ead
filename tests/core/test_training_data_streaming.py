"""The streaming store: the same batches as from memory, independent of the disk's speed, in bounded memory."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.clips import number_in, numbered_frames, write_clip, write_pictures
from videoinr.errors import UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.loading import THREADS, FoundClip, find_sets, footage_of
from videoinr.training.data.pools import PoolKey, picks_of, seed_and_step
from videoinr.training.data.sources import ClipSource, MixedSource, open_source
from videoinr.training.data.streaming import REUSE, StreamingStore
from videoinr.training.recipe import Stage

CPU = torch.device("cpu")
STAGE = Stage("first", 400, 4, 8, (1.0, 2.0), 1e-3, windows=(2, 3), targets=2)
SHAPE = BatchShape(4, 8, 16, 2)
STRETCH = 2 * 3 + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short clips: each is one stretch, smaller than a crop."""
    where = tmp_path_factory.mktemp("short")
    for number in range(3):
        write_pictures(where / f"{number}", numbered_frames(4 + number, width=36 + 4 * number, height=32))
    return where


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two longer videos and a folder of pictures, larger than a crop."""
    where = tmp_path_factory.mktemp("long")
    for number in range(2):
        write_clip(where / f"{number}.mp4", numbered_frames(40 + number, width=96, height=64), options={"g": "12"})
    write_pictures(where / "c", numbered_frames(30, width=64, height=96))
    return where


def batches(source: ClipSource, steps: Any, seed: int = 7, stage: Stage = STAGE) -> list[Batch]:
    return [source.batch(stage, SHAPE, np.random.default_rng((seed, step, 1))) for step in steps]


def streamed(folder: Path, memory_bytes: int = 600_000) -> MixedSource:
    source = open_source([folder], CPU, memory_bytes=memory_bytes)
    assert isinstance(source, MixedSource)
    assert "streamed from disk" in source.report()[-2]
    return source


def store_of(folder: Path, memory_bytes: int = 600_000) -> StreamingStore:
    return StreamingStore(find_sets([folder])[1], CPU, memory_bytes=memory_bytes)


def assert_same(one: list[Batch], other: list[Batch]) -> None:
    for each, another in zip(one, other, strict=True):
        assert torch.equal(each.low, another.low)
        assert torch.equal(each.targets, another.targets)
        assert torch.equal(each.times, another.times)


def stretch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("stretch")]


def test_streamed_batches_equal_those_from_memory(folder: Path) -> None:
    """If a pool holds all clips, both stores draw the same windows."""
    clips = find_sets([folder])[1]
    store = StreamingStore(clips, CPU, memory_bytes=1 << 22)
    memory = open_source([folder], CPU)
    for step in range(6):
        cut = store.windows(STAGE, SHAPE, np.random.default_rng((3, step)))
        batch = memory.batch(STAGE, SHAPE, np.random.default_rng((3, step)))
        assert torch.equal(cut.images[:, 2:], batch.targets)
        assert torch.equal(cut.times, batch.times)
    store.close()


def test_batches_do_not_depend_on_the_disks_speed(long_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [0, 1, 50, 51, 150, 149]
    quick = streamed(long_folder)
    expected = batches(quick, steps)
    quick.close()
    rng = np.random.default_rng(0)

    def slow(*args: Any) -> Any:
        time.sleep(rng.uniform(0, 0.01))
        return footage_of(*args)

    monkeypatch.setattr("videoinr.training.data.streaming.footage_of", slow)
    lame = streamed(long_folder)
    assert_same(batches(lame, steps), expected)
    lame.close()


def test_a_resumed_run_draws_the_same_batches(long_folder: Path) -> None:
    unbroken, resumed = streamed(long_folder), streamed(long_folder)
    expected = batches(unbroken, range(0, 120, 10))
    assert_same(batches(resumed, range(80, 120, 10)), expected[8:])
    assert not torch.equal(batches(resumed, [80], seed=8)[0].targets, expected[8].targets)
    for source in (unbroken, resumed):
        source.close()


def test_pools_are_replaced_by_other_stretches(long_folder: Path) -> None:
    store = store_of(long_folder)
    key = store._key(STAGE, SHAPE, np.random.default_rng((0, 0)))
    exchange = (store._pool_bytes // key.slot_bytes) * REUSE // SHAPE.batch
    keys = [store._key(STAGE, SHAPE, np.random.default_rng((0, step))) for step in (exchange - 1, exchange)]
    assert [each.generation for each in keys] == [0, 1]
    one, other = (picks_of(each, store._clips, 5) for each in keys)
    assert one != other
    store.close()


def test_windows_have_consecutive_frames_of_a_clip(long_folder: Path) -> None:
    """Crops are as large as the frames, so frame numbers can be read from their pixels."""
    store = store_of(long_folder, memory_bytes=1 << 22)
    stage, shape = replace(STAGE, patch=32, scales=(2.0,)), BatchShape(8, 32, 64, 2)
    seen = set()
    for step in range(4):
        flat = store.windows(stage, shape, np.random.default_rng((0, 400 * step)))
        assert flat.images.shape == (8, 4, 3, 64, 64)
        assert store._current is not None
        for run in store._current[1]._table._runs:
            frames = store._flat[run.offset : run.offset + run.frames * run.height * run.width * 3]  # type: ignore[index]
            pictures = frames.view(run.frames, run.height, run.width, 3).numpy()
            numbers = [number_in(picture) for picture in pictures]
            assert numbers == list(range(numbers[0], numbers[0] + run.frames))
            seen |= set(numbers)
    assert len(seen) > 30
    store.close()


def test_memory_is_bounded_and_threads_end(long_folder: Path) -> None:
    limit = 500_000
    store = store_of(long_folder, memory_bytes=limit)
    for step in range(0, 2000, 400):
        store.windows(STAGE, SHAPE, np.random.default_rng((0, step)))
        assert 0 < store.held_bytes() <= limit
    assert stretch_threads()
    store.close()
    store.close()
    assert stretch_threads() == []
    assert store.held_bytes() == 0


def test_closing_cancels_stretches_that_are_not_being_read(long_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, release, read = threading.Event(), threading.Event(), list[int]()

    def stuck(*_: Any) -> None:
        read.append(1)
        started.set()
        release.wait(10)

    store = store_of(long_folder, memory_bytes=1 << 22)
    monkeypatch.setattr("videoinr.training.data.streaming.footage_of", stuck)
    store._coming = store._read(store._key(STAGE, SHAPE, np.random.default_rng((0, 0))))
    assert started.wait(10)
    closing = threading.Thread(target=store.close)
    closing.start()
    store._stopped.wait(10)
    release.set()
    closing.join(10)
    assert not closing.is_alive()
    assert len(read) <= THREADS


def test_too_little_memory_is_a_usage_error(long_folder: Path) -> None:
    store = store_of(long_folder, memory_bytes=50_000)
    with pytest.raises(UsageError, match="do not hold") as caught:
        store.windows(STAGE, SHAPE, np.random.default_rng(0))
    assert "memory" in caught.value.hint
    store.close()


def test_unusable_clips_are_a_usage_error(long_folder: Path, tmp_path: Path) -> None:
    store = store_of(long_folder)
    assert store.usable(STAGE, SHAPE) == [0, 1, 2]
    assert store.usable(replace(STAGE, windows=(40,)), SHAPE) == [1]
    for stage, size in ((replace(STAGE, windows=(41,)), 16), (STAGE, 65)):
        with pytest.raises(UsageError, match="No clip has"):
            store.usable(stage, replace(SHAPE, size=size))
    store.close()
    write_pictures(tmp_path / "static", [np.full((64, 64, 3), 90, np.uint8)] * 12)
    static = store_of(tmp_path)
    with pytest.raises(UsageError, match="Screening left no frames"):
        static.windows(STAGE, SHAPE, np.random.default_rng(0))
    static.close()


def test_damaged_clips_are_left_out(long_folder: Path, tmp_path: Path) -> None:
    for name in "ab":
        write_pictures(tmp_path / name, numbered_frames(12, width=64, height=64))
    for picture in (tmp_path / "a").iterdir():
        picture.write_bytes(picture.read_bytes()[:60])
    store = store_of(tmp_path)
    assert store.windows(STAGE, SHAPE, np.random.default_rng(0)).images.shape == (4, 4, 3, 16, 16)
    store.close()


def test_the_report_is_of_a_sample(long_folder: Path) -> None:
    source = streamed(long_folder)
    text = "\n".join(source.report())
    assert "48 frames screened as a sample" in text
    assert "pairs by motion" in text
    assert source.frame_count == 40 + 41 + 30
    source.close()


def key(frames: int = STRETCH, generation: int = 0) -> PoolKey:
    return PoolKey((1,), generation, frames, 48, 3, 16)


def test_stretches_are_spread_over_all_clips(long_folder: Path) -> None:
    clips: list[FoundClip] = find_sets([long_folder])[1]
    everything = picks_of(key(), clips, 1000)
    assert len(everything) == 6 + 6 + 5  # 40, 41 and 30 frames in stretches of 7.
    assert {pick.clip.path.name for pick in everything} == {"0.mp4", "1.mp4", "c"}
    assert all(0 <= pick.start <= pick.clip.extent.frames - STRETCH for pick in everything)
    starts = {pick.start for generation in range(150) for pick in picks_of(key(generation=generation), clips, 4)}
    assert starts == set(range(41 - STRETCH + 1))


def test_seed_and_step_are_read_from_a_generator() -> None:
    assert seed_and_step(np.random.default_rng((5, 9, 1))) == ((5, 1), 9)
    assert seed_and_step(np.random.default_rng((5, 9))) == ((5,), 9)
    assert seed_and_step(np.random.default_rng(5)) == ((5,), 0)
    used = np.random.default_rng((5, 9))
    used.random(100)
    assert seed_and_step(used) == ((5,), 9)
