"""The measure of failed motion: its definition, made pairs, the engine, Python and the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import videoinr
from helpers.clips import write_pictures
from helpers.command_line import run_here
from helpers.shots import texture
from helpers.tiny_model import load_tiny_model, save_tiny_model, tiny_video_inr
from helpers.tiny_paper import TINY_VARIANTS, tiny_paper_model
from videoinr.cancel import NEVER
from videoinr.decode.failure import MOST_DB, FailureMaps, measure_failure
from videoinr.geometry import Rect
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.features import PairFeatures
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.render.engine import open_engine
from videoinr.render.reach import SURE_DB, ReachWatch
from videoinr.types import GUESS_DB, Instant, PairFailure, Quality, RegionQuery

Array = NDArray[np.float64]


def crop(number: int, x: int, y: int, *, width: int = 128, height: int = 96) -> Tensor:
    """Return a window of a made texture, [3, height, width] in 0 ... 1."""
    picture = texture(number)[y : y + height, x : x + width] / 255
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)


def features_of(first: Tensor, second: Tensor, flow: Tensor) -> PairFeatures:
    """Return the features of two frames with a motion prior of our own, [4, H, W]."""
    with torch.inference_mode():
        features = tiny_video_inr().encode(torch.stack((first, second))[None])
    return replace(features, prior=flow.permute(1, 2, 0)[None])


def constant(values: tuple[float, float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(4, 1, 1).expand(4, *like.shape[-2:])


def windows(values: Array, side: int, of: Callable[[Array], float]) -> Array:
    """Return ``of`` each window of [h, w] that is centred at a pixel, cut at the border."""
    near, out = side // 2, np.empty_like(values)
    for y, x in np.ndindex(*values.shape):
        out[y, x] = of(values[max(0, y - near) : y + near + 1, max(0, x - near) : x + near + 1])
    return out


def shifted(frame: Array, dx: Array, dy: Array) -> Array:
    """Return ``frame`` [3, h, w] read at whole-pixel offsets, border extended."""
    height, width = frame.shape[1:]
    y, x = np.indices((height, width))
    return frame[:, np.clip(y + dy, 0, height - 1).astype(int), np.clip(x + dx, 0, width - 1).astype(int)]


def slope(plane: Array) -> Array:
    padded = np.pad(plane, 1, mode="edge")
    return np.hypot((padded[1:-1, 2:] - padded[1:-1, :-2]) / 2, (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2)


def test_the_measure_equals_its_definition() -> None:
    first, second = (crop(number, 40, 60, width=40, height=30) for number in (0, 1))
    flow = torch.cat((constant((3, -2, -4, 1), first)[:, :, :15], constant((0, 0, 0, 2), first)[:, :, 15:]), 2)
    found = measure_failure(features_of(first, second, flow))
    frames, (ax, ay, bx, by) = [frame.double().numpy() for frame in (first, second)], flow.double().numpy()
    warped = [shifted(frames[0], ax, ay), shifted(frames[1], bx, by)]
    planes = [plane for each in warped for plane in each]
    difference = windows(np.abs(warped[0] - warped[1]).mean(0), 5, np.mean)
    gradient = windows(np.mean([slope(plane) for plane in planes], 0), 5, np.mean)
    contrast = np.mean([windows(plane, 7, np.std) for plane in planes], 0)
    error = difference + np.minimum(gradient * (0.05 + 0.2 * np.hypot(bx - ax, by - ay)), contrast)
    assert found.cell_px == 1
    np.testing.assert_allclose(found.error.numpy(), error, atol=2e-4)
    assert found.expected_db == pytest.approx(-10 * math.log10(np.square(error).mean()), abs=0.02)


@pytest.mark.parametrize("lines", [90, 264, 351])
def test_cells_are_squares_of_clip_pixels(lines: int) -> None:
    first, second = (crop(number, 0, 0, width=370, height=lines) for number in (2, 2))
    found = measure_failure(features_of(first, second, constant((2.0, 1.0, -2.0, -1.0), first)))
    cell_px = {90: 1, 264: 3, 351: 4}[lines]
    assert found.cell_px == cell_px
    assert found.error.shape == (lines // cell_px, 370 // cell_px)
    # The same as of frames and flow that were made smaller by hand.
    small = torch.stack((first, second))[:, :, : lines // cell_px * cell_px, : 370 // cell_px * cell_px].contiguous()
    small = small.view(2, 3, lines // cell_px, cell_px, 370 // cell_px, cell_px).mean((3, 5))
    flow = constant((2.0, 1.0, -2.0, -1.0), small) / cell_px
    torch.testing.assert_close(
        measure_failure(features_of(small[0], small[1], flow)).error, found.error, atol=1e-5, rtol=1e-4
    )


def test_wrong_motion_has_a_larger_error_where_it_is_wrong() -> None:
    first, second = crop(3, 100, 100), crop(3, 112, 100)
    right = measure_failure(features_of(first, second, constant((6, 0, -6, 0), first)))
    wrong = measure_failure(features_of(first, second, constant((0, 0, 0, 0), first)))
    assert right.expected_db > wrong.expected_db + 3
    mixed = constant((6, 0, -6, 0), first).clone()
    mixed[:, :, 80:] = 0
    error = measure_failure(features_of(first, second, mixed)).error
    assert error[:, 88:120].mean() > 2 * error[:, 20:72].mean()


def test_farther_motion_is_less_certain() -> None:
    found = []
    for px in (0, 4, 16):
        first, second = crop(4, 100 + px, 100), crop(4, 100 - px, 100)
        flow = constant((-px, 0, px, 0), first)
        found.append(measure_failure(features_of(first, second, flow)).expected_db)
    assert found[0] > found[1] + 3
    assert found[1] > found[2] + 1


def test_cuts_are_beyond_reach_and_still_pairs_are_not() -> None:
    first, second = crop(5, 100, 100), crop(6, 100, 100)
    cut, still = (
        measure_failure(features_of(first, other, constant((0, 0, 0, 0), first))).value for other in (second, first)
    )
    assert cut.is_beyond_reach
    assert not still.is_beyond_reach
    flat = torch.full((3, 20, 30), 0.4)
    assert measure_failure(features_of(flat, flat, constant((0, 0, 0, 0), flat))).expected_db > 90
    assert MOST_DB == 99


@pytest.mark.parametrize("variant", TINY_VARIANTS)
def test_models_without_a_motion_prior_are_measured(variant: str) -> None:
    with torch.inference_mode():
        features = tiny_paper_model(variant).encode(torch.stack((crop(7, 0, 0), crop(7, 3, 0)))[None])
    found = measure_failure(features)
    assert found.error.shape == (96, 128)
    assert found.error.isfinite().all()
    assert 5 < found.expected_db < 60


def test_the_flow_stands_in_for_a_motion_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    # A model with a prior: its flow at mid-time is the prior and a correction of tenths of a pixel.
    features = features_of(crop(7, 0, 0), crop(7, 8, 0), constant((4, 0, -4, 0), crop(7, 0, 0)))
    by_prior = measure_failure(features).expected_db
    monkeypatch.setattr(type(features), "for_kernels", lambda self: None)
    assert measure_failure(features).expected_db == pytest.approx(by_prior, abs=2)


@pytest.mark.parametrize("form", ["maps", "latent", "part"])
def test_the_bend_of_a_path_counts_at_mid_time(form: str) -> None:
    first, second = crop(7, 0, 0), crop(7, 8, 0)
    even = features_of(first, second, constant((4, 1, -4, 1), first))
    bend = constant((0, -8, 100, 100), first).permute(1, 2, 0)[None]
    bent = replace(even, prior=torch.cat((even.prior, bend), -1))
    expected = measure_failure(features_of(first, second, constant((4, 0, -4, 0), first)))
    assert (measure_failure(even).error - expected.error).abs().max() > 0.01
    pair: PairFeatures | LatentPair = bent
    if form != "maps":
        part = EncodedPart(Rect(0, 0, 128, 96), bent.prior[..., :0], bent.prior)
        pair = LatentPair(bent.frames, part, None, bent.model, ProjectedRegions(1))
    if form == "part":  # Of which the search and the bend at half the size tell.
        small = constant((2, 0.5, -2, 0.5), first)[None, :, ::2, ::2]
        part = EncodedPart(Rect(0, 0, 1, 1), bent.prior[:, :1, :1, :0], bent.prior[:, :1, :1])
        bend = bend.permute(0, 3, 1, 2)[..., ::2, ::2]
        pair = LatentPair(bent.frames, part, CoarseSearch(small, small), bent.model, ProjectedRegions(1), bend)
    torch.testing.assert_close(measure_failure(pair).error, expected.error)


def test_a_part_of_a_large_frame_tells_of_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [crop(8, 60 + step, 60, width=256, height=192) for step in (0, 3)]
    write_pictures(tmp_path / "clip", [(frame.permute(1, 2, 0) * 255).byte().numpy() for frame in frames])
    found = list[float]()
    for whole_bytes, rect in ((1 << 30, None), (0, None), (0, Rect(200, 150, 40, 30))):
        monkeypatch.setattr("videoinr.decode.pair_encoder.WHOLE_BYTES", whole_bytes)
        with open_engine(tmp_path / "clip", model=load_tiny_model(tmp_path), device="cpu") as engine:
            grid = engine.clip.info.grid
            rendered = engine.render(RegionQuery(Instant(0, Fraction(1, 2)), grid, rect or grid.rect))
            (features,) = (engine._pairs.cache.get(key) for key in engine._pairs.failures)
            assert isinstance(features, LatentPair) == (whole_bytes == 0)
            if rect is not None:
                assert isinstance(features, LatentPair)
                assert features.part.rect != grid.rect
        assert rendered.expected_db is not None
        found.append(rendered.expected_db)
    assert found[1] == pytest.approx(found[0], abs=0.01)
    assert found[2] == pytest.approx(found[0], abs=1)


def test_half_precision_features_are_measured() -> None:
    features = features_of(crop(8, 0, 0), crop(8, 8, 0), constant((4, 0, -4, 0), crop(8, 0, 0)))
    torch.testing.assert_close(measure_failure(features.compact()).error, measure_failure(features).error)


def test_reach_has_two_thresholds() -> None:
    watch = ReachWatch()
    between = (GUESS_DB + SURE_DB) / 2
    told = [40.0, between, GUESS_DB - 0.1, between, None, between, SURE_DB, between, None, GUESS_DB - 1, SURE_DB + 1]
    answers = [False, False, True, True, True, True, False, False, False, True, False]
    assert [watch.note(value) for value in told] == answers
    assert PairFailure(np.zeros((1, 1), np.float32), 1, GUESS_DB - 0.1).is_beyond_reach
    assert not PairFailure(np.zeros((1, 1), np.float32), 1, GUESS_DB).is_beyond_reach


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two still frames, then a cut, then two still frames of another scene."""
    frames = [crop(number, 100, 100) for number in (9, 9, 9, 10, 10, 10)]
    pixels = [(frame.permute(1, 2, 0) * 255).round().byte().numpy() for frame in frames]
    write_pictures(tmp_path / "clip", pixels)
    return tmp_path / "clip"


