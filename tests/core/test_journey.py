"""Retime curve and camera path: which time and which part of a clip each frame of an output shows."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.export_jobs import job
from helpers.job_strategies import INFO, camera_paths
from videoinr.errors import InputError, UsageError
from videoinr.exporting.companions import SourceStreams, without_time
from videoinr.exporting.job import job_for
from videoinr.exporting.job_file import job_from_text, text_of_job
from videoinr.exporting.retime import ConstantRate
from videoinr.geometry import Grid, Rect
from videoinr.journey.arguments import as_camera, curve_ahead
from videoinr.journey.camera import CameraPath, Easing, Keyframe
from videoinr.journey.camera_file import read_camera
from videoinr.journey.curve import CurvePoint, CurveRate, RetimeCurve, curve_from_text, identity
from videoinr.text.clip_time import ClipTime
from videoinr.timeline import Timeline
from videoinr.types import Segment

CLIP = Grid(320, 180)
HALF = Fraction(1, 2)
steps = st.fractions(min_value=Fraction(1, 50), max_value=3, max_denominator=1001)
shares = st.fractions(min_value=0, max_value=1, max_denominator=1000)


@st.composite
def curves(draw: st.DrawFn, *, rising: bool = False) -> RetimeCurve:
    """Curves of up to five lines, with ramps as long as fits."""
    outs, clips = [Fraction(0)], [Fraction(20)]
    for step in draw(st.lists(st.tuples(steps, steps), min_size=1, max_size=5)):
        outs.append(outs[-1] + step[0])
        clips.append(clips[-1] + (step[1] if rising else draw(st.sampled_from([-1, 0, 1])) * step[1]))
    if clips.count(clips[0]) == len(clips):
        clips[-1] += 1
    gaps = [after - before for before, after in pairwise(outs)]
    ramps = [draw(shares) * min(gaps[index], gaps[index + 1]) for index in range(len(gaps) - 1)]
    return RetimeCurve(tuple(map(CurvePoint, outs, clips, [Fraction(0), *ramps, Fraction(0)])))


# ---- the curve ----


@given(curves(), shares)
def test_a_curve_has_no_steps_and_no_kinks_in_its_ramps(curve: RetimeCurve, share: Fraction) -> None:
    assert curve.time(Fraction(0)) == curve.points[0].clip_secs
    assert curve.time(curve.duration_secs) == curve.points[-1].clip_secs
    for before, after in pairwise(curve.pieces):
        assert before.out_secs + before.length_secs == after.out_secs
        assert before.time(after.out_secs) == after.clip_secs
        has_ramp = any(point.ramp_secs and abs(point.out_secs - after.out_secs) == point.ramp_secs / 2
                       for point in curve.points)  # fmt: skip
        assert not has_ramp or before.end_speed == after.speed
    out = share * curve.duration_secs
    assert curve.extent.start_secs <= curve.time(out) <= curve.extent.end_secs


@given(curves(rising=True), shares)
def test_the_inverse_of_a_rising_curve_is_exact(curve: RetimeCurve, share: Fraction) -> None:
    out = share * curve.duration_secs
    assert curve.speeds[0] > 0
    assert curve.first_shown(curve.time(out)) == out


@given(curves(), shares)
def test_the_inverse_finds_the_first_time_that_is_shown(curve: RetimeCurve, share: Fraction) -> None:
    clip_secs = curve.time(share * curve.duration_secs)
    first = curve.first_shown(clip_secs)
    assert first is not None
    assert first <= share * curve.duration_secs
    assert abs(curve.time(first) - clip_secs) < Fraction(1, 10**9)
    assert curve.first_shown(curve.extent.end_secs + 1) is None


@given(curves())
def test_the_text_of_a_curve_is_read_as_the_same_curve(curve: RetimeCurve) -> None:
    points = [
        CurvePoint(*(value.limit_denominator(10**6) for value in (one.out_secs, one.clip_secs, one.ramp_secs * HALF)))
        for one in curve.points
    ]
    plain = RetimeCurve(tuple(points))
    assert curve_from_text(str(plain)) == plain


def test_a_ramp_changes_the_speed_evenly() -> None:
    curve = curve_from_text("0=0 1=1~1 3=3/2")
    assert [str(curve.time(Fraction(n, 4))) for n in (1, 2, 4, 6, 8)] == ["1/4", "1/2", "29/32", "9/8", "5/4"]
    slow = Fraction(1, 4)
    assert [(piece.speed, piece.end_speed) for piece in curve.pieces] == [(1, 1), (1, slow), (slow, slow)]


def test_level_pieces_freeze_and_falling_ones_run_backwards() -> None:
    curve = curve_from_text("0=0 1=1 2=1 3=0,5")
    assert [curve.time(Fraction(n, 2)) for n in range(7)] == [0, HALF, 1, 1, 1, Fraction(3, 4), HALF]
    assert curve.speeds[0] <= 0
    assert curve.speeds == (-HALF, Fraction(1))
    assert curve.first_shown(Fraction(1)) == 1


def test_the_times_of_a_clip_in_a_curve_are_written_as_any_time() -> None:
    timeline = Timeline.constant(50, Fraction(25))

    def place(time: ClipTime) -> Fraction:
        return time.time_on(timeline, INFO)

    text = "0=f5 0:01=00:00:00:10~1/2 0:02,5=100%"
    assert str(curve_from_text(text, place)) == "0=1/5 1=2/5~1/2 5/2=2"
    assert (curve_ahead(text), curve_ahead("0=0 0:01=0:01")) == (text, curve_from_text("0=0 1=1"))
    with pytest.raises(UsageError, match="not in seconds"):
        curve_from_text(text)
    for wrong in ("50%=0 1=1", "0=f5 1=1~f3", "0=f5 1=x"):
        with pytest.raises(UsageError, match="is not a time"):
            curve_ahead(wrong)


@pytest.mark.parametrize(
    "text",
    ["", "0=0", "0=0 1", "0=0 1=x", "0=0 1=", "0=0 1=1~", "1=0 2=1", "0=0 1=1 1=2", "0=0 2=1 1=2", "0=-1 1=1",
     "0=1 2=1", "0=0~1 1=1", "0=0 1=1~1", "0=0 1=1~3 2=2", "0=0 1=1~-1 2=2", "0=0 1=1~1 2=2~3/2 3=0",
     "0=1/100 1=0 1e9=1"],
)  # fmt: skip
def test_what_is_no_curve_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        curve_from_text(text)
    assert caught.value.hint


@given(st.fractions(min_value=0, max_value=9, max_denominator=1001), steps, st.sampled_from(["24", "24000/1001", "1"]))
def test_the_identity_curve_has_the_times_of_the_plain_export(start: Fraction, length: Fraction, fps: str) -> None:
    segment, rate = Segment(start, start + length), Fraction(fps)
    for speed in (Fraction(1), Fraction(1, 3)):
        plain, curved = ConstantRate(segment, rate, speed), CurveRate(identity(segment, speed), rate)
        assert list(curved.times) == list(plain.times)
        assert curved.duration_secs == plain.duration_secs


# ---- the camera ----


def keyframe(time: str, x: float, y: float, zoom: str, easing: Easing = Easing.LINEAR) -> Keyframe:
    return Keyframe(Fraction(time), Fraction(x), Fraction(y), Fraction(zoom), easing)


@given(st.data(), st.fractions(min_value=Fraction(1, 2), max_value=16, max_denominator=100))
def test_a_path_that_rests_is_a_crop(data: st.DataObject, zoom: Fraction) -> None:
    base = Grid(300, 200)
    grid = base.scaled(float(zoom))
    x, y = data.draw(st.integers(0, grid.width - 1)), data.draw(st.integers(0, grid.height - 1))
    crop = Rect(x, y, data.draw(st.integers(1, grid.width - x)), data.draw(st.integers(1, grid.height - y)))
    centre = ((crop.x + Fraction(crop.width, 2)) * CLIP.width / grid.width,
              (crop.y + Fraction(crop.height, 2)) * CLIP.height / grid.height)  # fmt: skip
    path = CameraPath((Keyframe(Fraction(1), *centre, zoom), Keyframe(Fraction(2), *centre, zoom)))
    for time in ("0", "1", "4/3", "2", "9"):
        assert path.region(Fraction(time), CLIP, base, (crop.width, crop.height)) == (grid, crop)


@pytest.mark.parametrize("easing", Easing)
def test_the_camera_is_exact_at_keyframes_and_moves_between_them(easing: Easing) -> None:
    path = CameraPath((keyframe("1", 100, 80, "4", easing), keyframe("3", 200, 100, "16")))
    assert path.at(Fraction(0)) == path.at(Fraction(1)) == path.keyframes[0]
    assert path.at(Fraction(3)) == path.at(Fraction(4)) == path.keyframes[1]
    zooms = [float(path.at(Fraction(quarter, 4)).zoom) for quarter in range(4, 13)]
    if easing is Easing.HOLD:
        assert zooms == [4.0] * 8 + [16.0]
    else:
        assert zooms == sorted(zooms)
        assert zooms[4] == pytest.approx(8)
        steps = [after / before for before, after in pairwise(zooms)]
        assert (max(steps) - min(steps) < 1e-9) == (easing is Easing.LINEAR)


def test_the_times_of_keyframes_may_be_written_as_a_clock_shows_them() -> None:
    written: list[dict[str, object]] = [
        {"time": "1:02.5", "centre": [1, 2], "zoom": 1},
        {"time": "63", "centre": [1, 2], "zoom": 1},
    ]
    path = as_camera(written)
    assert path is not None
    assert [one.time_secs for one in path.keyframes] == [Fraction(125, 2), 63]
    with pytest.raises(UsageError, match="not a time in seconds"):
        as_camera([{"time": "50%", "centre": [1, 2], "zoom": 1}])


def test_the_point_that_both_keyframes_show_at_one_place_stays_there() -> None:
    path = CameraPath((keyframe("0", 160, 90, "4"), keyframe("2", 220, 120, "16")))
    # At the second keyframe x = 240 lies 320 pixels right of the middle, as it does at the first.
    for n in range(9):
        place = path.at(Fraction(n, 4))
        assert float((240 - place.x) * place.zoom) == pytest.approx(320)


def test_keyframes_may_be_values_as_python_has_them() -> None:
    plain = as_camera([{"time": "1/3", "centre": [160, "91/2"], "zoom": 2, "easing": "hold"}])
    for time, centre, zoom in (
        (Fraction(1, 3), (160, Fraction(91, 2)), np.int64(2)), (Fraction(1, 3), np.array([160.0, 45.5]), np.float32(2)),
    ):  # fmt: skip
        assert as_camera(({"time": time, "centre": centre, "zoom": zoom, "easing": Easing.HOLD},)) == plain
    assert as_camera([{"time": np.array(np.float32(0.1)), "centre": (1, 2), "zoom": 1}]) == as_camera(
        [{"time": "1/10", "centre": [1, 2], "zoom": 1}]
    )


def test_the_camera_stays_inside_the_picture() -> None:
    path, grid = CameraPath((keyframe("0", 0, 180, "2"),)), CLIP.scaled(2)
    assert path.region(Fraction(0), CLIP, grid, (640, 360)) == (Grid(1280, 720), Rect(0, 360, 640, 360))
    path.check(CLIP, grid, (1280, 720))
    with pytest.raises(UsageError, match=r"x2 makes the picture 1280x720") as caught:
        path.check(CLIP, grid, (1920, 720))
    assert "x3" in caught.value.hint
    with pytest.raises(UsageError, match="more than x32"):
        path.check(CLIP, CLIP.scaled(17), (64, 64))


@given(camera_paths(Grid(320, 180), (16, 9)))
def test_a_camera_is_read_back_as_the_same_path(path: CameraPath | None) -> None:
    if path is not None:
        assert as_camera(str(path)) == as_camera(path) == path
        assert as_camera(json.loads(json.dumps(path.values))) == path


def test_a_camera_file_is_read_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "path.json"
    file.write_text('{"videoinr_camera": 1, "keyframes": [{"time": 0.1, "centre": [160, "91/2"], "zoom": "x4"}]}')
    (only,) = read_camera(file).keyframes
    assert only == keyframe("1/10", 160, 45.5, "4", Easing.SMOOTH)
    whole = file.read_text()
    for wrong in (
        "", "[]", "{}", '{"videoinr_camera": 2, "keyframes": []}', '{"videoinr_camera": 1, "keyframes": []}',
        whole.replace("x4", "x999"), whole.replace("0.1", "1e999"), "[" * 10_000,
    ):  # fmt: skip
        file.write_text(wrong)
        with pytest.raises(InputError):
            as_camera(file)
    with pytest.raises(InputError, match="cannot be read"):
        as_camera(str(tmp_path / "none.json"))
    for text in ("[", "[1]", "[]"):
        with pytest.raises(UsageError):
            as_camera(text)
    two = [{"time": 1, "centre": [1, 1], "zoom": 1}] * 2
    with pytest.raises(UsageError, match="order"):
        as_camera(two)


# ---- the job ----


def test_a_job_file_holds_curve_shutter_camera_and_readout_from_version_2_on(tmp_path: Path) -> None:
    path = CameraPath((keyframe("0", 80, 45, "2"),))
    made = job_for(INFO, tmp_path / "out.mkv", curve=curve_from_text("0=0 1=1~1/2 3=3/2"), shutter=Fraction(180),
                   camera=path, readout=Fraction(-1, 60))  # fmt: skip
    text = text_of_job(made)
    options = job_from_text(text.encode(), tmp_path / "a.json").options
    assert (options["retime"], options["shutter"], options["start"]) == ("0=0 1=1~1/2 3=3/2", 180, None)
    assert as_camera(options["camera"]) == path
    assert options["readout"] == Fraction(-1, 60)
    assert json.loads(text)["videoinr_export"] == 2
    assert json.loads(text_of_job(job_for(INFO, tmp_path / "out.mkv")))["videoinr_export"] == 1
    with pytest.raises(InputError, match='camera needs "videoinr_export": 2'):
        job_from_text(text.replace('"videoinr_export": 2', '"videoinr_export": 1').encode(), tmp_path / "a.json")


def test_a_curve_excludes_start_end_and_speed_and_stays_in_the_clip() -> None:
    curve = identity(Segment(Fraction(0), Fraction(1)))
    assert job_for(INFO, Path("o.mkv"), curve=curve, speed=Fraction(1)).segment == curve.extent
    for options in ({"start": Fraction(0)}, {"end": Fraction(1)}, {"speed": HALF}):
        with pytest.raises(UsageError, match="curve"):
            job_for(INFO, Path("o.mkv"), curve=curve, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="up to 3 s, but it lasts 2 s"):
        job_for(INFO, Path("o.mkv"), curve=identity(Segment(Fraction(0), Fraction(3))))
    for angle in (Fraction(-1), Fraction(361)):
        with pytest.raises(UsageError, match="degrees"):
            job_for(INFO, Path("o.mkv"), shutter=angle)


def test_what_a_curve_does_not_move_is_said_to_be_left_out() -> None:
    source = SourceStreams(Path("a.mkv"), "matroska", Fraction(0), (), ((0, "subrip"),), (), (("title", "A"),), ())
    assert without_time(source).others == ("subtitles, which a retime curve does not move",)
    assert without_time(source).tags == source.tags
    assert job(Path("o.mkv")).curve is None
