"""SIREN heads: sines at omega 30, and a first layer that can be applied to one input at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from videoinr.model.siren import OMEGA, SirenHead, SplitLinear

WIDTHS = (5, 2, 1)


def test_omega_is_sirens() -> None:
    assert OMEGA == 30


def test_the_terms_of_all_inputs_and_the_bias_sum_to_the_layers_output() -> None:
    torch.manual_seed(0)
    layer = SplitLinear(WIDTHS, 7)
    inputs = [torch.randn(2, 3, width) for width in WIDTHS]
    shares = sum((layer.project(k, x) for k, x in enumerate(inputs)), layer.bias)
    torch.testing.assert_close(shares, layer(torch.cat(inputs, -1)))


def test_a_head_equals_its_definition() -> None:
    torch.manual_seed(1)
    head = SirenHead(WIDTHS, (6, 4, 5), 3).double()
    inputs = [torch.randn(4, width, dtype=torch.float64) for width in WIDTHS]
    out = head(sum((head.first.project(k, x) for k, x in enumerate(inputs)), torch.zeros(())))
    x = np.concatenate([each.numpy() for each in inputs], axis=1)
    state = {name: tensor.numpy() for name, tensor in head.state_dict().items()}
    for name in ("first", "hidden.0", "hidden.1"):
        x = np.sin(30 * (x @ state[f"{name}.weight"].T + state[f"{name}.bias"]))
    expected = x @ state["last.weight"].T + state["last.bias"]
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_the_weights_start_as_siren_prescribes(gain: float) -> None:
    torch.manual_seed(2)
    head = SirenHead((20, 30), (64, 48), 400, last_gain=gain)
    hidden = head.hidden[0]
    assert isinstance(hidden, torch.nn.Linear)
    for weight, bound in (
        (head.first.weight, 1 / 50),
        (hidden.weight, math.sqrt(6 / 64) / 30),
        (head.last.weight, gain * math.sqrt(6 / 48) / 30),
    ):
        assert 0.98 * bound < weight.detach().abs().max().item() <= bound + 1e-8
    assert not head.first.bias.any()
    assert head.last.bias.any() == (gain == 1)


def test_a_head_can_have_one_hidden_layer() -> None:
    head = SirenHead((3,), (4,), 2)
    assert head(torch.zeros(5, 4)).shape == (5, 2)
    assert len(head.hidden) == 0
