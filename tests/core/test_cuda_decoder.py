"""CudaDecoder: what it caches, evaluates again, and leaves to the tiled decoder. Interpreted where there is no GPU."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip("triton")

from helpers import interpreter
from helpers.cancelling import CancelledAtCheck
from helpers.tiny_model import tiny_video_inr
from helpers.tiny_paper import tiny_paper_model
from videoinr.cancel import NEVER, CancelToken
from videoinr.decode import cuda_decoder, field_cache
from videoinr.decode.cuda_decoder import CudaDecoder, reach
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.errors import Cancelled, DeviceError
from videoinr.geometry import Grid, Rect
from videoinr.model.encoders.motion_prior_bands import EncodedPart
from videoinr.model.features import PairFeatures
from videoinr.model.kernels import decode as kernels
from videoinr.model.latent import LatentPair
from videoinr.model.projected_regions import ProjectedRegions
from videoinr.model.video_inr import VideoINR
from videoinr.types import Instant, PairKey, RegionQuery

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
AMPLE = 64 * 2**20
BYTES_PER_PX = 16 * 2
GRID = Grid(40, 32)
RECT = Rect(13, 10, 13, 11)
PHASES = (Fraction(0), Fraction(1))
PAPER_KEY, PAPER_QUERY = PairKey("clip", 0), RegionQuery(Instant(0, Fraction(2, 5)), Grid(32, 32), Rect(13, 12, 7, 6))


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One program a picture: borders between programs are tested in test_kernels_decode."""
    interpreter.few_programs(monkeypatch, block_width=64, run=2048)


@cache
def tiny() -> VideoINR:
    model = tiny_video_inr()
    model.temporal_head.last.weight.mul_(4)
    return model.to(DEVICE)


@cache
def encoded(seed: int = 0) -> PairFeatures:
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return tiny().encode(torch.rand((1, 2, 3, 5, 6), generator=generator).to(DEVICE))


def profile(tile_bytes: int = AMPLE) -> ComputeProfile:
    return ComputeProfile(DEVICE, tile_side=16, feature_bytes=AMPLE, tile_bytes=tile_bytes)


def query(rect: Rect = RECT, phase: Fraction = Fraction(2, 5), grid: Grid = GRID) -> RegionQuery:
    return RegionQuery(Instant(0, phase), grid, rect)


def decode(
    by: CudaDecoder | TiledDecoder, query: RegionQuery, seed: int = 0, token: CancelToken = NEVER
) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = by.decode(PairKey("clip", seed), encoded(seed), query, token).numpy()
    return pixels


@cache
def expected(query: RegionQuery, seed: int = 0) -> NDArray[np.int_]:
    return decode(TiledDecoder(tiny(), profile()), query, seed).astype(int)


def assert_right(pixels: NDArray[np.uint8], query: RegionQuery, seed: int = 0) -> None:
    assert np.abs(pixels - expected(query, seed)).max() <= 1


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[Rect]:
    """The boxes that F_s is evaluated for, in order."""
    boxes, plain = list[Rect](), kernels.evaluate_field

    def spy(weights: Any, features: PairFeatures, grid: Grid, box: Rect) -> Any:
        boxes.append(box)
        return plain(weights, features, grid, box)

    monkeypatch.setattr(cuda_decoder, "evaluate_field", spy)
    return boxes


@pytest.mark.parametrize("rect", [GRID.rect, RECT, Rect(0, 0, 1, 1), Rect(33, 25, 7, 7)], ids=str)
@pytest.mark.no_cover
@pytest.mark.parametrize("phase", PHASES)
def test_it_decodes_what_the_region_decoder_decodes(rect: Rect, phase: Fraction) -> None:
    asked = query(rect, phase)
    pixels = decode(CudaDecoder(tiny(), profile()), asked)
    assert pixels.shape == (rect.height, rect.width, 4)
    assert pixels.flags.c_contiguous
    assert (pixels[..., 3] == 255).all()
    assert_right(pixels, asked)


def test_compact_features_take_less_memory_and_decode_to_the_same_picture() -> None:
    features, by = encoded(), CudaDecoder(tiny(), profile())
    kept = by.compact(features)
    assert isinstance(kept, PairFeatures)
    maps = features.temporal.nbytes + features.colour_first.nbytes + features.colour_second.nbytes
    assert kept.nbytes == features.nbytes - maps // 2
    pixels = by.decode(PairKey("clip", 0), kept, query(), NEVER).numpy()
    assert_right(pixels, query())


