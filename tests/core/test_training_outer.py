"""Training windows with the frames beside their pair: which they are, and that nothing else changes by them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.clips import numbered_frames, write_picture, write_pictures
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data import coded_footage, coded_store, windows
from videoinr.training.data.clip_store import Batch
from videoinr.training.data.coded_footage import OUTER_STRETCH_FRAMES, STRETCH_FRAMES, StretchJob
from videoinr.training.data.coded_store import CodedStore
from videoinr.training.data.sources import open_source
from videoinr.training.data.stills import Stills
from videoinr.training.data.windows import StoredRun, WindowTable, draw_kept, frames_of
from videoinr.training.recipe import Stage

CPU = torch.device("cpu")
STAGE = Stage("first", 4, 2, 8, (1.0, 2.0), 1e-3, 1e-4, warm_up_steps=2, windows=(2, 4), targets=2)
SHAPE = BatchShape(8, 8, 12, 2, outer=True)
LEVELS = 20
"""Grey levels from one flat frame to the next: a flat clip's grey tells the frame's number."""
BEFORE = 1073558505
"""Checksum of windows as they were drawn before there were frames beside them."""


@pytest.fixture
def all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "ONE_WITHHELD", 0)
    monkeypatch.setattr(windows, "BOTH_WITHHELD", 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("footage")
    for name in "ab":
        write_pictures(where / "flat" / name, [np.full((24, 28, 3), LEVELS * number, np.uint8) for number in range(9)])
    write_pictures(where / "pattern" / "a", numbered_frames(9, width=32, height=24))
    (where / "stills").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3), dtype=np.uint8)
    write_picture(where / "stills" / "a.png", noise)
    return where


def check_outer(batch: Batch, frames: int) -> set[tuple[float, float]]:
    """Check the frames of windows of a flat clip; return which validities there were."""
    assert batch.valid is not None
    numbers = (batch.low.mean((2, 3, 4)) * 255 / LEVELS).round().int()
    shown = batch.targets.mean((2, 3, 4)) * 255 / LEVELS
    seen = set()
    for (first, last, before, after), valid, times, targets in zip(
        numbers.tolist(), batch.valid.tolist(), batch.times, shown, strict=True
    ):
        torch.testing.assert_close(targets, first + times * (last - first), atol=1e-3, rtol=0)
        for own, beside, wanted, there in (
            (first, before, 2 * first - last, valid[0]), (last, after, 2 * last - first, valid[1])
        ):  # fmt: skip
            assert there == float(0 <= wanted < frames)
            assert beside == (wanted if there else own)
        seen.add((valid[0], valid[1]))
    return seen


@pytest.mark.usefixtures("all_kept")
def test_frames_beside_a_window_lie_a_window_away_as_far_as_there_are_any(folder: Path) -> None:
    with closing(open_source([folder / "flat"], CPU)) as source:
        seen = [check_outer(source.batch(STAGE, SHAPE, np.random.default_rng(seed)), 9) for seed in range(6)]
    assert set().union(*seen) == {(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)}


def test_windows_that_run_backwards_have_the_later_frame_before_them() -> None:
    lengths, inside = np.array([2, 2]), np.array([[1], [0]])
    frames, valid = frames_of(
        lengths, inside, starts=np.array([3, 1]), counts=np.array([9, 9]), backwards=np.array([True, True]), outer=True
    )
    assert frames.tolist() == [[5, 3, 7, 1, 4], [3, 1, 5, 1, 3]]
    assert valid is not None
    assert valid.tolist() == [[1, 1], [1, 0]]


def test_frames_beside_change_nothing_else_in_a_batch(folder: Path) -> None:
    stage = replace(STAGE, stills_share=0.4, downsample=1.4, recolour=0.5, flow_weight=0.1)
    with closing(open_source([folder / "pattern"], CPU, stills=[folder / "stills"])) as source:
        bent, plain = (
            source.batch(stage, replace(SHAPE, outer=outer), np.random.default_rng((1, 2, 1)))
            for outer in (True, False)
        )
    assert plain.valid is None
    assert plain.low.shape[1] == 2
    for one, other in ((bent.low[:, :2], plain.low), (bent.targets, plain.targets), (bent.times, plain.times)):
        assert torch.equal(one, other)
    assert bent.flow is not None
    assert plain.flow is not None
    assert torch.equal(bent.flow, plain.flow)


def test_the_windows_of_two_frames_are_those_of_earlier_versions() -> None:
    runs = [StoredRun(n * 10**5, 12 + n, 20, 24, np.linspace(0, 5, 12 + n, dtype=np.float32)) for n in range(3)]
    drawn = WindowTable(runs).draw(STAGE, np.random.default_rng(4), count=50, size=16, targets=3)
    parts: list[NDArray[np.int64]] = [drawn.firsts, drawn.row_steps, drawn.column_steps, drawn.inside, drawn.lengths]
    assert zlib.crc32(b"".join(np.ascontiguousarray(part, "<i8").tobytes() for part in parts)) == BEFORE


def test_a_part_of_the_windows_lacks_frames_that_there_are() -> None:
    kept = draw_kept(100_000, np.random.default_rng(0))
    assert kept.dtype == np.float32
    assert kept.mean(0) == pytest.approx([0.94 * 0.8] * 2, abs=0.005)
    assert kept.prod(1).mean() == pytest.approx(0.94 * 0.8**2, abs=0.005)
    assert kept.max(1).mean() == pytest.approx(0.94 * (1 - 0.2**2), abs=0.005)


def test_batches_withhold_frames_at_random(folder: Path) -> None:
    stage, shape = replace(STAGE, windows=(2,)), replace(SHAPE, batch=400)
    with closing(open_source([folder / "flat"], CPU)) as source:
        batch = source.batch(stage, shape, np.random.default_rng((3, 1, 1)))
    assert batch.valid is not None
    there = (batch.low[:, 2:] != batch.low[:, :2]).flatten(2).any(2)
    assert not bool((batch.valid.bool() & ~there).any())
    share = float(batch.valid.sum() / there.sum())
    assert share == pytest.approx(0.94 * 0.8, abs=0.04)


def test_windows_of_photographs_have_no_frames_beside_them(folder: Path) -> None:
    cut = Stills([folder / "stills"], CPU).windows(SHAPE, np.random.default_rng(0))
    assert cut.valid is not None
    assert cut.valid.tolist() == [[0, 0]] * 8
    assert torch.equal(cut.images[:, 2:4], cut.images[:, :2])
    assert cut.images.shape[1] == 6
    with closing(open_source([folder / "flat"], CPU, stills=[folder / "stills"])) as source:
        batch = source.batch(replace(STAGE, stills_share=0.5), SHAPE, np.random.default_rng(0))
    assert batch.valid is not None
    assert batch.valid.shape == (8, 2)
    assert not batch.valid[4:].any()


@pytest.mark.usefixtures("all_kept")
def test_streamed_windows_have_frames_beside_them(folder: Path) -> None:
    stage = replace(STAGE, windows=(2,), scales=(1.0,))
    with closing(open_source([folder / "flat"], CPU, memory_bytes=30_000)) as source:
        assert "streamed" in "".join(source.report())
        batch = source.batch(stage, replace(SHAPE, size=8), np.random.default_rng((1, 2, 1)))
    # A stretch has three windows and a frame, so some pairs have both neighbours.
    assert batch.valid is not None
    assert batch.valid.any()
    numbers = (batch.low.mean((2, 3, 4)) * 255 / LEVELS).round()
    step = numbers[:, 1] - numbers[:, 0]
    assert torch.equal((numbers[:, 0] - numbers[:, 2])[batch.valid[:, 0] > 0], step[batch.valid[:, 0] > 0])
    assert torch.equal((numbers[:, 3] - numbers[:, 1])[batch.valid[:, 1] > 0], step[batch.valid[:, 1] > 0])


@pytest.fixture
def flat_coded(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodedStore]:
    """Stretches of a flat clip of 12 frames, of up to 9 frames; their grey tells the frame's number in the clip."""
    monkeypatch.setattr(coded_store, "SCALES", {2: 3})
    monkeypatch.setattr(coded_store, "LEAST_SIDES", {2: 8})
    count, height, width = 12, 24, 28
    frames = np.stack([np.full((height, width, 3), LEVELS * number, np.uint8) for number in range(count)])

    def made(path: Path, job: StretchJob) -> NDArray[np.uint8]:
        del path
        first = job.offset // (height * width * 3)
        return np.ascontiguousarray(frames[first : first + job.frames, : height // 2, : width // 2])

    monkeypatch.setattr(coded_store, "made_stretch", made)
    run = StoredRun(0, count, height, width, np.ones(count, np.float32))
    store = CodedStore(torch.from_numpy(frames.ravel()), [run], processes=0, stretch_frames=9)
    yield store
    store.close()


def test_coded_windows_have_coded_frames_of_their_stretch_beside_them(flat_coded: CodedStore) -> None:
    shape, seen = BatchShape(30, 8, 16, 2, outer=True), set()
    batch = flat_coded.windows(replace(STAGE, windows=(2,)), shape, 0, np.random.default_rng(2))
    plain = flat_coded.windows(replace(STAGE, windows=(2,)), replace(shape, outer=False), 0, np.random.default_rng(2))
    assert plain.valid is None
    assert torch.equal(batch.low[:, :2], plain.low)
    assert torch.equal(batch.targets, plain.targets)
    assert batch.valid is not None
    numbers = (batch.low.mean((2, 3, 4)) * 255 / LEVELS).round()
    for (first, last, before, after), valid in zip(numbers.tolist(), batch.valid.tolist(), strict=True):
        assert before == (2 * first - last if valid[0] else first)
        assert after == (2 * last - first if valid[1] else last)
        seen.add(tuple(valid))
    assert {(1, 1), (0, 1), (1, 0)} <= seen


def test_coded_stretches_are_longer_for_frames_beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    class Store(CodedStore):
        def __init__(self, *arguments: object, stretch_frames: int) -> None:
            made.append(stretch_frames)

        def close(self) -> None:
            """Do nothing: there are no processes."""

    monkeypatch.setattr("videoinr.training.data.sources.CodedStore", Store)
    for outer in (False, True):
        open_source([folder / "flat"], CPU, degradation="coded", outer=outer).close()
    assert made == [STRETCH_FRAMES, OUTER_STRETCH_FRAMES]
    runs = [(0, 40, 90, 120)]
    jobs = coded_footage.stretch_jobs(runs, {1: 1}, sides={1: 64}, seed=(1,), most_frames=OUTER_STRETCH_FRAMES)
    assert [job.frames for _, _, job in jobs] == [OUTER_STRETCH_FRAMES]


def test_a_coded_batch_joins_the_validities_of_its_parts(folder: Path, flat_coded: CodedStore) -> None:
    with closing(open_source([folder / "flat"], CPU, stills=[folder / "stills"])) as source:
        source._coded = flat_coded  # type: ignore[attr-defined]
        stage = replace(STAGE, windows=(2,), stills_share=0.2, flow_weight=0.1)
        batch = source.batch(stage, BatchShape(10, 8, 16, 2, outer=True), np.random.default_rng((1, 0, 1)))
    assert batch.low.shape == (10, 4, 3, 8, 8)
    assert batch.valid is not None
    assert batch.flow is not None
    assert batch.valid.shape == (10, 2)
    assert batch.flow.shape == (10, 6, 8, 8)
    assert not batch.valid[9:].any()
    assert batch.valid[:5].any()


def test_real_degradation_takes_the_frames_beside_too(folder: Path) -> None:
    with closing(open_source([folder / "pattern"], CPU, degradation="realistic")) as source:
        one, again = (source.batch(STAGE, SHAPE, np.random.default_rng((1, 2, 1))) for _ in range(2))
    assert one.low.shape == (8, 4, 3, 8, 8)
    assert float((one.low - again.low).abs().mean()) < 1e-3  # x264 varied in single pixels: findings/x264_varies.sh
    torch.testing.assert_close(one.low.mul(255).round().div(255), one.low)
