"""Rolling-shutter correction: each line of a picture is that of the plain picture at the line's own time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import videoinr
from helpers.frame_list import FrameList
from helpers.shots import joined, pan
from helpers.tiny_model import load_tiny_model, tiny_video_inr
from videoinr.cancel import NEVER
from videoinr.clip.memory_clip import open_frames
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import pick_device, profile_for
from videoinr.errors import UsageError
from videoinr.exporting.export import write_frames
from videoinr.exporting.frame_queries import decoded_ends, frame_query
from videoinr.exporting.job import job_for
from videoinr.geometry import Grid, LinePhases, Readout, Rect, shown_readout
from videoinr.render.engine import Engine
from videoinr.render.footing import Footing
from videoinr.render.rolling_shutter import bands, query_to
from videoinr.timeline import Timeline
from videoinr.types import Instant, PairKey, PairKind, Quality, RegionQuery, Segment

FPS = Fraction(25)
GRID = Grid(144, 90)
SHOTS = joined("shots", pan(1, 4, step=(4, 1)), pan(2, 4, step=(4, 1)))
"""A cut at pair 3."""
TIMELINE = Timeline.constant(8, FPS)
CUT = 3


def kind(pair: int) -> PairKind:
    return PairKind.CUT if pair == CUT else PairKind.MOTION


def plain_footing(instant: Instant) -> Footing:
    return Footing(instant.pair, instant.pair + 1, instant.phase)


def asked(frames: Fraction | str, readout: Fraction | str, *, is_sideways: bool = False) -> RegionQuery:
    """A query at a time, and with a readout, in frames of the clip."""
    instant = TIMELINE.instant_from_time(Fraction(frames) / FPS)
    return RegionQuery(instant, GRID, GRID.rect, readout=Readout(Fraction(readout) / FPS, is_sideways))


# ---- the times of the lines ----


@pytest.mark.parametrize("is_sideways", [False, True])
@pytest.mark.parametrize("readout", ["4/5", "-4/5", "2"])
def test_each_line_has_the_time_at_which_the_camera_saw_it(readout: str, *, is_sideways: bool) -> None:
    query, count = asked("5/3", readout, is_sideways=is_sideways), 144 if is_sideways else 90
    found, line = bands(query, TIMELINE, kind, plain_footing), 0
    for footing, band in found:
        assert band.lines is not None
        assert band.readout is None
        assert band.lines.first == line == (band.rect.x if is_sideways else band.rect.y)
        for phase in band.lines.phases:
            wanted = Fraction(5, 3) - Fraction(readout) * (Fraction(2 * line + 1, 2 * count) - Fraction(1, 2))
            assert footing.first + phase == pytest.approx(float(wanted), abs=1e-12)
            line += 1
    assert line == count
    assert [footing.first for footing, _ in found] in ([1, 2], [2, 1], [0, 1, 2], [2, 1, 0])


@pytest.mark.parametrize(
    ("time", "first", "last"),
    [("0", 0.2, 0.0), ("1/10", 0.3, 0.0), ("7", 7.0, 6.8), ("14/5", 3.0, 2.6), ("4", 4.2, 4.0)],
)
def test_lines_are_held_at_the_ends_of_the_scene(time: str, first: float, last: float) -> None:
    """0.4 frames are read; the first line is decoded 0.2 frames after the picture's time, the last one before it."""

    def held(instant: Instant) -> Footing:
        return Footing(2, 3, Fraction(1)) if instant == Instant(CUT, Fraction(0)) else plain_footing(instant)

    found = bands(asked(time, "2/5"), TIMELINE, kind, held)
    times = [footing.first + phase for footing, band in found
             for phase in (band.lines.over(band.rect) if band.lines else [float(footing.phase)])]  # fmt: skip
    assert times[0] == pytest.approx(first, abs=0.01)
    assert times[-1] == pytest.approx(last, abs=0.01)