def test_the_engine_measures_each_pair_once_and_tells_it_with_the_pictures(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = list[PairFeatures]()

    def counted(features: PairFeatures) -> FailureMaps:
        measured.append(features)
        return measure_failure(features)

    monkeypatch.setattr("videoinr.render.encoded_pairs.measure_failure", counted)
    with open_engine(clip, model=load_tiny_model(tmp_path), device="cpu") as engine:
        grid = engine.clip.info.grid
        motion, cut = (RegionQuery(Instant(pair, Fraction(1, 4)), grid, grid.rect) for pair in (0, 2))
        assert engine.render(motion, Quality.MOTION).expected_db is None  # Not encoded yet.
        engine.render_tensor(motion)
        assert not measured, "an export asks for none"
        rendered = engine.render(motion)
        assert rendered.expected_db is not None
        assert len(measured) == 1
        assert engine.render(motion, Quality.DRAFT).expected_db == rendered.expected_db
        assert engine.failure(0).expected_db == engine.failure(0, NEVER).expected_db
        assert len(measured) <= 2  # The frames of a repeat are not those of the pair.
        assert engine.render(cut).expected_db is None
        count = len(measured)
        engine.encode(1, NEVER)
        assert len(measured) == count + 1, "ahead of the picture, which does not wait for it then"
        found = engine.failure(2)
    assert found.is_beyond_reach
    assert found.error.dtype == np.float32


def test_python_and_the_command_line_tell_it(clip: Path, tmp_path: Path) -> None:
    model = save_tiny_model(tmp_path)
    with videoinr.open(clip, model=model, device="cpu") as video:
        across, within = (video.encode(pair).failure() for pair in (2, 1))
        assert across.is_beyond_reach
        assert across.expected_db < GUESS_DB < within.expected_db
        assert across.error.shape == (96, 128)
        pair = video.encode(1)
    with pytest.raises(videoinr.VideoInrError, match="closed"):
        pair.failure()
    told = {}
    for time in ("5/48", "1/48", "2/24"):
        usual = ("--time", time, "--scale", 1, "--model", model, "--device", "cpu")
        outcome = run_here("decode", clip, "-o", tmp_path / "o.png", *usual, "--across-cuts", "decode")
        assert outcome.exit_code == 0, outcome.stderr
        told[time] = "beyond the model's reach between frames 2 and 3: the picture is a guess" in outcome.stderr
    assert told == {"5/48": True, "1/48": False, "2/24": False}
