"""The paper's encoder: its layers, any size, and both directions of the ConvLSTM in one batch."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.released_reference import zooming_slowmo_shapes
from helpers.tiny_paper import TINY_PAPER, wake_offsets
from videoinr.errors import ModelError
from videoinr.model.config import PAPER, ModelConfig, ZoomingSlowMoConfig
from videoinr.model.encoders.zooming_slowmo import Alignment, Pyramid, TwoWayConvLSTM, ZoomingSlowMoEncoder

UNUSED_PARAMETERS = 334_083
"""Of the layers in the released file that its network never calls: 11,312,698 in all, 10,978,615 of them live."""
HEADS_PARAMETERS = 50_176 + 38_724 + 121_027


@cache
def encoder() -> ZoomingSlowMoEncoder:
    torch.manual_seed(0)
    assert isinstance(TINY_PAPER.encoder, ZoomingSlowMoConfig)
    made = ZoomingSlowMoEncoder(TINY_PAPER.encoder)
    wake_offsets(made)
    return made.eval().requires_grad_(False)


@cache
def papers_own() -> ZoomingSlowMoEncoder:
    assert isinstance(PAPER.encoder, ZoomingSlowMoConfig)
    with torch.device("meta"):
        return ZoomingSlowMoEncoder(PAPER.encoder)


def test_it_has_as_many_parameters_as_the_released_encoder() -> None:
    count = sum(parameter.numel() for parameter in papers_own().parameters())
    assert count == 10_768_688
    assert count + HEADS_PARAMETERS == 10_978_615
    assert count + HEADS_PARAMETERS + UNUSED_PARAMETERS == 11_312_698


def test_its_layers_have_the_released_shapes() -> None:
    never_called = ("upconv", "HRconv", "conv_last")
    released = {name: shape for name, shape in zooming_slowmo_shapes().items() if not name.startswith(never_called)}
    ours = [tuple(parameter.shape) for parameter in papers_own().parameters()]
    assert Counter(ours) == Counter(released.values())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (3, 1), (5, 7), (16, 16), (17, 33)])
@pytest.mark.parametrize("batch", [1, 3])
def test_any_size_is_accepted(height: int, width: int, batch: int) -> None:
    feature = encoder()(torch.rand(batch, 2, 3, height, width))
    assert feature.shape == (batch, TINY_PAPER.encoder.feature_channels, height, width)
    assert feature.isfinite().all()


def test_odd_sizes_are_padded_with_their_borders_and_cropped() -> None:
    frames = torch.rand(1, 2, 3, 9, 14)
    extended = F.pad(frames[0], (0, 2, 0, 3), mode="replicate")[None]
    torch.testing.assert_close(encoder()(frames), encoder()(extended)[..., :9, :14])


def test_pairs_of_a_batch_do_not_affect_each_other() -> None:
    frames = torch.rand(3, 2, 3, 9, 7)
    together = encoder()(frames)
    for k in range(3):
        torch.testing.assert_close(together[k : k + 1], encoder()(frames[k : k + 1]), atol=1e-4, rtol=1e-3)


def test_the_output_depends_on_both_frames_and_their_order() -> None:
    frames = torch.rand(1, 2, 3, 8, 8)
    as_is = encoder()(frames)
    for changed in (frames.flip(1), frames[:, [0, 0]], frames[:, [1, 1]]):
        assert not torch.allclose(as_is, encoder()(changed), atol=1e-3)


def aligned(alignment: Alignment, moving: list[Tensor], reference: list[Tensor]) -> Tensor:
    """Align one map with another, level by level: a second implementation."""

    def leaky(x: Tensor) -> Tensor:
        return torch.maximum(x, 0.1 * x)

    def larger(x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        return F.interpolate(x, size=(2 * height, 2 * width), mode="bilinear")

    level = alignment.coarse
    guide = leaky(level.refine(leaky(level.compare(torch.cat((moving[2], reference[2]), 1)))))
    found = leaky(level.deform(moving[2], guide))
    for number, finer in ((1, alignment.middle), (0, alignment.fine)):
        compared = leaky(finer.compare(torch.cat((moving[number], reference[number]), 1)))
        guide = leaky(finer.refine(leaky(finer.join_guides(torch.cat((compared, larger(guide) * 2), 1)))))
        found = finer.join_maps(torch.cat((finer.deform(moving[number], guide), larger(found)), 1))
        if number:
            found = leaky(found)
    return found


def test_each_map_of_a_pair_is_aligned_with_the_other_from_coarse_to_fine() -> None:
    pair = encoder().interpolate
    first, second = ([torch.randn(2, 4, 16 >> k, 12 >> k) for k in range(3)] for _ in range(2))
    both = torch.cat((aligned(pair.first, first, second), aligned(pair.second, second, first)), 1)
    torch.testing.assert_close(pair(first, second), pair.fuse(both), atol=1e-5, rtol=1e-4)


def one_way(lstm: TwoWayConvLSTM, maps: list[Tensor]) -> list[Tensor]:
    """Run the ConvLSTM over ``maps`` in one direction: a second implementation."""
    hidden = cell = torch.zeros_like(maps[0])
    outputs = []
    for entering in maps:
        hidden = lstm.align_hidden(lstm.align_hidden.pyramid(entering), hidden)
        cell = lstm.align_cell(lstm.align_cell.pyramid(entering), cell)
        gates = lstm.gates(torch.cat((entering, hidden), 1))
        enter, keep, leave = (torch.sigmoid(gates[:, 4 * k : 4 * k + 4]) for k in range(3))
        cell = keep * cell + enter * torch.tanh(gates[:, 12:])
        hidden = leave * torch.tanh(cell)
        outputs.append(hidden)
    return outputs


def test_both_directions_in_one_batch_equal_one_after_the_other() -> None:
    lstm, maps = encoder().recurrence, list(torch.randn(3, 2, 4, 8, 12))
    forwards, backwards = one_way(lstm, maps), one_way(lstm, maps[::-1])[::-1]
    expected = [lstm.merge(torch.cat(both, 1)) for both in zip(forwards, backwards, strict=True)]
    torch.testing.assert_close(lstm(maps), expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(forwards[1], backwards[1], atol=1e-3)


def test_a_pyramid_halves_twice() -> None:
    levels = Pyramid(4)(torch.rand(1, 4, 12, 8))
    assert [tuple(level.shape[2:]) for level in levels] == [(12, 8), (6, 4), (3, 2)]


def test_the_first_frame_comes_first_mid_time_second_and_the_second_frame_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tested without the ConvLSTM, which mixes them."""
    whole, frames = encoder(), torch.rand(1, 2, 3, 8, 8)
    monkeypatch.setattr(TwoWayConvLSTM, "forward", lambda _self, sequence: sequence)
    alone = [whole.front(F.leaky_relu(whole.first(frames[:, k]), 0.1)) for k in (0, 1)]
    middle = whole.interpolate(whole.pyramid(alone[0]), whole.pyramid(alone[1]))
    expected = torch.cat([whole.back(x) for x in (alone[0], middle, alone[1])], 1)
    torch.testing.assert_close(whole(frames), expected, atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(1)
    assert isinstance(TINY_PAPER.encoder, ZoomingSlowMoConfig)
    fresh = ZoomingSlowMoEncoder(TINY_PAPER.encoder)
    wake_offsets(fresh)
    fresh(torch.rand(2, 2, 3, 9, 10)).square().mean().backward()
    for name, parameter in fresh.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_channels_that_are_not_a_multiple_of_the_groups_are_refused() -> None:
    data = TINY_PAPER.to_dict()
    data["encoder"]["channels"] = 5
    with pytest.raises(ModelError, match="multiple of its groups"):
        ModelConfig.from_dict(data)
