"""Beyond the scales of a model's training, pictures are those of the greatest of them, enlarged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.cancel import NEVER
from videoinr.decode.recording import Repeated
from videoinr.geometry import Grid, Rect
from videoinr.render.engine import Engine, open_engine
from videoinr.render.enlarged import Enlarger, decoded_query, enlarged
from videoinr.types import Instant, Quality, RegionQuery
from videoinr_resources import path as resource

CLIP, MOST, CPU = Grid(12, 9), Grid(48, 36), torch.device("cpu")
START = Instant(0, Fraction(0))
SCALE = 27
BETWEEN = Instant(12, Fraction(24, 25))
"""Of the demo clip, 0.54 s: where the dots were seen."""


class Lattice:
    """A picture of random levels on MOST; ``asked`` are the queries that it was read with, ``kinds`` the answers'."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(3)
        self.levels = torch.randint(0, 65536, (MOST.height, MOST.width, 4), dtype=torch.int32, generator=generator)
        self.asked: list[RegionQuery] = []
        self.kinds: list[torch.dtype] = []

    def __call__(self, query: RegionQuery, *, to_cpu: bool, deep: bool) -> Tensor:
        """Return the pixels of ``query``."""
        self.asked.append(query)
        pixels = self.levels[query.rect.slices]
        pixels = pixels if deep else (pixels / 257).round().byte()
        self.kinds.append(pixels.dtype)
        return pixels


def test_the_same_grid_at_other_instants_is_replayed() -> None:
    lattice, grid = Lattice(), Grid(155, 116)
    query = RegionQuery(START, grid, Rect(3, 5, 90, 80))
    part = decoded_query(query, MOST)
    recorded = []

    def record(launch: Callable[[], None]) -> Callable[[], None]:
        recorded.append(launch)
        launch()
        return launch

    repeat, kept = Repeated(record), []
    for turn in range(3):
        levels = lattice.levels[part.rect.slices].roll(turn, 0).contiguous()
        made = enlarged(levels, part, query, deep=True, repeat=repeat)
        kept.append((made, enlarged(levels, part, query, deep=True)))
    assert len(recorded) == 1
    assert all(torch.equal(made, expected) for made, expected in kept), "none is overwritten by the next"
    other = replace(query, rect=Rect(4, 5, 90, 80))
    moved = decoded_query(other, MOST)
    levels = lattice.levels[moved.rect.slices]
    assert torch.equal(
        enlarged(levels, moved, other, deep=True, repeat=repeat), enlarged(levels, moved, other, deep=True)
    )
    assert len(recorded) == 1


def test_a_trained_scale_is_decoded_as_it_is() -> None:
    lattice, query = Lattice(), RegionQuery(START, MOST, Rect(3, 5, 20, 11))
    picture = Enlarger(MOST, CPU).drawn(query, lattice, to_cpu=True, deep=False)
    assert lattice.asked == [query]
    assert torch.equal(picture, (lattice.levels[5:16, 3:23] / 257).round().byte())


@pytest.mark.parametrize("grid", [Grid(324, 243), Grid(49, 37), Grid(48, 243), Grid(155, 116)], ids=str)
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_a_region_equals_the_same_pixels_of_the_whole(grid: Grid, deep: bool) -> None:
    lattice, rng = Lattice(), np.random.default_rng(1)
    whole = Enlarger(MOST, CPU).drawn(RegionQuery(START, grid, grid.rect), lattice, to_cpu=True, deep=deep)
    for _ in range(20):
        left, right = sorted(rng.choice(grid.width + 1, 2, replace=False).tolist())
        top, bottom = sorted(rng.choice(grid.height + 1, 2, replace=False).tolist())
        rect = Rect.from_edges(left, top, right, bottom)
        region = Enlarger(MOST, CPU).drawn(RegionQuery(START, grid, rect), lattice, to_cpu=True, deep=deep)
        assert torch.equal(region, whole[rect.slices])
    assert all(query.grid == Grid(min(grid.width, 48), min(grid.height, 36)) for query in lattice.asked)


