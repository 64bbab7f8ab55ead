"""What is decoded across cuts and repeated frames: the nearer frame, a blend, or a mixture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import videoinr
from helpers.command_line import run_here
from helpers.shots import Frames, joined, pan
from helpers.tiny_model import load_tiny_model
from videoinr.cancel import NEVER
from videoinr.clip.footage import read_stretch
from videoinr.clip.memory_clip import open_frames
from videoinr.devices import pick_device, profile_for
from videoinr.geometry import Grid, Rect
from videoinr.model.weights import LoadedModel
from videoinr.render.engine import Engine
from videoinr.text.parsing import AcrossCutsName
from videoinr.types import AcrossCuts, Instant, PairKind, Quality, RegionQuery

FPS = Fraction(25)
GRID = Grid(150, 110)
HALF = Fraction(1, 2)
SHOTS = joined("shots", pan(1, 4), pan(2, 1), pan(3, 4))
"""Cuts at pairs 3 and 4; frame 4 stands alone between them."""

EngineOf = Callable[..., Engine]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def engine_of(tiny: LoadedModel) -> Iterator[EngineOf]:
    engines: list[Engine] = []

    def made(frames: Frames, across_cuts: AcrossCuts = AcrossCuts.HOLD) -> Engine:
        engines.append(Engine(open_frames(frames, fps=FPS), tiny, profile_for(pick_device("cpu")), across_cuts))
        return engines[-1]

    yield made
    for engine in engines:
        engine.close()


def picture(engine: Engine, pair: int, phase: Fraction | int, rect: Rect = GRID.rect) -> NDArray[np.uint8]:
    return engine.render(RegionQuery(Instant(pair, Fraction(phase)), GRID, rect)).rgbx


def test_the_nearer_frame_is_held_across_a_cut(engine_of: EngineOf) -> None:
    engine, raw = engine_of(SHOTS.frames), engine_of(SHOTS.frames, AcrossCuts.DECODE)
    before, after = picture(raw, 2, 1), picture(raw, 5, 0)
    for phase in (Fraction(0), Fraction(1, 4), Fraction(499, 1000)):
        np.testing.assert_array_equal(picture(engine, 3, phase), before)
    for phase in (HALF, Fraction(3, 4), Fraction(1)):
        np.testing.assert_array_equal(picture(engine, 4, phase), after)
    assert (picture(raw, 3, HALF) != before).any()


def test_within_a_scene_pictures_are_those_of_the_pair(engine_of: EngineOf) -> None:
    engine, raw = engine_of(SHOTS.frames), engine_of(SHOTS.frames, AcrossCuts.DECODE)
    for pair, phase in ((0, Fraction(0)), (2, Fraction(1, 3)), (5, Fraction(0)), (7, Fraction(1))):
        np.testing.assert_array_equal(picture(engine, pair, phase), picture(raw, pair, phase))


def test_a_frame_between_two_cuts_is_encoded_with_itself(engine_of: EngineOf) -> None:
    engine, alone = engine_of(SHOTS.frames), engine_of(SHOTS.frames[4:5])
    expected = picture(alone, 0, 0)
    np.testing.assert_array_equal(picture(engine, 3, HALF), expected)
    np.testing.assert_array_equal(picture(engine, 4, Fraction(2, 5)), expected)


@pytest.mark.parametrize("frames", [joined("a", pan(1, 1), pan(2, 1)).frames])
def test_a_clip_of_two_scenes_of_one_frame(engine_of: EngineOf, frames: Frames) -> None:
    engine = engine_of(frames)
    np.testing.assert_array_equal(picture(engine, 0, 0), picture(engine_of(frames[:1]), 0, 0))
    np.testing.assert_array_equal(picture(engine, 0, 1), picture(engine_of(frames[1:]), 0, 0))


def test_a_blend_mixes_both_frames_by_the_phase(engine_of: EngineOf) -> None:
    engine, held = engine_of(SHOTS.frames, AcrossCuts.BLEND), engine_of(SHOTS.frames)
    first, second = picture(held, 3, 0).astype(float), picture(held, 3, 1).astype(float)
    mixed = picture(engine, 3, Fraction(1, 4))
    assert np.abs(mixed - (0.75 * first + 0.25 * second)).max() <= 0.51
    np.testing.assert_array_equal(picture(engine, 3, 0), first)
    np.testing.assert_array_equal(picture(engine, 3, 1), second)


@pytest.mark.parametrize("mode", list(AcrossCuts))
def test_a_region_equals_the_crop_across_a_cut(engine_of: EngineOf, mode: AcrossCuts) -> None:
    engine, rect = engine_of(SHOTS.frames, mode), Rect(31, 17, 45, 38)
    for phase in (Fraction(1, 5), HALF):
        whole = picture(engine, 3, phase)
        np.testing.assert_array_equal(picture(engine, 3, phase, rect), whole[17:55, 31:76])
    query = RegionQuery(Instant(3, Fraction(1, 5)), GRID, rect)
    np.testing.assert_array_equal(engine.render_tensor(query).numpy(), engine.render(query).rgbx)


def test_the_answer_says_that_its_pair_is_a_cut(engine_of: EngineOf) -> None:
    engine = engine_of(SHOTS.frames)
    query = RegionQuery(Instant(3, HALF), GRID, Rect(0, 0, 40, 40))
    assert engine.render(query).pair_kind is PairKind.CUT
    assert engine.preview(query, Rect(0, 0, 40, 40), NEVER).pair_kind is PairKind.CUT
    assert engine.render(RegionQuery(Instant(2, HALF), GRID, GRID.rect)).pair_kind is PairKind.MOTION
    assert engine.source(query.instant).quality is Quality.SOURCE


def test_a_preview_shows_the_nearer_frame(engine_of: EngineOf) -> None:
    for mode in (AcrossCuts.HOLD, AcrossCuts.BLEND):
        engine = engine_of(SHOTS.frames, mode)
        draft = engine.preview(RegionQuery(Instant(3, Fraction(1, 4)), GRID, GRID.rect), Rect(0, 0, 96, 60), NEVER)
        rect = draft.query.rect
        whole = engine.render(RegionQuery(Instant(2, Fraction(1)), draft.query.grid, rect)).rgbx
        np.testing.assert_array_equal(draft.rgbx, whole)


def test_what_a_cut_needs_is_encoded_before_it_is_decoded(engine_of: EngineOf) -> None:
    engine = engine_of(SHOTS.frames)
    assert not engine.is_encoded(3)
    engine.encode(3, NEVER)
    assert engine.is_encoded(3)
    assert engine.is_encoded(2), "the held frame comes from the pair before"
    assert not engine.is_encoded(3, HALF)
    engine.encode(3, NEVER, HALF)
    assert engine.is_encoded(3, HALF)


def test_motion_runs_on_across_repeated_frames(engine_of: EngineOf) -> None:
    shot = pan(1, 6)
    engine = engine_of(shot[[0, 1, 2, 2, 3, 4]])
    distinct = engine_of(shot[[0, 1, 2, 3, 4]], AcrossCuts.DECODE)
    for pair, phase, expected in (
        (2, Fraction(0), Fraction(0)),
        (2, HALF, Fraction(1, 4)),
        (3, Fraction(0), HALF),
        (3, HALF, Fraction(3, 4)),
        (3, Fraction(1), Fraction(1)),
    ):
        np.testing.assert_array_equal(picture(engine, pair, phase), picture(distinct, 2, expected))
    np.testing.assert_array_equal(picture(engine, 4, HALF), picture(distinct, 3, HALF))


def test_doubled_frames_move_at_even_steps(engine_of: EngineOf) -> None:
    shot = pan(1, 4)
    engine, distinct = engine_of(np.repeat(shot, 2, 0)), engine_of(shot, AcrossCuts.DECODE)
    for pair in range(6):
        expected = picture(distinct, pair // 2, Fraction(pair % 2, 2))
        np.testing.assert_array_equal(picture(engine, pair, 0), expected)


# ---- Python, command line and export ----


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from helpers.clips import write_clip

    return write_clip(tmp_path_factory.mktemp("cuts") / "cuts.mkv", SHOTS.frames, codec="ffv1", pix_fmt="bgr0")


def test_python_decodes_like_the_engine(engine_of: EngineOf, tiny: LoadedModel) -> None:
    held, time = engine_of(SHOTS.frames), Fraction(33, 250)
    with videoinr.open(SHOTS.frames, model=tiny, device="cpu", picture_fps=25) as video:
        by_time = video.decode(time, size=(150, 110))
        np.testing.assert_array_equal(by_time, picture(held, 3, Fraction(3, 10))[..., :3])
        np.testing.assert_array_equal(by_time, video.encode(3).decode(Fraction(3, 10), size=(150, 110)))
    with videoinr.open(SHOTS.frames, model=tiny, device="cpu", picture_fps=25, across_cuts="decode") as video:
        assert (video.decode(time, size=(150, 110)) != by_time).any()
    with pytest.raises(videoinr.VideoInrError, match="'cut' is not a way to show a cut"):
        videoinr.open(SHOTS.frames, model=tiny, device="cpu", across_cuts="cut")  # type: ignore[arg-type]


def test_an_export_holds_like_the_picture(tiny: LoadedModel, tmp_path: Path) -> None:
    said: list[str] = []
    modes: tuple[AcrossCutsName, ...] = ("hold", "blend")
    for mode in modes:
        out = tmp_path / mode
        videoinr.export(
            SHOTS.frames,
            out,
            model=tiny,
            device="cpu",
            picture_fps=25,
            fps=100,
            size=(150, 110),
            across_cuts=mode,
            notice=said.append,
        )
        written = read_stretch(out).pixels
        with videoinr.open(SHOTS.frames, model=tiny, device="cpu", picture_fps=25, across_cuts=mode) as video:
            for number in (12, 13, 15, 17):
                shown = video.decode(Fraction(number, 100), size=(150, 110))
                np.testing.assert_array_equal(written[number], shown)

    about_cuts = [one for one in said if "cuts" in one]
    assert about_cuts == ["Across 2 cuts, the nearer frame is held.", "Across 2 cuts, both frames are blended."]


def test_the_command_line_decodes_and_exports_with_the_option(clip: Path, tmp_path: Path) -> None:
    pictures = {}
    for mode in ("", "hold", "blend", "decode"):
        option = ["--across-cuts", mode] if mode else []
        out = tmp_path / f"picture{mode}.png"
        done = run_here("decode", str(clip), "--time", "0.13", "--scale", "1", "-o", str(out), *option)
        assert done.exit_code == 0, done
        pictures[mode] = out.read_bytes()
        said = "cut" in done.stderr
        assert said == (mode != "decode"), done.stderr
    assert pictures[""] == pictures["hold"]
    assert len(set(pictures.values())) == 3
    wrong = run_here("decode", str(clip), "--time", "0", "-o", str(tmp_path / "no.png"), "--across-cuts", "morph")
    assert wrong.exit_code == 2
    assert "hold, blend or decode" in wrong.stderr


def test_edited_cuts_are_decoded_so(tiny: LoadedModel) -> None:
    """Without its cut, a pair is decoded as it is; with one, the nearer frame is held."""

    def pictures(cuts: str, across_cuts: AcrossCutsName = "hold") -> list[NDArray[np.uint8]]:
        with videoinr.open(SHOTS.frames, model=tiny, device="cpu", cuts=cuts, across_cuts=across_cuts) as video:
            return [video.decode(time, scale=1) for time in (Fraction(7, 48), Fraction(3, 48))]

    found, edited, raw = pictures(""), pictures("1,-3"), pictures("", "decode")
    assert np.array_equal(edited[0], raw[0])
    assert not np.array_equal(edited[0], found[0])
    assert np.array_equal(found[1], raw[1])
    assert not np.array_equal(edited[1], raw[1])


def test_pictures_kept_for_playback_belong_to_what_decides_them(tiny: LoadedModel) -> None:
    profile, clip = profile_for(pick_device("cpu")), open_frames(SHOTS.frames, fps=FPS)
    plain, again = Engine(clip, tiny, profile), Engine(clip, tiny, profile)
    blended = Engine(clip, tiny, profile, AcrossCuts.BLEND)
    clip.cut_edits = {1: True}
    edited = Engine(clip, tiny, profile)
    assert again.opened.source_id == plain.opened.source_id
    assert len({engine.opened.source_id for engine in (plain, again, blended, edited)}) == 3
    for engine in (plain, again, blended, edited):
        engine.close()
