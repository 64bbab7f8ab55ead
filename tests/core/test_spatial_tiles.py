"""Tiles of F_s: a warp reads the same values whatever was evicted and however the table grew."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.tiny_model import tiny_video_inr
from videoinr.decode.spatial_tiles import SpatialTiles
from videoinr.geometry import Grid, Tile, tile_rect
from videoinr.model.config import TINY, MotionPriorConfig
from videoinr.model.features import PairFeatures, PairMoment
from videoinr.model.ops import sample
from videoinr.model.points import Points
from videoinr.model.video_inr import VideoINR
from videoinr.types import PairKey

CPU = torch.device("cpu")
SIDE = 16
GRID = Grid(131, 118)
LATENT_HW = (6, 7)
LEAST_SLOTS = 32
KEY = PairKey("clip", 0)


@cache
def tiny() -> VideoINR:
    return tiny_video_inr()


@cache
def features(seed: int = 0) -> PairFeatures:
    with torch.inference_mode():
        return tiny().encode(torch.rand((1, 2, 3, *LATENT_HW), generator=torch.Generator().manual_seed(seed)))


def moment(seed: int = 0) -> PairMoment:
    return features(seed).at(GRID, torch.zeros(1, 1, 1, 1))


def whole() -> Points:
    return points_of(Tile(0, 0), side=max(GRID.width, GRID.height))


def points_of(tile: Tile, *, side: int = SIDE) -> Points:
    return Points.make(tile_rect(tile, GRID, side), GRID, latent_hw=LATENT_HW, device=CPU)


def random_flow(points: Points, *, latent_px: float, seed: int = 0) -> Tensor:
    shape = (1, len(points.rows.index), len(points.columns.index), 2)
    return latent_px * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@cache
def dense(seed: int = 0) -> Tensor:
    with torch.inference_mode():
        return tiny().spatial_feature(features(seed), whole())


def tiles(max_bytes: int = 0) -> SpatialTiles:
    return SpatialTiles(tiny(), side=SIDE, max_bytes=max_bytes)


def sampled(held: SpatialTiles, *question: Any) -> Tensor:
    with held.work():
        return held.sample(*question)


def basis_of(held: SpatialTiles, *question: Any) -> tuple[Tensor, ...]:
    with held.work():
        return held.motion_basis(*question)


@pytest.mark.parametrize("latent_px", [0.0, 0.3, 2.0, 50.0])
@pytest.mark.parametrize("max_bytes", [0, 64 * 2**20])
@torch.inference_mode()
def test_a_warp_reads_the_values_of_the_dense_map(latent_px: float, max_bytes: int) -> None:
    held = tiles(max_bytes)
    field = held.field(KEY, GRID)
    for tile in (Tile(0, 0), Tile(4, 3), Tile(8, 7), Tile(0, 0)):
        points = points_of(tile)
        flow = random_flow(points, latent_px=latent_px)
        expected = sample(dense(), *points.shifted_on_grid(flow))
        torch.testing.assert_close(sampled(held, field, moment(), points, flow), expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_a_warp_can_reach_more_tiles_than_the_budget_holds() -> None:
    held, points = tiles(), whole()
    field = held.field(KEY, GRID)
    flow = random_flow(points, latent_px=1.0)
    out = sampled(held, field, moment(), points, flow)
    assert len(field.slots) == 9 * 8 > LEAST_SLOTS
    torch.testing.assert_close(out, sample(dense(), *points.shifted_on_grid(flow)), atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_evicted_tiles_are_evaluated_again_to_the_same_bits() -> None:
    held = tiles()
    field, points = held.field(KEY, GRID), points_of(Tile(2, 2))
    flow = random_flow(points, latent_px=0.4)
    before = sampled(held, field, moment(), points, flow)
    basis = basis_of(held, field, moment(), Tile(2, 2), points)
    before_eviction = [one.clone() for one in basis]
    for row in range(8):
        for column in range(9):
            basis_of(held, field, moment(), Tile(column, row), points_of(Tile(column, row)))
    assert len(field.slots) == LEAST_SLOTS
    assert len(field.bases) <= LEAST_SLOTS
    assert Tile(2, 2) not in field.slots
    assert torch.equal(sampled(held, field, moment(), points, flow), before)
    again = basis_of(held, field, moment(), Tile(2, 2), points)
    assert len(again) == len(before_eviction) == 2
    assert all(torch.equal(one, other) for one, other in zip(again, before_eviction, strict=True))


@torch.inference_mode()
def test_new_tiles_reuse_the_memory_of_evicted_ones() -> None:
    held, rooms = tiles(), set[int]()
    field = held.field(KEY, GRID)
    for round_ in range(3):
        for number in range(9 * 8):
            tile = Tile(number % 9, number // 9)
            basis = basis_of(held, field, moment(), tile, points_of(tile))
            rooms |= {one.data_ptr() for one in basis}
        assert len(rooms) == 2 * LEAST_SLOTS, round_


@torch.inference_mode()
def test_a_slot_takes_the_basis_of_a_prior_with_more_channels_and_of_one_with_fewer() -> None:
    held, plain, tile = tiles(), features(), Tile(0, 0)
    bent = replace(plain, prior=torch.cat((plain.prior, torch.randn_like(plain.prior)), -1))
    points, slots = points_of(tile), set[int]()
    for pair, channels in ((plain, 4), (bent, 8), (plain, 4)):
        field, there = held.field(KEY, GRID), pair.at(GRID, torch.zeros(1, 1, 1, 1))
        basis = basis_of(held, field, there, tile, points)
        expected = there.motion_basis(points, tiny().spatial_feature(pair, points))
        assert basis[1].shape[-1] == channels
        assert all(torch.equal(one, other) for one, other in zip(basis, expected, strict=True))
        slots.add(field.slots[tile])
        held.keep_only(())
    assert len(slots) == 1


def test_the_budget_counts_the_motion_basis_with_the_bend_of_a_path() -> None:
    assert isinstance(TINY.encoder, MotionPriorConfig)
    bending = VideoINR(replace(TINY, encoder=replace(TINY.encoder, bend_channels=8)))
    for model, prior_channels in ((tiny(), 4), (bending, 8)):
        # Of each pixel of a tile: F_s, and the motion basis.
        tile_bytes = 4 * SIDE**2 * (TINY.spatial_channels + TINY.temporal_hidden[0] + prior_channels)
        held = [
            SpatialTiles(model, side=SIDE, max_bytes=count)._table for count in (40 * tile_bytes - 1, 40 * tile_bytes)
        ]
        assert [len(table) for table in held] == [39, 40]


@torch.inference_mode()
def test_a_motion_basis_does_not_change_while_its_tile_is_in_use() -> None:
    held, first = tiles(), Tile(0, 0)
    field = held.field(KEY, GRID)
    with held.work():
        basis = held.motion_basis(field, moment(), first, points_of(first))
        before = basis[0].clone()
    with held.work():  # In the table already; it must be protected nevertheless.
        basis = held.motion_basis(field, moment(), first, points_of(first))
        for number in range(1, 9 * 8):
            tile = Tile(number % 9, number // 9)
            held.motion_basis(field, moment(), tile, points_of(tile))
        assert torch.equal(basis[0], before)


@torch.inference_mode()
def test_the_page_map_and_the_slots_agree() -> None:
    held = tiles()
    for number in range(200):
        tile = Tile(number * 5 % 9, number * 7 % 8)
        basis_of(held, held.field(PairKey("clip", number // 7 % 2), GRID), moment(), tile, points_of(tile))
    field, other = (held.field(PairKey("clip", pair), GRID) for pair in (0, 1))
    slots = [*field.slots.values(), *other.slots.values()]
    assert field.slots
    assert other.slots
    assert len(slots) == len(set(slots)) == LEAST_SLOTS
    for each in (field, other):
        listed = {Tile(column, row) for row, column in (each.page >= 0).nonzero().tolist()}
        assert listed == each.slots.keys() >= each.bases.keys()
        assert all(int(each.page[tile.row, tile.column]) == slot for tile, slot in each.slots.items())


@torch.inference_mode()
def test_the_least_recently_used_field_is_evicted_first() -> None:
    held = tiles()
    old, new = (PairKey("clip", k) for k in (0, 1))
    for key in (old, new):
        field = held.field(key, GRID)
        for column in range(9):
            basis_of(held, field, moment(), Tile(column, 0), points_of(Tile(column, 0)))
    held.field(old, GRID)  # Used again, so the other field is the least recently used now.
    newest = held.field(PairKey("clip", 2), GRID)
    for column in range(9):
        for row in range(2):
            basis_of(held, newest, moment(), Tile(column, row), points_of(Tile(column, row)))
    assert len(held.field(old, GRID).slots) == 9
    assert len(held.field(new, GRID).slots) == LEAST_SLOTS - 9 - 18


@torch.inference_mode()
def test_the_fields_of_two_pairs_are_kept_apart() -> None:
    held, points = tiles(64 * 2**20), points_of(Tile(1, 1))
    flow = random_flow(points, latent_px=1.0)
    for seed in (0, 1, 0):
        field = held.field(PairKey("clip", seed), GRID)
        expected = sample(dense(seed), *points.shifted_on_grid(flow))
        torch.testing.assert_close(sampled(held, field, moment(seed), points, flow), expected, atol=1e-4, rtol=1e-4)


def test_a_field_without_tiles_is_dropped() -> None:
    """Work that is cancelled at once leaves such a field at every step of a zoom."""
    held = tiles()
    empty = held.field(KEY, Grid(50, 50))
    held.field(KEY, Grid(51, 51))
    assert held.field(KEY, Grid(50, 50)) is not empty


@torch.inference_mode()
def test_a_field_with_tiles_is_kept() -> None:
    held = tiles()
    field = held.field(KEY, GRID)
    basis_of(held, field, moment(), Tile(0, 0), points_of(Tile(0, 0)))
    held.field(KEY, Grid(51, 51))
    assert held.field(KEY, GRID) is field
