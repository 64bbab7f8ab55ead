"""Training data on a GPU (these tests need one): the windows are those of a CPU, and no step waits for the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.clips import numbered_frames, write_picture, write_pictures
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.pixels import cut
from videoinr.training.data.sources import ClipSource, open_source
from videoinr.training.data.windows import Windows
from videoinr.training.recipe import Stage

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
STAGE = Stage("first", 400, 4, 8, (1.0, 2.0), 1e-3, windows=(2, 3), targets=2)
SHAPE = BatchShape(4, 8, 16, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "clips" / "a", numbered_frames(20, width=64, height=48))
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    (tmp_path / "stills").mkdir()
    write_picture(tmp_path / "stills" / "a.png", noise)
    return tmp_path


@pytest.fixture
def no_waiting() -> Iterator[None]:
    yield
    torch.cuda.set_sync_debug_mode("default")


def draw(source: ClipSource, stage: Stage, step: int) -> Batch:
    return source.batch(stage, SHAPE, np.random.default_rng((0, step)))


@pytest.mark.parametrize("memory_bytes", [None, 600_000])
def test_windows_match_those_of_the_cpu(folder: Path, memory_bytes: int | None) -> None:
    source = open_source([folder / "clips"], CUDA, memory_bytes=memory_bytes)
    for step in range(3):
        on_gpu = draw(source, STAGE, step)
        assert on_gpu.targets.device.type == "cuda"
        if memory_bytes is None:
            on_cpu = draw(open_source([folder / "clips"], CPU), STAGE, step)
            assert torch.equal(on_gpu.targets.cpu(), on_cpu.targets)
            assert torch.equal(on_gpu.times.cpu(), on_cpu.times)
            assert float((on_gpu.low.cpu() - on_cpu.low).abs().max()) < 1.1 / 255
    source.close()


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("degradation", ["clean", "realistic"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_batch_does_not_wait_for_the_device(folder: Path, no_waiting: None, degradation: str, share: float) -> None:
    source = open_source([folder / "clips"], CUDA, degradation=degradation, stills=[folder / "stills"])
    stage = replace(STAGE, stills_share=share)
    first = draw(source, stage, 0)  # Plans of transforms and pinned memory are created by the first batch.
    torch.cuda.set_sync_debug_mode("error")
    again = draw(source, stage, 0)
    torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(first.low, again.low)
    assert torch.equal(first.targets, again.targets)


def test_stores_of_more_than_2_gib() -> None:
    if torch.cuda.mem_get_info()[0] < 4 << 30:
        pytest.skip("needs 4 GiB")
    flat = torch.zeros(2**31 + 10**6, dtype=torch.uint8, device=CUDA)
    first = 2**31 + 1000
    flat[first : first + 12] = torch.arange(12, dtype=torch.uint8, device=CUDA)
    at = np.array([[first]], dtype=np.int64)
    one = np.ones(1, np.int64)
    images, _ = cut(flat, Windows(at, 6 * one, 3 * one, np.zeros((1, 0), np.int64), one), 2)
    assert (images[0, 0].permute(1, 2, 0) * 255).round().flatten().tolist() == list(range(12))
