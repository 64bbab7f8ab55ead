"""Pictures and flow that stay on the device: the tiled decoder and the CUDA decoder, interpreted without a GPU."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

pytest.importorskip("triton")

from helpers import interpreter
from helpers.clips import numbered_frames
from helpers.tiny_model import save_tiny_model, tiny_video_inr
from videoinr import api
from videoinr.cancel import NEVER
from videoinr.decode.cuda_decoder import CudaDecoder
from videoinr.decode.tiled_decoder import TiledDecoder
from videoinr.devices import ComputeProfile
from videoinr.geometry import Grid, Rect
from videoinr.types import Instant, PairKey, RegionQuery

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PROFILE = ComputeProfile(DEVICE, tile_side=16, feature_bytes=2**24, tile_bytes=2**24)
QUERY = RegionQuery(Instant(0, Fraction(2, 5)), Grid(24, 20), Rect(3, 4, 13, 11))


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter.few_programs(monkeypatch, block_width=64, run=2048)


@pytest.mark.parametrize("decoder", [TiledDecoder, CudaDecoder])
def test_a_picture_on_the_device_has_the_pixels_of_the_one_on_the_cpu(
    decoder: type[TiledDecoder] | type[CudaDecoder],
) -> None:
    model, key = tiny_video_inr().to(DEVICE), PairKey("clip", 0)
    by = decoder(model, PROFILE)
    with torch.inference_mode():
        features = by.compact(model.encode(torch.rand((1, 2, 3, 5, 6), device=DEVICE)))
    there = by.decode(key, features, QUERY, NEVER, to_cpu=False)
    assert there.device.type == DEVICE.type
    here = by.decode(key, features, QUERY, NEVER)
    assert here.device.type == "cpu"
    assert torch.equal(there.cpu(), here)
    other = RegionQuery(Instant(0, Fraction(4, 5)), QUERY.grid, QUERY.rect)
    before = here.clone()
    by.decode(key, features, other, NEVER)
    assert torch.equal(here, before), "a later picture does not change it"
    by.close()


def test_both_decoders_give_the_same_flow() -> None:
    model = tiny_video_inr().to(DEVICE)
    plain, on_cuda = TiledDecoder(model, PROFILE), CudaDecoder(model, PROFILE)
    with torch.inference_mode():
        features = model.encode(torch.rand((1, 2, 3, 5, 6), device=DEVICE))
    expected = plain.flow(features, QUERY.instant, NEVER)
    found = on_cuda.flow(on_cuda.compact(features), QUERY.instant, NEVER)
    assert expected.shape == found.shape == (2, 5, 6, 2)
    # The CUDA decoder keeps the latent maps in half precision.
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_python_gets_tensors_on_the_gpu(tmp_path_factory: pytest.TempPathFactory) -> None:
    frames = torch.stack([torch.from_numpy(frame) for frame in numbered_frames(3)]).cuda()
    model = save_tiny_model(tmp_path_factory.mktemp("gpu"))
    with api.open(frames, model=model, device="cuda") as video:
        picture = video.decode(0.02, as_tensor=True)
        flow = video.encode(0).flow(0.5, as_tensor=True)
        assert picture.is_cuda
        assert flow.is_cuda
        assert torch.equal(picture.cpu(), torch.from_numpy(video.decode(0.02)))
        whole = video.decode(0.05, scale=2).astype(int)
        region = video.decode(0.05, scale=2, region=(10, 20, 50, 30)).astype(int)
        assert abs(region - whole[20:50, 10:60]).max() <= 1
