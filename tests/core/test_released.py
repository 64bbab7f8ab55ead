"""The released network equals an independent implementation, as released and corrected, whole and in tiles."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from helpers import released_reference as reference
from helpers.released_models import released_model, released_weights, small_released_model
from videoinr.cancel import NEVER
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.errors import ModelError
from videoinr.geometry import Grid, Rect
from videoinr.images import rgbx_from_tensor
from videoinr.model.building import build, config_from_dict
from videoinr.model.config import LITE, PAPER
from videoinr.model.released.config import ReleasedConfig
from videoinr.model.released.lattice import LatticeAxis, on_map
from videoinr.model.released.names import encoder_names, head_names, unused_names
from videoinr.model.released.network import ReleasedFeatures
from videoinr.types import Instant, PairKey, RegionQuery

CPU = torch.device("cpu")
TOLERANCE = 1e-4
LAYOUT_SHA256 = "693bd4f2661dfdc0b1ccf2ea7a9004b54bfcec8a023f1f7c5a3f625dcaf24ec3"
"""Of the released file's names and shapes, a line ``name<tab>shape`` each, in its order."""


@cache
def pair(height: int, width: int) -> Tensor:
    """Return two smooth frames with some noise: [2, 3, height, width]."""
    generator = torch.Generator().manual_seed(100 * height + width)
    coarse = torch.rand((2, 3, 4, 5), generator=generator)
    smooth = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    return (smooth + 0.1 * torch.rand((2, 3, height, width), generator=generator)).clamp(0, 1)


@cache
def encoded(height: int, width: int, corrected: bool = False) -> ReleasedFeatures:
    with torch.inference_mode():
        return released_model(corrected=corrected).encode(pair(height, width)[None])


@torch.inference_mode()
def rendered(features: ReleasedFeatures, grid: Grid, t: float) -> Tensor:
    return features.render(grid, [torch.tensor([t])])[0][0]


@cache
def expected_feature(height: int, width: int) -> Tensor:
    return reference.encode(released_weights(), reference.filled_up(pair(height, width)))


def expected(height: int, width: int, grid: Grid, t: float) -> Tensor:
    """Render the reference; ``grid`` spans the padded pair."""
    return reference.render(
        released_weights(),
        reference.filled_up(pair(height, width)),
        expected_feature(height, width),
        height=grid.height,
        width=grid.width,
        t=t,
    )


# ---- names and sizes ----


def test_the_names_are_those_of_the_released_file() -> None:
    shapes = reference.released_shapes()
    lines = "".join(f"{name}\t{shape}\n" for name, shape in shapes.items())
    assert len(shapes) == 442
    assert hashlib.sha256(lines.encode()).hexdigest() == LAYOUT_SHA256
    assert sum(math.prod(shape) for shape in shapes.values()) == 11_312_698


def test_every_released_name_maps_to_one_name_of_ours() -> None:
    shapes, config = reference.released_shapes(), ReleasedConfig()
    names = encoder_names(config) | head_names(config)
    assert [name for name in shapes if name not in unused_names()] == list(names)
    assert len(unused_names()) == 8
    model = released_model().state_dict()
    assert sorted(names.values()) == sorted(model)
    assert {ours: shapes[name] for name, ours in names.items()} == {name: tuple(t.shape) for name, t in model.items()}


