"""The bend of the paths: the cubic through four frames, what it is computed from, and that it starts with none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from videoinr.errors import ModelError
from videoinr.model.card_schema import Sizes
from videoinr.model.config import CONFIGS, TINY, ModelConfig, MotionPriorConfig
from videoinr.model.encoders import path_bend
from videoinr.model.encoders.motion_prior import MotionPriorEncoder
from videoinr.model.encoders.motion_step import MotionStep
from videoinr.model.encoders.path_bend import CoarseSearch, Neighbour, Outer, PathBend, halved, with_bend
from videoinr.model.video_inr import VideoINR

assert isinstance(TINY.encoder, MotionPriorConfig)
BENT = replace(TINY, encoder=replace(TINY.encoder, levels=3, bend_channels=8))
SIZE = (20, 28)


def made(*, trained: bool = True) -> VideoINR:
    torch.manual_seed(5)
    model = VideoINR(BENT).eval().requires_grad_(requires_grad=False)
    if trained:
        encoder = encoder_of(model)
        torch.nn.init.normal_(network_of(model).leave.weight, std=0.3)
        for step in encoder.motion:
            assert isinstance(step, MotionStep)
            torch.nn.init.normal_(step.leave.weight, std=0.1)
    return model


def encoder_of(model: VideoINR) -> MotionPriorEncoder:
    assert isinstance(model.encoder, MotionPriorEncoder)
    return model.encoder


def network_of(model: VideoINR) -> PathBend:
    network = encoder_of(model).bend
    assert network is not None
    return network


def images(count: int, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.rand((1, count, 3, *size), generator=torch.Generator().manual_seed(1))


def believing(share_mean: float, share_turn: float) -> PathBend:
    """A network that believes these shares of c1 and c2 everywhere."""
    assert isinstance(BENT.encoder, MotionPriorConfig)
    bend = PathBend(BENT.encoder)
    assert bend.leave.bias is not None
    bend.leave.bias.data[:] = torch.tensor([share_mean, 0.0, share_turn, 0.0, 0.0])
    return bend.requires_grad_(requires_grad=False)


def moved(start: tuple[float, float], end: tuple[float, float], shrunk: int = 4) -> Tensor:
    """The mid-time flows of a pair, on maps ``shrunk`` times smaller than the frames.

    Everything moves straight from ``start`` to ``end`` (full-size pixels).
    """
    x, y = ((b - a) / 2 / shrunk for a, b in zip(start, end, strict=True))
    size = [side // shrunk for side in SIZE]
    return torch.tensor([-x, -y, x, y]).view(1, 4, 1, 1).expand(1, 4, *size).contiguous()


def test_four_positions_give_their_second_differences() -> None:
    at = {-1: (0.0, 2.0), 0: (1.0, 1.0), 1: (3.0, 0.5), 2: (4.5, 1.5)}
    frame = torch.full((1, 3, *SIZE), 0.5)
    inner = CoarseSearch(moved(at[0], at[1], 2), torch.zeros(1, 4, 10, 14))
    before, after = Neighbour(halved(frame), moved(at[-1], at[0])), Neighbour(halved(frame), moved(at[1], at[2]))
    bend = believing(1, 1)(torch.stack((frame, frame), 1), inner, before, after)
    left = [at[1][k] - 2 * at[0][k] + at[-1][k] for k in (0, 1)]
    right = [at[2][k] - 2 * at[1][k] + at[0][k] for k in (0, 1)]
    expected = [(a + b) / 2 for a, b in zip(left, right, strict=True)] + [
        b - a for a, b in zip(left, right, strict=True)
    ]
    assert bend[0, :, 5, 7].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("span", [0.5, 2.0])
def test_a_neighbour_of_another_length_tells_the_same_acceleration(span: float) -> None:
    def position(t: float) -> tuple[float, float]:
        return 2 * t + 0.4 * t * t, -t + 0.2 * t * t

    frame = torch.full((1, 3, *SIZE), 0.5)
    inner = CoarseSearch(moved(position(0), position(1), 2), torch.zeros(1, 4, 10, 14))
    pair, network = torch.stack((frame, frame), 1), believing(1, 1)
    before = Neighbour(halved(frame), moved(position(-span), position(0)), span)
    after = Neighbour(halved(frame), moved(position(1), position(1 + span)), span)
    for sides in ((before, None), (None, after), (before, after)):
        bend = network(pair, inner, *sides)
        assert bend[0, :2, 5, 7].tolist() == pytest.approx([0.8, 0.4], abs=1e-5)


def test_a_neighbour_that_is_not_valid_is_none() -> None:
    model, frames = made(), images(4)
    pair = frames[:, 1:3].contiguous()
    masked = Outer(frames[:, 0], frames[:, 3], torch.tensor([[1.0, 0.0]]))
    without = Outer(frames[:, 0], None)
    with torch.inference_mode():
        one, other = model.encode(pair, outer=masked), model.encode(pair, outer=without)
    assert one.prior.shape[-1] == 8
    assert one.prior[..., 4:].abs().max() > 1e-3
    torch.testing.assert_close(one.prior, other.prior, atol=1e-5, rtol=0)


def test_paths_are_straight_without_neighbours_and_without_the_network() -> None:
    model, frames = made(), images(4)
    pair, outer = frames[:, 1:3].contiguous(), Outer(frames[:, 0], frames[:, 3])
    with torch.inference_mode():
        plain = model.encode(pair)
        assert torch.equal(model.encode(pair, outer=Outer()).prior, plain.prior)
        bent = model.encode(pair, outer=outer)
        assert VideoINR(TINY).encode(pair, outer=outer).prior.shape[-1] == 4
    for name, one in plain.tensors().items():
        assert torch.equal(one, bent.tensors()[name][..., : one.shape[-1]]), name


def test_nothing_bends_before_training() -> None:
    frames = images(4)
    with torch.inference_mode():
        bent = made(trained=False).encode(frames[:, 1:3].contiguous(), outer=Outer(frames[:, 0], frames[:, 3]))
    assert not bent.prior[..., 4:].any()


@pytest.mark.parametrize("size", [(20, 28), (21, 27), (3, 5)])
def test_a_search_that_was_made_before_gives_the_same_bits(size: tuple[int, int]) -> None:
    model, pair = made(), images(2, size)
    with torch.inference_mode():
        outline = encoder_of(model).outline(pair)
        coarse, alone = encoder_of(model).search(pair, outline=outline), encoder_of(model).search(pair)
        once, again = encoder_of(model)(pair), encoder_of(model)(pair, coarse=coarse)
    assert coarse.flow.shape[-2:] == (-(-size[0] // 2), -(-size[1] // 2))
    assert torch.equal(coarse.flow, alone.flow)
    assert torch.equal(coarse.hidden, alone.hidden)
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


def test_every_weight_of_the_network_learns() -> None:
    model, frames = made(), images(4)
    model.requires_grad_(requires_grad=True)
    features = model.encode(frames[:, 1:3].contiguous(), outer=Outer(frames[:, 0], frames[:, 3]))
    features.prior[..., 4:].square().sum().backward()  # type: ignore[no-untyped-call]
    for name, weight in network_of(model).named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name
    step = encoder_of(model).motion[1]
    assert isinstance(step, MotionStep)
    assert step.leave.weight.grad is not None
    assert not step.leave.weight.grad.any()  # The searches are not judged by the bend.


def test_the_bend_has_the_size_of_the_prior() -> None:
    prior, bend = torch.rand(1, 4, 7, 9), torch.full((1, 4, 4, 5), 2.0)
    both = with_bend(prior, bend)
    assert both.shape == (1, 8, 7, 9)
    assert torch.equal(both[:, :4], prior)
    torch.testing.assert_close(both[:, 4:], torch.full((1, 4, 7, 9), 2.0))
    assert with_bend(prior, None) is prior


def test_a_card_names_the_width_only_where_there_is_one() -> None:
    assert {name for name, config in CONFIGS.items() if "bend_channels" in config.to_dict()["encoder"]} == {
        "lite-bent", "base-bent"
    }  # fmt: skip
    data = BENT.to_dict()
    assert data["encoder"]["bend_channels"] == 8
    assert ModelConfig.from_dict(data) == BENT
    Sizes.model_validate(json.loads(json.dumps(data)))


@pytest.mark.parametrize("change", [{"bend_channels": -1}, {"bend_channels": True}, {"bend_channels": 8, "levels": 1}])
def test_a_width_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    data = BENT.to_dict()
    data["encoder"] |= change
    with pytest.raises(ModelError):
        ModelConfig.from_dict(data)


def test_large_maps_are_computed_in_bands_that_reach_far_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    network, frames = network_of(made()), images(4, (80, 12))
    inner = CoarseSearch(torch.randn((1, 4, 40, 6)), torch.randn((1, 4, 40, 6)))
    before, after = (
        Neighbour(halved(frames[:, side]), 2 * torch.randn((1, 4, 20, 3)), span) for side, span in ((0, 1), (3, 2))
    )
    plain, rows = network._layers, list[int]()

    def layers(about: Tensor, hidden: Tensor) -> Tensor:
        rows.append(about.shape[-2])
        return plain(about, hidden)

    monkeypatch.setattr(network, "_layers", layers)
    with torch.inference_mode():
        whole = network(frames[:, 1:3], inner, before, after)
        assert rows == [40]
        monkeypatch.setattr(path_bend, "WHOLE_PX", 6 * 39)
        monkeypatch.setattr(path_bend, "BAND_PX", 6 * 9)
        bands = network(frames[:, 1:3], inner, before, after)
    assert whole.abs().max() > 0.1
    assert torch.allclose(bands, whole, atol=1e-5)
    assert rows[1:] == [21, 30, 33, 25, 16], "rows of a band, and twelve on each side of it"