@cache
def latent(seed: int = 0) -> LatentPair:
    """The pair of :func:`encoded`, kept as its latent feature in half precision."""
    frames = encoded(seed).frames
    with torch.inference_mode():
        feature, prior = tiny().latent(frames)
        assert prior is not None
        size = Grid(frames.shape[-1], frames.shape[-2])
        maps = feature.permute(0, 2, 3, 1).half(), prior.permute(0, 2, 3, 1).contiguous()
    return LatentPair(frames, EncodedPart(size.rect, *maps), None, tiny(), ProjectedRegions(AMPLE))


# Under coverage the interpreter takes more than twice as long; the views below, which are measured, run the same lines.
@pytest.mark.no_cover
@pytest.mark.parametrize("rect", [GRID.rect, RECT, Rect(33, 25, 7, 7)], ids=str)
@pytest.mark.parametrize("tile_bytes", [AMPLE, 400 * BYTES_PER_PX], ids=["ample", "in bands"])
def test_a_latent_pair_is_decoded_like_its_projected_maps(rect: Rect, tile_bytes: int) -> None:
    by = CudaDecoder(tiny(), profile(tile_bytes))
    assert by.compact(latent()) is latent()
    for phase in PHASES:
        asked = query(rect, phase)
        assert_right(by.decode(PairKey("clip", 0), latent(), asked, NEVER).numpy(), asked)


def test_views_of_a_latent_pair_read_projections_of_what_they_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Rect] = []
    plain = LatentPair.kernel_maps

    def spy(pair: LatentPair, rect: Rect) -> PairFeatures:
        asked.append(rect)
        return plain(pair, rect)

    monkeypatch.setattr(LatentPair, "kernel_maps", spy)
    by, wide = CudaDecoder(tiny(), profile()), Grid(240, 160)
    for rect in (Rect(0, 0, 10, 10), Rect(2, 2, 6, 6), Rect(220, 150, 10, 10)):
        by.decode(PairKey("clip", 0), latent(), RegionQuery(Instant(0, Fraction(1, 3)), wide, rect), NEVER)
    assert 2 <= len(asked) <= 4
    assert asked[0].x == asked[0].y == 0
    assert (asked[-1].right, asked[-1].bottom) == (6, 5)


def test_the_tiled_decoder_takes_compact_features_too() -> None:
    by = CudaDecoder(tiny(), profile(tile_bytes=100 * BYTES_PER_PX))
    pixels = by.decode(PairKey("clip", 0), by.compact(encoded()), query(), NEVER).numpy()
    assert by._plain is not None
    assert_right(pixels, query())
    by.close()


@pytest.mark.no_cover
def test_a_picture_is_not_overwritten_by_the_next() -> None:
    by = CudaDecoder(tiny(), profile())
    first = decode(by, query(phase=Fraction(0)))
    kept = first.copy()
    decode(by, query(phase=Fraction(1)))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.no_cover
def test_the_field_is_evaluated_once_for_a_viewport(evaluated: list[Rect]) -> None:
    by = CudaDecoder(tiny(), profile())
    for phase in (Fraction(2, 5), Fraction(1, 5), Fraction(2, 5)):
        assert_right(decode(by, query(GRID.rect, phase)), query(GRID.rect, phase))
    inside = query(RECT, Fraction(1, 2))
    assert_right(decode(by, inside), inside)
    assert evaluated == [GRID.rect]
    decode(by, query(), seed=1)
    assert len(evaluated) > 1


def test_only_a_part_of_the_picture_waits_for_what_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, make = list[Rect](), kernels.Canvas.make

    def watched(grid: Grid, rect: Rect, **options: Any) -> kernels.Canvas:
        canvas = make(grid, rect, **options)
        plain = canvas.shortfall.tolist

        def tolist() -> Any:
            waits.append(rect)
            return plain()

        monkeypatch.setattr(canvas.shortfall, "tolist", tolist, raising=False)
        return canvas

    monkeypatch.setattr(kernels.Canvas, "make", watched)
    by = CudaDecoder(tiny(), profile())
    assert_right(decode(by, query(GRID.rect)), query(GRID.rect))
    assert waits == []
    by = CudaDecoder(tiny(), profile())
    assert_right(decode(by, query()), query())
    assert set(waits) == {RECT}


