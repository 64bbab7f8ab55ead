"""The motion-prior encoder in bands of rows: the numbers of the whole encoder, whatever the bands and the part."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from videoinr.errors import Cancelled
from videoinr.geometry import Grid, Rect
from videoinr.model.config import LITE, ModelConfig, MotionPriorConfig
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_prior_bands import BandEncoder, BandLimits, EncodedPart
from videoinr.model.encoders.path_bend import CoarseSearch
from videoinr.model.encoders.row_bands import FeatureRows, RollingBlocks, WholeFeatures
from videoinr.model.layers import ResidualBlock

AMPLE = BandLimits(2**28, 2**28)
TIGHT = BandLimits(2**20, 2**17)
AT_ONCE = BandLimits(2**20, 2**24, value=2, whole=True)
assert isinstance(LITE.encoder, MotionPriorConfig)
UNMATCHED = replace(LITE, encoder=replace(LITE.encoder, match_radius=0, flow_limit=0))


@cache
def encoder(config: ModelConfig = LITE) -> MotionPriorEncoder:
    torch.manual_seed(0)
    assert isinstance(config.encoder, MotionPriorConfig)
    made = MotionPriorEncoder(config.encoder).eval().requires_grad_(False)
    for step in made.motion:  # large flows, so that warps leave their band
        step.leave.weight.data.mul_(150)  # type: ignore[union-attr, operator]
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def frames_of(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height * width)
    small = torch.rand((2, 3, height // 6 + 2, width // 6 + 2), generator=generator)
    return nn.functional.interpolate(small, (height, width), mode="bilinear")[None]


@pytest.mark.parametrize("size", [Grid(64, 48), Grid(51, 47), Grid(66, 70)], ids=str)
@pytest.mark.parametrize("limits", [AMPLE, TIGHT, AT_ONCE], ids=["ample", "tight", "at once"])
@pytest.mark.parametrize("config", [UNMATCHED, LITE], ids=["plain", "matched"])
@torch.inference_mode()
def test_bands_give_the_numbers_of_whole_frames(size: Grid, limits: BandLimits, config: ModelConfig) -> None:
    frames, depth = frames_of(size.height, size.width), 6 if size.width > 64 else 4
    feature, prior = encoder(config)(frames, depth)
    assert prior.abs().max() > 4
    bands = BandEncoder(encoder(config), frames, depth, limits)
    coarse = bands.search()
    for rect in (size.rect, Rect(5, 7, 20, 11), Rect(size.width - 17, size.height - 9, 17, 9), Rect(0, 20, 30, 1)):
        part = bands.encode(coarse, rect, torch.float32)
        rows, columns = rect.slices
        assert torch.equal(part.feature.permute(0, 3, 1, 2), feature[:, :, rows, columns]), rect
        assert torch.equal(part.prior.permute(0, 3, 1, 2), prior[:, :, rows, columns]), rect


def test_a_part_is_computed_again_if_the_finest_step_lengthens_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    far = deepcopy(encoder())
    next(iter(far.motion[:1])).leave.bias.data[0] = -60.0  # type: ignore[union-attr, operator]
    frames, rect, tries = frames_of(40, 600), Rect(280, 10, 20, 10), list[int]()
    plain = BandEncoder._encode

    def spy(
        self: BandEncoder, coarse: CoarseSearch, rect: Rect, dtype: torch.dtype, slack: int, *, halo: bool
    ) -> EncodedPart:
        tries.append(slack)
        return plain(self, coarse, rect, dtype, slack, halo=halo)

    monkeypatch.setattr(BandEncoder, "_encode", spy)
    with torch.inference_mode():
        truth, _ = far(frames, 4)
        bands = BandEncoder(far, frames, 4, AMPLE)
        part = bands.encode(bands.search(), rect, torch.float32)
    assert len(tries) > 1
    assert torch.equal(part.feature.permute(0, 3, 1, 2), truth[:, :, 10:20, 280:300])


@pytest.mark.parametrize("width", [300, 41], ids=["any rows", "some rows at least"])
@pytest.mark.parametrize("waiting", [1, 12])
@pytest.mark.parametrize("sizes", [(31,), (1,) * 31, (2, 3, 26), (4, 1, 0, 26), (20, 3, 8), (30, 1), (30, 1, 0)])
@torch.inference_mode()
def test_blocks_take_their_map_in_any_bands(sizes: tuple[int, ...], waiting: int, width: int) -> None:
    torch.manual_seed(1)
    blocks = nn.Sequential(*(ResidualBlock(16) for _ in range(4))).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    whole = torch.rand(1, 16, 31, width).contiguous(memory_format=torch.channels_last)
    rolling, parts = RollingBlocks(list(blocks), waiting), list[Tensor]()
    for number, size in enumerate(sizes):
        top = sum(sizes[:number])
        part = rolling.push(whole[:, :, top : top + size], is_last=number == len(sizes) - 1)
        if part is not None:
            assert part.shape[2]
            parts.append(part.clone())
    assert torch.equal(torch.cat(parts, 2), blocks(whole))


@pytest.mark.parametrize("most_rows", [4, 64])
@torch.inference_mode()
def test_features_are_read_where_the_flow_leads_however_few_rows_are_kept(most_rows: int) -> None:
    torch.manual_seed(2)
    layer = nn.Conv2d(3, 16, 3, padding=1)
    features: Tensor = layer(torch.rand(2, 3, 60, 20))
    computed: list[int] = []

    def compute(top: int, bottom: int) -> Tensor:
        computed.append(bottom - top)
        return features[:, :, top:bottom]

    rows = FeatureRows(compute, Grid(20, 60), (0, 20), group=4, most_rows=most_rows)
    whole = WholeFeatures(features)
    band = Rect(0, 24, 20, 8)
    flow = 100 * torch.rand(1, 2, 8, 20) - 50
    flow[0, 0, 0, 0] = torch.nan
    for frame in range(2):
        assert torch.equal(rows.warped(frame, flow, band), whole.warped(frame, flow, band))
    assert torch.equal(rows.rows(band), whole.rows(band))
    assert max(computed) <= 4


@torch.inference_mode()
def test_the_work_ends_where_the_check_says_so() -> None:
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks > 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        BandEncoder(encoder(), frames_of(96, 96), 4, TIGHT, check).search()
    assert checks == 11


@torch.inference_mode()
def test_the_number_of_products_is_that_of_the_convolutions() -> None:
    done = 0

    def count(layer: nn.Module, arguments: tuple[Tensor, ...], _: Tensor) -> None:
        nonlocal done
        maps = arguments[0]
        assert isinstance(layer, nn.Conv2d)
        pixels = len(maps) * maps.shape[2] * maps.shape[3] // layer.stride[0] ** 2
        done += pixels * layer.weight.numel()

    layers = [layer for layer in encoder().modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    for depth in (4, 5, 6):
        done = 0
        encoder()(frames_of(128, 64), depth)
        assert done == pytest.approx(encoder().products(128, 64, depth), rel=0.01), depth
    for hook in hooks:
        hook.remove()
