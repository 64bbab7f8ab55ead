"""Photographs in synthetic motion: frames agree with the known motion."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers.clips import write_picture
from videoinr.errors import UsageError
from videoinr.training.batch_shape import BatchShape
from videoinr.training.data.still_motion import (
    BLOB_CHANCES,
    MAX_MAGNIFICATION,
    MAX_SHIFT,
    MAX_TURN,
    MAX_ZOOM,
    MOTION_CHANCES,
    Motion,
    blob,
    motion_from_chance,
)
from videoinr.training.data.stills import Stills, show

CPU = torch.device("cpu")
SIDE = 32


def random_motions(count: int = 64, seed: int = 0) -> Motion:
    chance = torch.rand((count, MOTION_CHANCES), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return motion_from_chance(chance, SIDE)


def wave(points: Tensor) -> Tensor:
    """Evaluate a smooth image at any points: [..., 2] -> [...]."""
    return 0.5 + 0.2 * torch.sin(points[..., 0] / 7) + 0.2 * torch.cos(points[..., 1] / 9 + points[..., 0] / 20)


def wave_layer(side: int) -> Tensor:
    line = torch.arange(side, dtype=torch.float64) + 0.5 - side / 2
    ys, xs = torch.meshgrid(line, line, indexing="ij")
    return wave(torch.stack([xs, ys], -1)).expand(3, -1, -1)


def test_a_frame_shows_the_photograph_at_the_motions_points() -> None:
    motion, times = random_motions(16), torch.linspace(0, 1, 5, dtype=torch.float64).expand(16, -1)
    points = motion.points(times, SIDE)
    shown = show(wave_layer(96).expand(16, -1, -1, -1), points)
    assert shown.shape == (16, 5, 3, SIDE, SIDE)
    inside = points.abs().amax(-1) < 44
    assert inside.double().mean() > 0.9
    error = (shown[:, :, 0] - wave(points)).abs()
    assert float(error[inside].max()) < 4e-3


def test_the_last_frame_warped_back_by_the_known_flow_is_the_first() -> None:
    motion = random_motions(8)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64).expand(8, -1)
    matrices, shifts = motion.matrices(ends), motion.shifts(ends)
    first, last = show(wave_layer(96).expand(8, -1, -1, -1), motion.points(ends, SIDE)).unbind(1)
    # The photograph's point at each pixel of the first frame, and the position of that point in the last frame.
    seen = motion.points(ends, SIDE)[:, 0].flatten(1, 2)
    where = ((seen - shifts[:, 1, None]) @ torch.linalg.inv(matrices[:, 1]).transpose(-1, -2)).view(8, SIDE, SIDE, 2)
    back = show(last, where[:, None])[:, 0]
    inside = (where.abs() < SIDE / 2 - 2).all(-1) & (motion.points(ends, SIDE).abs().amax((1, -1)) < 44)
    assert inside.double().mean() > 0.4
    assert float((back - first)[:, 0][inside].abs().max()) < 8e-3


def test_photographs_are_never_downsampled() -> None:
    times = torch.linspace(0, 1, 9, dtype=torch.float64).expand(256, -1)
    sizes = torch.linalg.svdvals(random_motions(256).matrices(times))
    assert float(sizes.max()) <= 1
    assert float(sizes.min()) > 1 / MAX_MAGNIFICATION / math.exp(MAX_ZOOM / 2 + 0.06)


def test_motions_stay_in_their_bounds_and_are_centred_in_time() -> None:
    motion, times = random_motions(512), torch.linspace(0, 1, 17, dtype=torch.float64).expand(512, -1)
    shifts = motion.shifts(times)
    moved = (shifts[:, -1] - shifts[:, 0]).norm(dim=-1)
    assert 0.9 * MAX_SHIFT * SIDE < float(moved.max()) <= MAX_SHIFT * SIDE
    assert float(moved.median()) == pytest.approx(MAX_SHIFT * SIDE / 4, rel=0.3)
    angles = motion.turn.abs()
    assert 0.9 * MAX_TURN < float(angles.max()) <= MAX_TURN
    # Second differences are those of a parabola.
    curve = shifts.diff(n=2, dim=1)
    torch.testing.assert_close(curve, curve[:, :1].expand_as(curve), atol=1e-9, rtol=0)


def test_a_blob_has_an_inside_an_outside_and_a_soft_edge() -> None:
    still = Motion(*(torch.zeros((4, *shape)) for shape in ((), (2,), (2,), (), (), ())))
    chance = torch.rand((4, BLOB_CHANCES), generator=torch.Generator().manual_seed(0))
    cover = blob(still.points(torch.zeros((4, 1)), 64), chance, 64)
    assert cover.shape == (4, 1, 1, 64, 64)
    assert 0 <= float(cover.min()) < 0.01
    assert 0.95 < float(cover.max()) <= 1
    share = cover.mean((1, 2, 3, 4))
    assert bool(((share > 0.02) & (share < 0.6)).all())
    edge = ((cover > 0.05) & (cover < 0.95)).float().mean((1, 2, 3, 4))
    assert bool((edge > 0.002).all())


@pytest.fixture
def stills(tmp_path: Path) -> Stills:
    """Photographs of one colour each, so that layers can be distinguished."""
    for number, level in enumerate((40, 200)):
        write_picture(tmp_path / f"{number}.png", np.full((120, 110, 3), level, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    return Stills([tmp_path], CPU)


def test_windows_have_the_requested_shape_8_bits_and_times(stills: Stills) -> None:
    cut = stills.windows(BatchShape(64, 8, SIDE, 3), np.random.default_rng(0))
    assert cut.images.shape == (64, 5, 3, SIDE, SIDE)
    assert cut.times.shape == (64, 3)
    assert float(cut.times.min()) == 0
    assert float(cut.times.max()) == 1
    assert torch.equal((cut.images * 255).round() / 255, cut.images)
    assert float(cut.images.min()) >= 40 / 255 - 1e-6
    assert float(cut.images.max()) <= 200 / 255 + 1e-6


def test_some_windows_have_a_foreground_in_all_frames(stills: Stills) -> None:
    cut = stills.windows(BatchShape(200, 8, SIDE, 1), np.random.default_rng(0))
    two_layers = (cut.images.amax((2, 3, 4)) - cut.images.amin((2, 3, 4))) > 0.3
    # With two photographs the layers differ in half of the windows, and 70 % of the windows have a foreground.
    assert float(two_layers.any(1).float().mean()) == pytest.approx(0.35, abs=0.1)
    assert float((two_layers.all(1) == two_layers.any(1)).float().mean()) > 0.9


def test_windows_depend_only_on_the_generator(stills: Stills) -> None:
    one, again, other = (stills.windows(BatchShape(4, 8, SIDE, 2), np.random.default_rng(n)) for n in (1, 1, 2))
    assert torch.equal(one.images, again.images)
    assert torch.equal(one.times, again.times)
    assert not torch.equal(one.times, other.times)


def test_a_target_at_time_0_or_1_equals_the_input_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_picture(tmp_path / "a.png", rng.integers(0, 256, (120, 120, 3), dtype=np.uint8))
    cut = Stills([tmp_path], CPU).windows(BatchShape(40, 8, SIDE, 2), np.random.default_rng(0))
    seen = 0
    for images, times in zip(cut.images, cut.times, strict=True):
        for target, time in zip(images[2:], times.tolist(), strict=True):
            if time in (0, 1):
                assert torch.equal(target, images[int(time)])
                seen += 1
    assert seen >= 4


def test_too_small_photographs_are_a_usage_error(stills: Stills) -> None:
    with pytest.raises(UsageError, match="No photograph is 148 pixels"):
        stills.windows(BatchShape(1, 16, 64 - 1, 1), np.random.default_rng(0))
