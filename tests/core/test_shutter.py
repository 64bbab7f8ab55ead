"""Shutter synthesis: the mean of the pictures of an exposure, in light and within a scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Unpack

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.frame_list import FrameList
from helpers.shots import joined, pan
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip.linear_light import light_from_srgb
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.errors import UsageError
from videoinr.exporting.export import write_frames
from videoinr.exporting.frame_queries import frame_query
from videoinr.exporting.job import ExportJob, ExportOptions, job_for
from videoinr.geometry import Grid, Rect
from videoinr.journey.camera import CameraPath, Keyframe
from videoinr.journey.curve import identity
from videoinr.render.engine import Engine
from videoinr.render.shutter import MOST_INSTANTS, UNKNOWN_INSTANTS, exposed_instants, mean_in_light, within_scene
from videoinr.timeline import Timeline
from videoinr.types import Instant, PairKind, RegionQuery, Segment

FPS = Fraction(25)
TIMELINE = Timeline.constant(8, Fraction(1))
CUT = 3
SHOTS = joined("shots", pan(1, 4), pan(2, 4))
"""A cut at pair 3."""


def kind(pair: int) -> PairKind:
    return PairKind.CUT if pair == CUT else PairKind.MOTION


def around(time: Fraction, half: Fraction) -> Segment:
    return Segment(max(time - half, Fraction(0)), time + half)


# ---- where an exposure ends ----


@pytest.mark.parametrize(
    ("time", "half", "start", "end"),
    [
        ("1", "1/2", "1/2", "3/2"),
        ("1/4", "1/2", "0", "3/4"),  # the clip's start
        ("13/2", "1", "11/2", "7"),  # its last frame
        ("29/4", "1", "25/4", "7"),  # after it
        ("5/2", "1", "3/2", "3"),  # the last frame before the cut
        ("3", "1/2", "5/2", "3"),
        ("7/2", "1", "7/2", "7/2"),  # within the cut
        ("4", "1/2", "4", "9/2"),
        ("9/2", "2", "4", "13/2"),  # the first frame after it
        ("2", "9", "0", "3"),
    ],
)
def test_an_exposure_ends_with_its_scene_and_the_clip(time: str, half: str, start: str, end: str) -> None:
    exposure, instant = around(Fraction(time), Fraction(half)), TIMELINE.instant_from_time(Fraction(time))
    assert within_scene(exposure, instant, TIMELINE, kind) == (Fraction(start), Fraction(end))


def test_a_clip_of_one_frame_has_no_exposure() -> None:
    one = Timeline.constant(1, Fraction(1))
    assert within_scene(Segment(Fraction(0), Fraction(1)), Instant(0, Fraction(0)), one, kind) == (
        Fraction(0),
        Fraction(0),
    )


@pytest.mark.parametrize(("moved", "count"), [(0.0, 1), (0.9, 1), (1.0, 1), (3.2, 4), (1e6, MOST_INSTANTS),
                                               (None, UNKNOWN_INSTANTS)])  # fmt: skip
def test_steps_are_about_a_pixel(moved: float | None, count: int) -> None:
    centre = TIMELINE.instant_from_time(Fraction(3, 2))
    instants = exposed_instants(around(Fraction(3, 2), Fraction(1, 2)), centre, TIMELINE, kind, lambda _: moved)
    assert len(instants) == count
    if count == 1:
        assert instants == (centre,)
        return
    times = [TIMELINE.time_from_instant(instant) for instant in instants]
    assert times == [1 + (number + Fraction(1, 2)) / count for number in range(count)]


def test_motion_of_several_pairs_adds_up() -> None:
    moved = {0: 2.0, 1: 10.0, 2: 4.0}
    instants = exposed_instants(
        Segment(Fraction(1, 2), Fraction(5, 2)), Instant(1, Fraction(1, 2)), TIMELINE, kind, moved.get
    )
    assert len(instants) == 1 + 10 + 2


# ---- the mean ----


@pytest.mark.parametrize(("dtype", "peak"), [(torch.uint8, 255), (torch.int32, 65535)])
def test_light_is_averaged_not_levels(dtype: torch.dtype, peak: int) -> None:
    levels = torch.arange(peak + 1).to(dtype).view(-1, 1, 1).expand(-1, 1, 4)
    torch.testing.assert_close(mean_in_light([levels, levels, levels]), levels, rtol=0, atol=0)
    black, white = torch.zeros(1, 1, 4, dtype=dtype), torch.full((1, 1, 4), peak, dtype=dtype)
    grey = mean_in_light([black, white])[0, 0, 0].item()
    assert abs(float(light_from_srgb(np.array([grey / peak], np.float32))[0]) - 0.5) < 1 / peak


# ---- the engine, and an export ----


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    tiny = load_tiny_model(tmp_path_factory.mktemp("tiny"))
    with Engine(open_frames(SHOTS.frames, fps=FPS), tiny, profile_for(pick_device("cpu"))) as opened:
        yield opened


GRID = Grid(144, 90)
QUERY = RegionQuery(Instant(1, Fraction(1, 3)), GRID, GRID.rect)


def light_of(rgbx: NDArray[np.uint8]) -> NDArray[np.float32]:
    return light_from_srgb(rgbx.astype(np.float32) / np.float32(255))


def exposed(half: Fraction) -> RegionQuery:
    return replace(QUERY, exposure=around(Fraction(4, 3) / FPS, half / FPS))


def test_an_exposure_is_the_mean_of_the_plain_pictures(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 6.0)
    query = exposed(Fraction(1, 2))
    blurred, deep = engine.render(query), engine.render_deep(query)
    assert blurred.query == query
    times = [Fraction(5, 6) + (number + Fraction(1, 2)) / 6 for number in range(6)]
    instants = [engine.opened.timeline.instant_from_time(time / FPS) for time in times]
    lights = [light_of(engine.render(replace(QUERY, instant=each)).rgbx) for each in instants]
    found = light_of(blurred.rgbx)
    assert np.abs(found - np.mean(lights, axis=0)).max() < 0.006
    assert np.abs(deep.rgbx / 257.0 - blurred.rgbx).max() < 2
    rect = Rect(20, 30, 50, 40)
    np.testing.assert_array_equal(engine.render(replace(query, rect=rect)).rgbx, blurred.rgbx[rect.slices])
    # A cut is not crossed: after it, nothing of the scene before it is seen.
    after = RegionQuery(Instant(4, Fraction(0)), GRID, GRID.rect, Segment(3 / FPS, 5 / FPS))
    inside = replace(after, exposure=Segment(4 / FPS, 5 / FPS))
    np.testing.assert_array_equal(engine.render(after).rgbx, engine.render(inside).rgbx)


def test_the_count_follows_the_motion_that_the_model_finds(engine: Engine) -> None:
    small, large = (engine._moved_px(1, grid, NEVER) for grid in (GRID, Grid(576, 360)))
    assert small is not None
    assert large == pytest.approx(4 * small)


def test_where_nothing_moves_the_picture_is_the_plain_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 0.3)
    np.testing.assert_array_equal(engine.render(exposed(Fraction(1, 2))).rgbx, engine.render(QUERY).rgbx)


def written(engine: Engine, job: ExportJob) -> NDArray[np.uint8]:
    sink = FrameList()
    write_frames(job, engine, sink)
    return np.stack(sink.frames)


CROP = Rect(20, 10, 60, 40)
PLAIN = ExportOptions(size=GRID, crop=CROP, fps=FPS * 2)


def plain_job(engine: Engine, **options: Unpack[ExportOptions]) -> ExportJob:
    return job_for(engine.opened.info, Path("out.mkv"), **(PLAIN | options))


def test_shutter_0_the_identity_curve_and_a_path_that_rests_are_the_plain_export(engine: Engine) -> None:
    info = engine.opened.info
    end = Fraction(3, 25)
    plain = written(engine, plain_job(engine, end=end))
    assert len(plain) == 6
    identical = plain_job(engine, curve=identity(Segment(Fraction(0), end)), shutter=Fraction(0))
    np.testing.assert_array_equal(written(engine, identical), plain)
    x, y = CROP.x + Fraction(CROP.width, 2), CROP.y + Fraction(CROP.height, 2)
    centre = (x * info.width / GRID.width, y * info.height / GRID.height)
    resting = plain_job(engine, end=end, camera=CameraPath((Keyframe(Fraction(0), *centre, Fraction(1)),)))
    np.testing.assert_array_equal(written(engine, resting), plain)


def test_an_export_with_a_shutter_exposes_each_frame_by_the_output_rate(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 16.0)
    job = plain_job(engine, shutter=Fraction(180), speed=Fraction(1, 2), start=Fraction(3, 100), end=Fraction(4, 50))
    query = frame_query(job, engine.opened, 3)
    # A quarter of a frame's time (1/100 s of the clip) on either side of 0.06 s.
    assert query.exposure == Segment(Fraction(6, 100) - Fraction(1, 400), Fraction(6, 100) + Fraction(1, 400))
    assert frame_query(replace(job, shutter=Fraction(0)), engine.opened, 3).exposure is None
    blurred, plain = written(engine, job), written(engine, replace(job, shutter=Fraction(0)))
    assert blurred.shape == plain.shape == (5, CROP.height, CROP.width, 4)
    assert (blurred != plain).any(axis=(1, 2, 3)).sum() >= 3
    frozen = plain_job(engine, curve=identity(Segment(Fraction(0), Fraction(1, 5))), shutter=Fraction(360))
    assert frame_query(frozen, engine.opened, 0).exposure == Segment(Fraction(0), Fraction(1, 100))


def test_hdr_levels_are_no_light(engine: Engine) -> None:
    info = engine.opened.info
    hdr = replace(info, colour=replace(info.colour, transfer="smpte2084"))
    with pytest.raises(UsageError, match="HDR"):
        job_for(hdr, Path("out.mkv"), shutter=Fraction(180))