def test_a_flow_that_leaves_the_box_enlarges_the_field(evaluated: list[Rect], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_decoder, "reach", lambda _features, _grid, rect: rect)
    by = CudaDecoder(tiny(), profile())
    assert_right(decode(by, query()), query())
    assert len(evaluated) == 2
    assert evaluated[0] == RECT
    assert evaluated[1].contains(RECT)
    assert evaluated[1].area > RECT.area
    assert by._fields.held_bytes == evaluated[1].area * BYTES_PER_PX  # the first field was dropped


@torch.inference_mode()
def test_the_prior_predicts_the_box_that_the_flow_reaches() -> None:
    features, grid, rect = encoded(), Grid(48, 40), Rect(16, 16, 8, 8)
    still = replace(features, prior=torch.zeros_like(features.prior))
    # A latent pixel is 8 pixels of the grid; the margin for the flow beyond the prior is a latent pixel and a pixel.
    assert reach(still, grid, rect) == Rect(7, 7, 26, 26)
    drifting = replace(still, prior=torch.tensor([0.5, 0, -0.25, 0], device=DEVICE).expand(1, 5, 6, 4))
    assert reach(drifting, grid, rect) == Rect(3, 7, 38, 26)
    assert reach(drifting, grid, grid.rect) == grid.rect
    assert reach(replace(still, prior=1e30 + still.prior), grid, rect) == Rect(7, 7, 41, 33)
    assert reach(replace(still, prior=still.prior[..., :0]), grid, rect) == Rect(7, 7, 26, 26)


def test_pictures_are_drawn_in_bands_where_memory_is_small(evaluated: list[Rect]) -> None:
    most_px = GRID.rect.area * 3 // 4
    by = CudaDecoder(tiny(), profile(tile_bytes=most_px * BYTES_PER_PX))
    for phase in PHASES:
        assert_right(decode(by, query(GRID.rect, phase)), query(GRID.rect, phase))
    assert len({(box.y, box.bottom) for box in evaluated}) > 1
    assert max(box.area for box in evaluated) <= most_px
    assert by._fields.held_bytes <= most_px * BYTES_PER_PX
    assert by._plain is None


def test_a_flow_too_long_for_the_memory_is_left_to_the_tiled_decoder() -> None:
    by = CudaDecoder(tiny(), profile(tile_bytes=100 * BYTES_PER_PX))
    np.testing.assert_array_equal(decode(by, query()), expected(query()))
    assert by._plain is not None
    by.close()


@pytest.mark.parametrize("variant", ["paper-f", "paper-m", "paper-s"])
def test_other_models_are_left_to_the_tiled_decoder(variant: str) -> None:
    model, features = paper_scene(variant)
    by = CudaDecoder(model, profile())
    assert by.compact(features) is features
    pixels = by.decode(PAPER_KEY, features, PAPER_QUERY, NEVER)
    assert torch.equal(pixels, TiledDecoder(model, profile()).decode(PAPER_KEY, features, PAPER_QUERY, NEVER))
    by.close()


def test_the_papers_model_is_drawn_though_it_has_no_prior(evaluated: list[Rect]) -> None:
    model, features = paper_scene("paper")
    by = CudaDecoder(model, profile())
    pixels = by.decode(PAPER_KEY, by.compact(features), PAPER_QUERY, NEVER)
    plain = TiledDecoder(model, profile()).decode(PAPER_KEY, features, PAPER_QUERY, NEVER)
    assert (pixels.int() - plain.int()).abs().max() <= 1
    assert by._plain is None
    assert len(evaluated) == 2
    assert evaluated[0] == reach(features, PAPER_QUERY.grid, PAPER_QUERY.rect)


def paper_scene(variant: str) -> tuple[VideoINR, PairFeatures]:
    model = tiny_paper_model(variant).to(DEVICE)
    with torch.inference_mode():
        return model, model.encode(torch.rand(1, 2, 3, 8, 8, device=DEVICE))


@pytest.mark.parametrize("checks", [1, 2, 3])
def test_after_a_cancelled_decode_the_next_picture_is_right(checks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_decoder, "reach", lambda _features, _grid, rect: rect)
    by = CudaDecoder(tiny(), profile())
    with pytest.raises(Cancelled):
        decode(by, query(), token=CancelledAtCheck(checks))
    assert_right(decode(by, query()), query())


