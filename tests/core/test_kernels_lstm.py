"""The kernel of a ConvLSTM's step (interpreted where there is no GPU) matches the plain formulae."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from videoinr.model.encoders.zooming_slowmo import TwoWayConvLSTM
from videoinr.model.kernels.lstm import advance
from videoinr.model.ops import lstm_step

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layer(channels: int) -> nn.Conv2d:
    torch.manual_seed(channels)
    return nn.Conv2d(2 * channels, 4 * channels, 3, padding=1).to(DEVICE).requires_grad_(False)


def maps(channels: int) -> list[Tensor]:
    return [3 * one for one in torch.randn(3, 2, channels, 5, 7).to(DEVICE)]


def test_it_matches_the_plain_formulae() -> None:
    lstm = TwoWayConvLSTM(8, 2).to(DEVICE).requires_grad_(False)
    entering, hidden, cell = maps(8)
    answers = advance(lstm.gates, entering, hidden, cell, dtype=torch.float32)
    for answer, plain in zip(answers, lstm_step(lstm.gates, entering, hidden, cell), strict=True):
        torch.testing.assert_close(answer, plain, rtol=0, atol=1e-5)
        assert answer.is_contiguous(memory_format=torch.channels_last)


def test_half_precision_errs_by_its_own_rounding_only() -> None:
    states = maps(8)
    exact = advance(layer(8), *states, dtype=torch.float32)
    for answer, plain in zip(advance(layer(8), *states), exact, strict=True):
        assert 0 < (answer.float() - plain).abs().max() < 0.02


def test_saturated_gates_keep_or_clear_the_cell() -> None:
    one, (entering, hidden, cell) = layer(4), maps(4)
    for bias, expected in ((1e30, cell + 1), (-1e30, torch.zeros_like(cell))):
        one.bias.fill_(bias)  # type: ignore[union-attr]
        torch.testing.assert_close(advance(one, entering, hidden, cell, dtype=torch.float32)[1], expected)
