"""A ConvLSTM's step from its gates to its new state, in one pass over channels-last maps; for inference only.

Precision: states have the type that is asked for, everything between the gates' convolution and the states is float32.
Asked for float32, which only tests do, states match the plain formulae (with TF32 off) to 1e-5.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from videoinr.model.kernels.bare import bare
from videoinr.model.kernels.convolve import convolve_or_torch
from videoinr.model.kernels.reading import sigmoid

_RUN = 1024
"""Elements of the state that a program computes."""


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _tanh(x):  # type: ignore[no-untyped-def]
    return 2 * sigmoid(2 * x) - 1


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _advance_kernel(  # type: ignore[no-untyped-def]
    gates, bias, cell, hidden, new_cell, count, channels: tl.constexpr, run: tl.constexpr
):
    value = tl.program_id(0) * run + tl.arange(0, run)
    inside = value < count
    channel = value % channels
    gate = gates + (value // channels) * (4 * channels) + channel
    enter, keep, leave, candidate = (
        tl.load(gate, mask=inside, other=0.0).to(tl.float32) + tl.load(bias + channel),
        tl.load(gate + channels, mask=inside, other=0.0).to(tl.float32) + tl.load(bias + channels + channel),
        tl.load(gate + 2 * channels, mask=inside, other=0.0).to(tl.float32) + tl.load(bias + 2 * channels + channel),
        tl.load(gate + 3 * channels, mask=inside, other=0.0).to(tl.float32) + tl.load(bias + 3 * channels + channel),
    )
    state = sigmoid(keep) * tl.load(cell + value, mask=inside, other=0.0).to(tl.float32)
    state += sigmoid(enter) * _tanh(candidate)
    tl.store(new_cell + value, state.to(new_cell.dtype.element_ty), mask=inside)
    tl.store(hidden + value, (sigmoid(leave) * _tanh(state)).to(hidden.dtype.element_ty), mask=inside)


def advance(
    layer: nn.Conv2d, entering: Tensor, hidden: Tensor, cell: Tensor, *, dtype: torch.dtype = torch.float16
) -> tuple[Tensor, Tensor]:
    """Advance a ConvLSTM by one step.

    Args:
        layer: The 3x3 convolution of ``entering`` and ``hidden`` (2C channels) to the gates before their activations
            (4C): input gate, forget gate, output gate, candidate.
        entering: The step's input [B, C, H, W].
        hidden: The hidden state before the step [B, C, H, W].
        cell: The cell state before the step [B, C, H, W].
        dtype: The type that inputs and weights are converted to.

    Returns:
        The new hidden state and the new cell state, each [B, C, H, W] of ``dtype``, channels last.
    """
    known = bare(layer, dtype)
    gates = convolve_or_torch(known.conv, entering, hidden, dtype=dtype).contiguous(memory_format=torch.channels_last)
    cell = cell.to(dtype).contiguous(memory_format=torch.channels_last)
    new_hidden, new_cell = torch.empty_like(cell), torch.empty_like(cell)
    _advance_kernel[(triton.cdiv(cell.numel(), _RUN),)](
        gates, known.bias, cell, new_hidden, new_cell, cell.numel(), channels=cell.shape[1], run=_RUN
    )
    return new_hidden, new_cell