class Recordings:
    """Records launches like a CUDA graph, and counts recordings and replays."""

    def __init__(self) -> None:
        self.made, self.replayed = 0, 0

    def __call__(self, launch: Callable[[], None]) -> Callable[[], None]:
        self.made += 1
        # Like a CUDA graph, a recording keeps nothing alive that it uses.
        cells = dict(zip(launch.__code__.co_freevars, launch.__closure__ or (), strict=True))
        parts = [weakref.ref(cells[name].cell_contents) for name in ("weights", "features", "field", "canvas")]
        band = cells["band"].cell_contents

        def replay() -> None:
            self.replayed += 1
            used: list[Any] = [*(part() for part in parts), band]
            kernels.draw(*used)

        return replay


def test_a_viewport_drawn_twice_is_recorded_and_replayed_with_each_time() -> None:
    recordings = Recordings()
    by = CudaDecoder(tiny(), profile(), record=recordings)
    for step in range(4):
        asked = query(GRID.rect, Fraction(step, 4))
        assert_right(decode(by, asked), asked)
    assert (recordings.made, recordings.replayed) == (1, 3)
    for seed, rect in ((0, RECT), (1, RECT), (1, GRID.rect), (0, GRID.rect)):
        assert_right(decode(by, query(rect), seed), query(rect), seed)
    assert (recordings.made, recordings.replayed) == (1, 3)


def test_a_launch_that_cannot_be_recorded_is_launched_every_time() -> None:
    tried = []
    by = CudaDecoder(tiny(), profile(), record=lambda launch: tried.append(launch))
    for step in range(4):
        asked = query(GRID.rect, Fraction(step, 4))
        assert_right(decode(by, asked), asked)
    assert len(tried) == 1


@pytest.mark.no_cover
def test_features_are_freed_with_the_callers_reference() -> None:
    by = CudaDecoder(tiny(), profile(), record=Recordings())
    with torch.inference_mode():
        features = tiny().encode(torch.rand(1, 2, 3, 5, 6, device=DEVICE))
    alive = weakref.ref(features)
    for _ in range(3):
        by.decode(PairKey("clip", 7), features, query(), NEVER)
    del features
    gc.collect()
    assert alive() is None


@pytest.mark.no_cover
def test_fields_of_earlier_grids_are_dropped_to_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_cache, "IDLE_BYTES", 3 * GRID.rect.area * BYTES_PER_PX)
    by = CudaDecoder(tiny(), profile())
    for step in range(5):
        grid = Grid(GRID.width - step, GRID.height)
        decode(by, query(grid.rect, grid=grid))
        assert by._fields.held_bytes <= 3 * GRID.rect.area * BYTES_PER_PX
    assert by._fields.held_bytes > GRID.rect.area * BYTES_PER_PX


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make fields larger than the list's one number, in pixels, fail for lack of memory."""
    plain, most = kernels.evaluate_field, [GRID.rect.area * 4 // 5]

    def evaluate(weights: Any, features: PairFeatures, grid: Grid, box: Rect) -> Any:
        if box.area > most[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(weights, features, grid, box)

    monkeypatch.setattr(cuda_decoder, "evaluate_field", evaluate)
    monkeypatch.setattr(cuda_decoder, "_LEAST_PX", 64)
    return most


def test_out_of_memory_costs_other_pairs_and_then_leads_to_smaller_bands(scarce: list[int]) -> None:
    pairs = [7, 8]
    by = CudaDecoder(tiny(), profile(GRID.rect.area * 3 // 2 * BYTES_PER_PX), spare=lambda: bool(pairs and pairs.pop()))
    assert_right(decode(by, query(GRID.rect)), query(GRID.rect))
    assert (by._plain, pairs) == (None, [])


def test_no_memory_at_all_is_an_error_with_a_hint(scarce: list[int]) -> None:
    scarce[0] = 0
    with pytest.raises(DeviceError, match="does not suffice") as caught:
        decode(CudaDecoder(tiny(), profile(256 * BYTES_PER_PX)), query(Rect(0, 0, 1, 1), grid=Grid(12, 10)))
    assert "--device cpu" in caught.value.hint


def test_other_errors_propagate(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(cuda_decoder, "evaluate_field", fail)
    with pytest.raises(RuntimeError, match="something else"):
        decode(CudaDecoder(tiny(), profile()), query())