def test_within_a_cut_nothing_is_corrected() -> None:
    query, footing = asked("7/2", "1"), Footing(2, 3, Fraction(1))
    assert query_to(footing, query, TIMELINE, kind) == footing.query(replace(query, readout=None))
    assert query_to(footing, asked("5/2", "1"), TIMELINE, kind) == asked("5/2", "1")


def test_a_tile_at_the_edge_of_a_band_has_the_phases_of_its_nearest_lines() -> None:
    lines = LinePhases(10, (0.1, 0.2, 0.3))
    assert lines.over(Rect(0, 8, 5, 7)) == [0.1, 0.1, 0.1, 0.2, 0.3, 0.3, 0.3]
    assert replace(lines, is_sideways=True).over(Rect(11, 0, 3, 9)) == [0.2, 0.3, 0.3]
    assert LinePhases(0, tuple(line / 8 for line in range(8))).spread(8, 2) == [0.25, 0.75]


def test_frames_that_are_shown_turned_were_read_by_columns() -> None:
    secs = Fraction(1, 60)
    turned = [shown_readout(secs, rotation) for rotation in (0, 90, 180, 270)]
    assert turned == [Readout(secs), Readout(-secs, is_sideways=True), Readout(-secs), Readout(secs, is_sideways=True)]
    assert shown_readout(Fraction(0), 90) is None


# ---- the engine ----


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    tiny = load_tiny_model(tmp_path_factory.mktemp("tiny"))
    with Engine(open_frames(SHOTS.frames, fps=FPS), tiny, profile_for(pick_device("cpu"))) as opened:
        yield opened


STEP = 3


def some_lines(engine: Engine, query: RegionQuery, *, is_deep: bool = False) -> NDArray[np.uint8]:
    """Every STEPth line of the picture of ``query``, each from a plain picture."""
    readout, lines = query.readout, list[NDArray[np.uint8]]()
    assert readout is not None
    axis, count = (1, GRID.width) if readout.is_sideways else (0, GRID.height)
    for line in range(0, count, STEP):
        time = TIMELINE.time_from_instant(query.instant) - readout.delay_secs(line, count)
        time = min(max(time, Fraction(0)), 3 / FPS)
        plain = replace(query, instant=TIMELINE.instant_from_time(time), readout=None)
        rect = Rect(line, 0, 1, GRID.height) if readout.is_sideways else Rect(0, line, GRID.width, 1)
        plain = replace(plain, rect=rect)
        lines.append((engine.render_deep(plain) if is_deep else engine.render(plain)).rgbx)
    return np.concatenate(lines, axis)


@pytest.mark.parametrize("is_sideways", [False, True])
def test_a_picture_consists_of_lines_of_plain_pictures(engine: Engine, *, is_sideways: bool) -> None:
    """Bit for bit; its lines lie in three pairs, and some are held at the clip's start."""
    query = asked("6/5", "-9/4" if is_sideways else "9/4", is_sideways=is_sideways)
    picture = engine.render(query).rgbx
    lines = picture[:, ::STEP] if is_sideways else picture[::STEP]
    np.testing.assert_array_equal(lines, some_lines(engine, query))
    rect = Rect(31, 17, 77, 50)
    np.testing.assert_array_equal(engine.render(replace(query, rect=rect)).rgbx, picture[rect.slices])
    assert (picture != engine.render(replace(query, readout=None)).rgbx).mean() > 0.1


def test_16_bits_and_a_tensor_have_the_same_lines(engine: Engine) -> None:
    query = asked("6/5", "4/5")
    np.testing.assert_array_equal(engine.render_deep(query).rgbx[::STEP], some_lines(engine, query, is_deep=True))
    np.testing.assert_array_equal(engine.render_tensor(query).numpy(), engine.render(query).rgbx)


def test_in_plain_torch_the_picture_is_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [engine.render(asked("6/5", "4/5", is_sideways=sideways)).rgbx for sideways in (False, True)]
    monkeypatch.setattr("videoinr.model.native.build.library", lambda: None)
    monkeypatch.setattr("videoinr.model.ops.native.library", lambda: None)
    for sideways, picture in zip((False, True), fast, strict=True):
        plain = engine.render(asked("6/5", "4/5", is_sideways=sideways)).rgbx
        assert np.abs(plain.astype(int) - picture).max() <= 1