def test_a_gpu_decodes_eight_bits_for_a_picture_of_eight_bits() -> None:
    lattice, grid, gpu = Lattice(), Grid(144, 108), torch.device("cuda")
    query = RegionQuery(START, grid, Rect(20, 30, 50, 40))
    coarse = Enlarger(MOST, gpu).drawn(query, lattice, to_cpu=True, deep=False)
    fine = Enlarger(MOST, CPU).drawn(query, lattice, to_cpu=True, deep=False)
    assert lattice.kinds == [torch.uint8, torch.int32]
    assert coarse.dtype == fine.dtype == torch.uint8
    assert (coarse.int() - fine.int()).abs().max() <= 2
    assert Enlarger(MOST, gpu).drawn(query, lattice, to_cpu=True, deep=True).dtype == lattice.kinds[-1] == torch.int32


def test_no_more_is_decoded_than_the_kernel_reads() -> None:
    query = RegionQuery(START, Grid(324, 243), Rect(120, 90, 54, 27))
    assert decoded_query(query, MOST).rect == Rect(15, 10, 14, 10)
    corner = RegionQuery(START, Grid(324, 243), Rect(0, 0, 1, 1))
    assert decoded_query(corner, MOST).rect == Rect(0, 0, 3, 3)


def test_a_slope_stays_a_slope_and_the_middle_of_a_decoded_pixel_keeps_its_level() -> None:
    columns, rows = torch.arange(48)[None, :, None], torch.arange(36)[:, None, None]
    levels = (1000 * columns + 300 * rows + torch.zeros(4)).int()
    grid = Grid(48 * 3, 36 * 3)
    query = RegionQuery(START, grid, Rect(12, 12, 120, 84))
    part = decoded_query(query, MOST)
    picture = enlarged(levels[part.rect.slices], part, query, deep=True)
    x, y = (torch.arange(12, end).double() / 3 - 1 / 3 for end in (132, 96))
    expected = 1000 * x[None] + 300 * y[:, None]
    assert (picture[..., 0] - expected).abs().max() <= 26  # a fiftieth of the steps from pixel to pixel
    assert torch.equal(picture[1::3, 1::3, 0], levels[4:32, 4:44, 0])
    assert int(picture[..., 3].min()) == 65535


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(resource("demo/demo.mp4"), model="lite", device="cpu") as opened:
        yield opened


@pytest.mark.parametrize("instant", [Instant(12, Fraction(0)), BETWEEN], ids=["source", "between"])
def test_a_zoom_of_27_shows_no_dots_and_no_edges_of_source_pixels(engine: Engine, instant: Instant) -> None:
    clip = engine.clip.info.grid
    grid = Grid(SCALE * clip.width, SCALE * clip.height)
    query = RegionQuery(instant, grid, Rect(SCALE * 144, SCALE * 84, SCALE * 16, SCALE * 12))
    shown, footing = engine.render_on_device(query, NEVER, deep=True)[0], engine._footings.of(instant, NEVER)[0]
    network = engine._decode_within(footing, query, token=NEVER, to_cpu=True, deep=True)
    ours, direct = _luma(shown), _luma(network)
    assert _fine_energy(ours) < _fine_energy(direct) / 10
    # The rest of the picture stays: its mean, and what is coarser than the dots.
    assert abs(ours.mean() - direct.mean()) < 0.3
    assert np.sqrt(np.mean((ours - direct) ** 2)) < 3


def test_a_draft_is_decoded_at_a_trained_scale(engine: Engine) -> None:
    clip = engine.clip.info.grid
    grid = Grid(SCALE * clip.width, SCALE * clip.height)
    query = RegionQuery(BETWEEN, grid, Rect(SCALE * 144, SCALE * 84, SCALE * 16, SCALE * 12))
    draft = engine.preview(query, Rect(120, 64, 64, 56), NEVER)
    assert draft.quality is Quality.DRAFT
    assert draft.query.grid == Grid(4 * clip.width, 4 * clip.height)


def _luma(picture: Tensor) -> NDArray[np.float64]:
    """Return the luma of ``picture``, of 16 bits: 0 ... 255."""
    luma: NDArray[np.float64] = picture.numpy()[..., :3] @ np.array([0.299, 0.587, 0.114]) / 257
    return luma


def _fine_energy(luma: NDArray[np.float64]) -> float:
    """Return the energy of what is finer than two cycles a source pixel, more than a x4 picture can hold."""
    window = np.hanning(luma.shape[0])[:, None] * np.hanning(luma.shape[1])
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2
    rows, columns = (np.abs(np.fft.fftfreq(size)) * SCALE for size in luma.shape)
    return float(power[np.maximum(rows[:, None], columns) > 2.2].sum())