def test_it_has_as_many_parameters_as_the_released_network() -> None:
    def count(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    model = released_model()
    assert count(model) == 10_978_615
    assert [count(head) for head in (model.spatial_head, model.temporal_head, model.decoder_head)] == [
        50_176,
        38_724,
        121_027,
    ]


# ---- values ----


@pytest.mark.parametrize(("height", "width"), [(16, 12), (20, 24)])
def test_the_encoder_equals_the_reference(height: int, width: int) -> None:
    with torch.inference_mode():
        feature = released_model().encoder(pair(height, width)[None])
    torch.testing.assert_close(feature, expected_feature(height, width), rtol=0, atol=TOLERANCE)
    assert float(feature.std((2, 3)).mean()) > 0.1


@pytest.mark.parametrize(
    ("height", "width", "scale"), [*((16, 12, scale) for scale in (1, 2, 3, 4, 6)), (20, 24, 1), (20, 24, 4)]
)
def test_pictures_equal_the_reference(height: int, width: int, scale: int) -> None:
    grid = Grid(scale * width, scale * height)
    for t in (0.0, 0.125, 0.5, 1.0):
        picture = rendered(encoded(height, width), grid, t)
        wanted = expected(height, width, grid, t)
        torch.testing.assert_close(picture, wanted, rtol=0, atol=TOLERANCE)
        assert float(wanted.std((1, 2)).min()) > 0.05


@pytest.mark.parametrize(("height", "width"), [(13, 18), (14, 15)])
def test_sides_that_are_not_multiples_of_four_are_padded_and_cropped(height: int, width: int) -> None:
    for scale, t in ((2, 0.25), (3, 0.75), (4, 0.5)):
        wanted = expected(height, width, Grid(scale * (width + -width % 4), scale * 16), t)
        picture = rendered(encoded(height, width), Grid(scale * width, scale * height), t)
        torch.testing.assert_close(picture, wanted[:, : scale * height, : scale * width], rtol=0, atol=TOLERANCE)


def test_the_comparison_is_sensitive_to_every_difference_from_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    grid, t = Grid(72, 60), 0.5
    wanted = expected(20, 24, grid, t)

    def difference() -> float:
        return float((expected(20, 24, grid, t) - wanted).abs().max())

    def swapped(flow: Tensor) -> Tensor:
        return units(flow.flip(1))

    units = reference._in_units_of_corners
    for name, other in (
        ("_corner_lattice", reference._centres),
        ("_in_units_of_corners", swapped),
        ("_nearest", reference._bilinear),
        ("_bilinear", border),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reference, name, other)
            assert difference() > 100 * TOLERANCE, name
    assert float((expected(20, 24, grid, 0.6) - wanted).abs().max()) > 100 * TOLERANCE


def test_pairs_of_a_batch_do_not_affect_each_other() -> None:
    frames = torch.stack((pair(16, 12), pair(16, 12).flip(0)))
    model, grid, times = released_model(), Grid(30, 40), torch.tensor([0.2, 0.7])
    with torch.inference_mode():
        both = model.render(model.encode(frames), grid, [times])[0]
        for k in range(2):
            alone = model.render(model.encode(frames[k : k + 1]), grid, [times[k : k + 1]])[0][0]
            torch.testing.assert_close(both[k], alone, rtol=0, atol=TOLERANCE)


# ---- corrected ----


def border(image: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_corrected_pictures_equal_the_reference_with_corrected_positions(
    monkeypatch: pytest.MonkeyPatch, scale: int
) -> None:
    height, width = 16, 12

    def a_quarter_latent_pixel(flow: Tensor) -> Tensor:
        return torch.stack((flow[:, 0] / 4 * 2 / width, flow[:, 1] / 4 * 2 / height), -1)

    monkeypatch.setattr(reference, "_corner_lattice", reference._centres)
    monkeypatch.setattr(reference, "_bilinear", border)
    monkeypatch.setattr(reference, "_in_units_of_corners", a_quarter_latent_pixel)
    grid = Grid(scale * width, scale * height)
    wanted = expected(height, width, grid, 0.4)
    picture = rendered(encoded(height, width, corrected=True), grid, 0.4)
    torch.testing.assert_close(picture, wanted, rtol=0, atol=TOLERANCE)
    assert float((rendered(encoded(height, width), grid, 0.4) - wanted).abs().max()) > 100 * TOLERANCE


def axis(pixels: int, clip_size: int, *, corrected: bool) -> LatticeAxis:
    size = clip_size if corrected else -(-clip_size // 4) * 4
    return LatticeAxis.make(pixels, clip_size=clip_size, size=size, corrected=corrected)


@pytest.mark.parametrize("pixels", [20, 50, 80, 320])
def test_corrected_flow_moves_by_the_same_distance_at_every_scale_and_zero_flow_by_none(pixels: int) -> None:
    index, clean = torch.arange(pixels), axis(pixels, 20, corrected=True)
    still = on_map(clean.moved(index, torch.zeros(pixels)), 20)
    moved = on_map(clean.moved(index, torch.full((pixels,), 6.0)), 20)
    torch.testing.assert_close(still, ((index.double() + 0.5) * 20 / pixels - 0.5).float(), rtol=0, atol=1e-5)
    torch.testing.assert_close(moved - still, torch.full((pixels,), 1.5), rtol=0, atol=1e-5)
    assert (clean.inside(torch.tensor([-3.0, 0.0, 25.0]), 20) == 1).all()


def test_released_flow_moves_less_at_larger_scales_and_zero_flow_shifts() -> None:
    for pixels in (40, 80):
        index, quirky = torch.arange(pixels), axis(pixels, 20, corrected=False)
        still = on_map(quirky.moved(index, torch.zeros(pixels)), pixels)
        moved = on_map(quirky.moved(index, torch.full((pixels,), 6.0)), 20)
        assert still[0] == pytest.approx(-0.5)
        assert still[-1] == pytest.approx(pixels - 0.5, abs=1e-4)
        assert moved[0] + 0.5 == pytest.approx(6 * 20 / (pixels - 1), abs=1e-4)
        assert quirky.inside(still[:1], pixels).item() == pytest.approx(0.5)


def test_padding_covers_the_same_share_of_the_grid_at_every_scale() -> None:
    """Also where the padding is not a whole number of output pixels: x2.5 of 18 pixels in 20."""
    for pixels, extent, count in ((45, 50.0, 50), (36, 40.0, 40), (50, 1000 / 18, 56), (18, 20.0, 20), (1, 20 / 18, 1)):
        released = axis(pixels, 18, corrected=False)
        assert released.extent == pytest.approx(extent)
        assert released.pixels == count
        latent = on_map(released.centres(torch.arange(pixels)), 20)
        wanted = (torch.arange(pixels).double() + 0.5) * 18 / pixels - 0.5
        torch.testing.assert_close(latent, wanted.float(), rtol=0, atol=1e-5)


# ---- tiles ----


@cache
def small_encoded(height: int, width: int, corrected: bool) -> ReleasedFeatures:
    generator = torch.Generator().manual_seed(1000 * height + width)
    with torch.inference_mode():
        model = small_released_model(corrected=corrected)
        return model.encode(torch.rand((1, 2, 3, height, width), generator=generator))


def decoder(corrected: bool, *, side: int = 16, tile_bytes: int = 2**26) -> TiledDecoder:
    profile = ComputeProfile(CPU, tile_side=side, feature_bytes=2**26, tile_bytes=tile_bytes)
    return TiledDecoder(small_released_model(corrected=corrected), profile)


warm_decoder = cache(decoder)


def decode(by: TiledDecoder, features: ReleasedFeatures, query: RegionQuery) -> NDArray[np.uint8]:
    height, width = features.frames.shape[-2:]
    key = PairKey(f"{width}x{height}", 0)
    pixels: NDArray[np.uint8] = by.decode(key, features, query, NEVER).numpy()
    return pixels


def question(phase: Fraction, grid: Grid, rect: Rect | None = None) -> RegionQuery:
    return RegionQuery(Instant(0, phase), grid, rect or grid.rect)


@st.composite
def questions(draw: st.DrawFn) -> tuple[int, int, RegionQuery]:
    height, width = draw(st.integers(1, 13)), draw(st.integers(1, 13))
    grid = Grid(width, height).scaled(draw(st.one_of(st.sampled_from([1.0, 2.0, 4.0]), st.floats(0.3, 9))))
    x, y = draw(st.integers(0, grid.width - 1)), draw(st.integers(0, grid.height - 1))
    rect = Rect(x, y, draw(st.integers(1, grid.width - x)), draw(st.integers(1, grid.height - y)))
    phase = draw(st.one_of(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]), st.fractions(0, 1)))
    return height, width, question(phase, grid, rect)


@settings(max_examples=25)
@given(questions(), st.booleans(), st.sampled_from([16, 24]), st.sampled_from([0, 2**26]))
def test_a_region_equals_the_crop_of_the_whole_picture_to_the_bit(
    asked: tuple[int, int, RegionQuery], corrected: bool, side: int, tile_bytes: int
) -> None:
    height, width, query = asked
    features, rect = small_encoded(height, width, corrected), query.rect
    region = decode(warm_decoder(corrected, side=side, tile_bytes=tile_bytes), features, query)
    whole = decode(decoder(corrected, side=side), features, question(query.instant.phase, query.grid))
    np.testing.assert_array_equal(region, whole[rect.y : rect.bottom, rect.x : rect.right])


@settings(max_examples=15)
@given(questions(), st.booleans(), st.sampled_from([16, 24]))
def test_tiles_equal_whole_frames_within_one_level(
    asked: tuple[int, int, RegionQuery], corrected: bool, side: int
) -> None:
    height, width, query = asked
    features = small_encoded(height, width, corrected)
    with torch.inference_mode():
        time = torch.tensor([float(query.instant.phase)])
        frame = small_released_model(corrected=corrected).render(features, query.grid, [time])[0]
    dense = rgbx_from_tensor(frame[0].permute(1, 2, 0)).numpy().astype(int)
    tiled = decode(decoder(corrected, side=side), features, question(query.instant.phase, query.grid))
    assert np.abs(tiled - dense).max() <= 1


@pytest.mark.parametrize("corrected", [False, True])
def test_the_pictures_of_these_tests_are_not_flat_and_have_motion(corrected: bool) -> None:
    features, grid = small_encoded(9, 11, corrected), Grid(55, 45)
    model = small_released_model(corrected=corrected)
    with torch.inference_mode():
        moment = features.at(grid, torch.full((1, 1, 1, 1), 0.5))
        points = moment.points(grid.rect)
        flow = model.motion(moment, points, model.spatial_feature(moment, points))
    assert float(flow.abs().mean()) > 4
    assert float(flow.std((1, 2)).mean()) > 1
    assert decode(decoder(corrected), features, question(Fraction(1, 2), grid))[..., :3].std() > 10


def test_the_cache_keeps_instants_apart() -> None:
    features, grid, shared = small_encoded(9, 11, False), Grid(55, 45), decoder(False, tile_bytes=0)
    pictures = [decode(shared, features, question(Fraction(k, 4), grid)) for k in (0, 1, 2, 1, 0)]
    np.testing.assert_array_equal(pictures[0], pictures[4])
    np.testing.assert_array_equal(pictures[1], pictures[3])
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() > 0.5
    np.testing.assert_array_equal(pictures[2], decode(decoder(False), features, question(Fraction(2, 4), grid)))


def test_the_bytes_of_a_pair_are_counted() -> None:
    features = small_encoded(9, 11, False)
    latent, enlarged = 12 * 12, 48 * 48
    assert features.nbytes == 4 * (2 * 3 * 9 * 11 + 6 * enlarged + (8 + 8 + 8 + 8) * latent)


# ---- the configuration ----


@pytest.mark.parametrize("corrected", [False, True])
def test_a_configuration_is_the_same_after_its_json_form(corrected: bool) -> None:
    config = ReleasedConfig(corrected=corrected)
    assert config_from_dict(config.to_dict()) == config
    assert config_from_dict(PAPER.to_dict()) == PAPER
    assert build(config).config == config


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "released"},
        {"kind": "released", "corrected": 1, "sizes": PAPER.to_dict()},
        {"kind": "released", "corrected": False, "sizes": LITE.to_dict()},
        {"kind": "released", "corrected": False, "sizes": {"encoder": {"kind": "other"}}},
    ],
)
def test_an_invalid_configuration_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        config_from_dict(data)