def test_an_exposure_is_the_mean_of_corrected_pictures(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_moved_px", lambda *_: 3.0)
    query = asked("6/5", "4/5")
    blurred = engine.render(replace(query, exposure=Segment(Fraction(7, 10) / FPS, Fraction(17, 10) / FPS))).rgbx
    stills = [asked(Fraction(7, 10) + (number + Fraction(1, 2)) / 3, "4/5") for number in range(3)]
    levels = [engine.render(still).rgbx.astype(float) / 255 for still in stills]
    mean = np.mean([np.where(one <= 0.04045, one / 12.92, ((one + 0.055) / 1.055) ** 2.4) for one in levels], 0)
    curve = np.where(mean <= 0.0031308, 12.92 * mean, 1.055 * mean ** (1 / 2.4) - 0.055)
    assert np.abs(255 * curve - blurred).max() < 0.51


@pytest.mark.parametrize("is_sideways", [False, True])
def test_a_motion_draft_is_corrected_too(engine: Engine, *, is_sideways: bool) -> None:
    """Its lines are near those of drafts at their times: between lines of the proxy the motion is interpolated."""
    query = asked("6/5", "1", is_sideways=is_sideways)
    draft = engine.motion(query)
    assert (draft.quality, draft.query) == (Quality.MOTION, query)
    readout, count, errors = query.readout, GRID.width if is_sideways else GRID.height, []
    assert readout is not None
    for line in range(5, count, 23):
        time = TIMELINE.time_from_instant(query.instant) - readout.delay_secs(line, count)
        rect = Rect(line, 0, 1, GRID.height) if is_sideways else Rect(0, line, GRID.width, 1)
        plain = replace(query, instant=TIMELINE.instant_from_time(time), rect=rect, readout=None)
        errors.append(np.abs(engine.motion(plain).rgbx.astype(int) - draft.rgbx[rect.slices]).mean())
    assert max(errors) < 0.5
    assert np.abs(draft.rgbx.astype(int) - engine.motion(replace(query, readout=None)).rgbx).mean() > 1


def test_a_model_whose_field_depends_on_time_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from videoinr.model.features import TimeFreeMoment

    monkeypatch.setattr(TimeFreeMoment, "is_time_free", property(lambda _: False))
    with pytest.raises(UsageError, match="no rolling shutter is corrected"):
        engine.render(asked("6/5", "4/5"))


def test_the_decoder_of_a_gpu_leaves_such_lines_to_plain_torch() -> None:
    """Its kernels have one time for a picture."""
    pytest.importorskip("triton")
    from videoinr.decode.cuda_decoder import CudaDecoder

    device = pick_device("cuda" if torch.cuda.is_available() else "cpu")
    model, frames = tiny_video_inr().to(device), torch.rand((1, 2, 3, 5, 6), device=device)
    with torch.inference_mode():
        features = model.encode(frames)
    query = RegionQuery(Instant(0, Fraction(1, 2)), Grid(30, 20), Rect(3, 2, 9, 10))
    asked = replace(query, lines=LinePhases(2, tuple(line / 10 for line in range(10))))
    decoders = [kind(model, profile_for(device)) for kind in (TiledDecoder, CudaDecoder)]
    tiled, other = (each.decode(PairKey("clip", 0), features, asked, NEVER) for each in decoders)
    torch.testing.assert_close(other, tiled, rtol=0, atol=0)
    line = decoders[0].decode(PairKey("clip", 0), features, replace(query, instant=Instant(0, Fraction(3, 10))), NEVER)
    torch.testing.assert_close(tiled[3], line[3], rtol=0, atol=0)


# ---- a known rolling shutter ----

HEIGHT, WIDTH, STEP_PX, READ = 96, 160, 8.0, Fraction(4, 5)
"""A bar moves by STEP_PX a frame; READ of the time of a frame is taken to read it."""


def seen(frame: int) -> NDArray[np.uint8]:
    """A frame of a bar that stands upright and moves sideways, as a camera with a rolling shutter sees it."""
    rows, columns = np.arange(HEIGHT)[:, None], np.arange(WIDTH)[None]
    when = frame + ((rows + 0.5) / HEIGHT - 0.5) * float(READ)
    behind = 60 + 8 * np.sin(columns / 3) + 8 * np.sin(rows / 4)
    bar = np.clip(6 - np.abs(columns - 40 - STEP_PX * when), 0, 1)
    level = np.rint(behind * (1 - bar) + 220 * bar).astype(np.uint8)
    return np.repeat(level[..., None], 3, -1)


def lean_px(picture: NDArray[np.uint8]) -> float:
    """How far the bar's lower end lies to the right of its upper end, pixels of the clip."""
    height, width = picture.shape[:2]
    light = np.clip(picture[..., 1].astype(float) - 150, 0, None)
    middles = (light * np.arange(width)).sum(1) / light.sum(1)
    slope, _ = np.polyfit(np.arange(height) / height, middles, 1)
    return float(slope * WIDTH / width)


@pytest.fixture(scope="module")
def video() -> Iterator[videoinr.Video]:
    with videoinr.open([seen(frame) for frame in range(5)], device="cpu", picture_fps=25) as video:
        yield video


@pytest.mark.parametrize(
    ("frame", "quality"), [(Fraction(2), "full"), (Fraction(5, 2), "full"), (Fraction(2), "motion")]
)
def test_a_leaning_bar_is_straightened(video: videoinr.Video, frame: Fraction, quality: str) -> None:
    time, options = frame / 25, {"scale": 2, "quality": quality}
    before = lean_px(video.decode(time, **options))  # type: ignore[call-overload]
    after = lean_px(video.decode(time, readout=READ / 25, **options))  # type: ignore[call-overload]
    assert before == pytest.approx(STEP_PX * float(READ), abs=0.2)
    assert abs(after) < 0.2
    worse = lean_px(video.decode(time, readout=-READ / 25, **options))  # type: ignore[call-overload]
    assert worse > 2 * before - 1


# ---- Python, command line, export ----


def test_a_readout_of_0_is_the_plain_picture(video: videoinr.Video) -> None:
    plain = video.query(Fraction(1, 10))
    assert video.query(Fraction(1, 10), readout=0) == plain
    assert video.query(Fraction(1, 10), readout=0.0, shutter=0) == plain


def test_a_readout_longer_than_two_frames_is_none(video: videoinr.Video) -> None:
    with pytest.raises(UsageError, match="longer than two frames"):
        video.query(0, readout=Fraction(1, 12))
    assert video.query(0, readout=Fraction(-2, 25)).readout == Readout(Fraction(-2, 25))


def test_an_export_has_the_decoded_pictures(engine: Engine) -> None:
    readout = Fraction(4, 5) / FPS
    job = job_for(engine.opened.info, Path("out.mkv"), size=GRID, fps=2 * FPS, end=Fraction(4, 25), readout=readout)
    sink = FrameList()
    write_frames(job, engine, sink)
    queries = [frame_query(job, engine.opened, number) for number in range(8)]
    assert {query.readout for query in queries} == {Readout(readout)}
    np.testing.assert_array_equal(np.stack(sink.frames), [engine.render(query).rgbx for query in queries])
    plain = FrameList()
    write_frames(replace(job, readout=Fraction(0)), engine, plain)
    assert [(one != other).any() for one, other in zip(sink.frames, plain.frames, strict=True)] == [True] * 7 + [False]


def test_the_pairs_of_all_lines_are_kept() -> None:
    ends = decoded_ends(asked("2", "1"), TIMELINE)
    assert [end.position for end in ends] == [Fraction(3, 2), Fraction(5, 2)]
    exposed = replace(asked("2", "1"), exposure=Segment(1 / FPS, 3 / FPS))
    assert [end.position for end in decoded_ends(exposed, TIMELINE)] == [Fraction(1, 2), Fraction(7, 2)]
    assert decoded_ends(replace(asked("2", "1"), readout=None), TIMELINE) == ()
