"""A shutter by region: inside the region its own exposure, outside it another, each as a picture of its own has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from helpers.shots import pan
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.errors import InputError, UsageError
from videoinr.exporting.frame_queries import decoded_ends, frame_query
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.job_file import job_from_text, text_of_job
from videoinr.geometry import Grid, Rect
from videoinr.journey.shutter_region import ShutterRegion, as_shutter_region
from videoinr.render.engine import Engine
from videoinr.render.messages import Opened
from videoinr.render.transparent import TransparentEngine
from videoinr.types import ExposedPart, Quality, RegionQuery, RenderedRegion

FPS = Fraction(25)
GRID = Grid(144, 90)
REGION = ShutterRegion(Rect(20, 12, 40, 30), Fraction(360))
PART = Rect(30, 18, 60, 45)
"""The region on the grid, whose pixels are two thirds of the clip's."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    tiny = load_tiny_model(tmp_path_factory.mktemp("tiny"))
    frames = open_frames(pan(1, 4, step=(6, 2)), fps=FPS)
    with Engine(frames, tiny, profile_for(pick_device("cpu"))) as opened:
        yield opened


def job(engine: Engine, shutter: int, region: ShutterRegion | None = None) -> ExportJob:
    return job_for(
        engine.opened.info, Path("out.mkv"), size=GRID, fps=FPS, shutter=Fraction(shutter), shutter_region=region
    )


def query(engine: Engine, shutter: int, region: ShutterRegion | None = None) -> RegionQuery:
    return frame_query(job(engine, shutter, region), engine.opened, Fraction(3, 2))


@pytest.mark.parametrize(("outside", "inside"), [(0, 360), (180, 0), (90, 360)])
def test_each_pixel_is_that_of_its_own_shutter(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, outside: int, inside: int
) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 4.0)
    asked = query(engine, outside, replace(REGION, degrees=Fraction(inside)))
    assert asked.part is not None
    assert asked.part.rect == PART
    picture = engine.render(asked).rgbx
    plain, other = (engine.render(query(engine, each)).rgbx for each in (outside, inside))
    expected = plain.copy()
    expected[PART.slices] = other[PART.slices]
    np.testing.assert_array_equal(picture, expected)
    assert (other[PART.slices] != plain[PART.slices]).mean() > 0.1
    for rect in (Rect(50, 40, 70, 40), Rect(40, 30, 20, 10), Rect(0, 70, 50, 20)):
        np.testing.assert_array_equal(engine.render(replace(asked, rect=rect)).rgbx, picture[rect.slices])
    np.testing.assert_array_equal(engine.render_deep(asked).rgbx[0], engine.render_deep(query(engine, outside)).rgbx[0])


@pytest.mark.parametrize("degrees", [0, 90])
def test_equal_shutters_are_one(engine: Engine, monkeypatch: pytest.MonkeyPatch, degrees: int) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 4.0)
    asked = query(engine, degrees, replace(REGION, degrees=Fraction(degrees)))
    drawn: list[RegionQuery] = []
    still = engine._still

    def noted(one: RegionQuery, *rest: Any, **more: Any) -> Tensor:
        drawn.append(one)
        return still(one, *rest, **more)

    monkeypatch.setattr(engine, "_still", noted)
    picture = engine.render(asked).rgbx
    assert {one.rect for one in drawn} == {GRID.rect}
    np.testing.assert_array_equal(picture, engine.render(query(engine, degrees)).rgbx)


def test_the_pairs_of_both_exposures_are_kept(engine: Engine) -> None:
    ends = decoded_ends(query(engine, 0, REGION), engine.opened.timeline)
    assert [end.position for end in ends] == [1, 2]


def test_text_job_file_and_arguments_have_the_region(engine: Engine, tmp_path: Path) -> None:
    assert as_shutter_region("20, 12, 40, 30 = 360") == as_shutter_region("40x30+20+12=360") == REGION
    assert as_shutter_region(str(REGION)) == REGION
    made = job(engine, 0, REGION)
    text = text_of_job(made)
    options = job_from_text(text.encode(), tmp_path / "a.json").options
    assert as_shutter_region(options["shutter_region"]) == REGION
    with pytest.raises(InputError, match="shutter_region needs"):
        job_from_text(json.dumps({**json.loads(text), "videoinr_export": 1}).encode(), tmp_path / "a.json")
    line = made.arguments()
    assert line[line.index("--shutter-region") + 1] == str(REGION)


def test_a_region_that_leaves_the_clip_is_told_its_bounds() -> None:
    with pytest.raises(UsageError) as refused:
        ShutterRegion(Rect(90, 0, 40, 10), Fraction(90)).check(Grid(96, 64))
    assert refused.value.hint == "X + WIDTH is at most 96, Y + HEIGHT at most 64."


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (ShutterRegion(Rect(90, 0, 40, 10), Fraction(90)), "leaves the clip"),
        (ShutterRegion(Rect(0, 0, 40, 10), Fraction(361)), "out of range"),
        ("0,0,40,10", "no region with a shutter"),
        ("0,0,40=90", "not a region"),
        ("0,0,40,10=x", "not a number"),
        (7, "no region with a shutter"),
    ],
)
def test_what_makes_no_region_is_named(engine: Engine, region: ShutterRegion | str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        job(engine, 0, as_shutter_region(region))
    assert refused.value.hint
    hdr = replace(engine.opened.info, colour=replace(engine.opened.info.colour, transfer="smpte2084"))
    with pytest.raises(UsageError, match="HDR"):
        job_for(hdr, Path("out.mkv"), shutter_region=REGION)


class _Fixed:
    """An engine whose pictures have one level."""

    def __init__(self, level: int, opened: Opened) -> None:
        self._level, self.opened, self.fingerprint = level, opened, ""

    def render(self, query: RegionQuery, _quality: Quality, _token: object) -> RenderedRegion:
        rgbx = np.full((query.rect.height, query.rect.width, 4), self._level, np.uint8)
        return RenderedRegion(query, Quality.FULL, rgbx, 0.0)


def test_alpha_divides_light_only_where_light_was_averaged(engine: Engine) -> None:
    both = TransparentEngine(_Fixed(90, engine.opened), _Fixed(128, engine.opened))  # type: ignore[arg-type]
    plain, exposed = query(engine, 0), query(engine, 90)
    mixed = replace(plain, part=ExposedPart(PART, exposed.exposure))
    pictures = [both.render(one, Quality.FULL, NEVER).rgbx for one in (plain, exposed, mixed)]
    assert (pictures[0] != pictures[1]).any()
    expected = pictures[0].copy()
    expected[PART.slices] = pictures[1][PART.slices]
    np.testing.assert_array_equal(pictures[2], expected)
