"""A decoder on a GPU lends its picture until the next call: whatever joins several pictures reads each in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.shots import joined, pan
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.geometry import Grid, Readout, Rect
from videoinr.images import mixed
from videoinr.render.engine import Engine
from videoinr.types import AcrossCuts, ExposedPart, Instant, RegionQuery, Segment

FPS = Fraction(25)
GRID = Grid(144, 90)
CUT = 3


class Lender:
    """A decoder that writes each picture which stays on the device over the one before it."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._lent = torch.empty(0, dtype=torch.uint8)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def decode(self, *arguments: Any, to_cpu: bool = True, deep: bool = False) -> Tensor:
        picture: Tensor = self._decoder.decode(*arguments, to_cpu=to_cpu, deep=deep)
        if to_cpu or deep:
            return picture
        if self._lent.numel() < picture.numel():
            self._lent = torch.empty(picture.numel(), dtype=torch.uint8)
        return self._lent[: picture.numel()].view(picture.shape).copy_(picture)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """An engine, and one whose decoder lends."""
    loaded, cpu = load_tiny_model(tmp_path_factory.mktemp("model")), pick_device("cpu")
    frames = joined("shots", pan(1, 4, step=(4, 1)), pan(2, 4, step=(4, 1))).frames
    plain, lending = (
        Engine(open_frames(frames, fps=FPS), loaded, profile_for(cpu), AcrossCuts.BLEND) for _ in range(2)
    )
    lending._decoder = Lender(lending._decoder)
    with plain, lending:
        yield plain, lending


BETWEEN = RegionQuery(Instant(1, Fraction(2, 5)), GRID, GRID.rect)
QUERIES = {
    "one instant": BETWEEN,
    "a blend of two scenes": replace(BETWEEN, instant=Instant(CUT, Fraction(1, 3))),
    "a shutter": replace(BETWEEN, exposure=Segment(Fraction(1, 25), Fraction(3, 25))),
    "a rolling shutter": replace(BETWEEN, readout=Readout(4 / FPS)),
    "a region with a shutter of its own": replace(
        BETWEEN, part=ExposedPart(Rect(20, 10, 60, 40), Segment(Fraction(1, 25), Fraction(3, 25)))
    ),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_picture_of_several_is_that_of_pictures_with_memory_of_their_own(
    engines: tuple[Engine, Engine], query: RegionQuery
) -> None:
    plain, lending = (engine.render_on_device(query, NEVER, deep=False)[0].clone() for engine in engines)
    assert torch.equal(plain, lending)


def test_a_tensor_that_a_caller_got_stays_as_it_is(engines: tuple[Engine, Engine]) -> None:
    _, lending = engines
    kept = lending.render_tensor(BETWEEN)
    before = kept.clone()
    lending.render_tensor(replace(BETWEEN, instant=Instant(2, Fraction(1, 2))))
    assert torch.equal(kept, before)


def test_pictures_are_mixed_one_by_one() -> None:
    lent = torch.empty((1, 1, 4), dtype=torch.uint8)
    shares = ((Fraction(1, 4), 100), (Fraction(3, 4), 200))
    assert mixed((share, lent.fill_(level)) for share, level in shares).flatten().tolist() == [175] * 4
    assert mixed([(Fraction(1), lent)]) is lent
