"""The kernel that chooses among neighbours' flows (interpreted where there is no GPU) matches the plain code."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

pytest.importorskip("triton")

from videoinr.model.kernels.propagate import propagate
from videoinr.model.ops import propagated
from videoinr.model.propagation import ERROR_WINDOW, NEIGHBOUR_MARGIN

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def chosen(first: Tensor, second: Tensor, flow: Tensor, distances: tuple[int, ...]) -> Tensor:
    return propagate(first, second, flow, distances, window=ERROR_WINDOW, margin=NEIGHBOUR_MARGIN)


# Under coverage the interpreter takes more than twice as long; the least case runs the same lines.
@pytest.mark.parametrize(
    ("batch", "channels", "height", "width", "distances"),
    [
        pytest.param(1, 6, 7, 9, (2, 6), marks=pytest.mark.no_cover),
        (2, 24, 3, 5, (1,)),
        pytest.param(1, 3, 1, 3, (2, 5, 300), marks=pytest.mark.no_cover),
    ],
)
def test_the_kernel_takes_the_flows_that_the_plain_code_takes(
    batch: int, channels: int, height: int, width: int, distances: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    first, second = torch.rand(2, batch, channels, height, width, device=DEVICE)
    flow = 4 * torch.randn(batch, 4, height, width, device=DEVICE)
    with torch.enable_grad():  # The plain code, on a GPU too.
        plain = propagated(first, second, flow, distances)
    assert torch.equal(chosen(first, second, flow, distances), plain)


@pytest.mark.no_cover
def test_equal_errors_keep_the_own_flow() -> None:
    flow = torch.randn(1, 4, 4, 10, device=DEVICE)
    first, second = torch.ones(1, 3, 4, 10, device=DEVICE), torch.zeros(1, 3, 4, 10, device=DEVICE)
    assert torch.equal(chosen(first, second, flow, (1, 4)), flow)


@pytest.mark.no_cover
def test_features_in_half_precision_are_compared_in_float32() -> None:
    torch.manual_seed(1)
    first = torch.rand(1, 8, 8, 10, device=DEVICE).half()
    second, flow = first.roll(2, -1), torch.zeros(1, 4, 8, 10, device=DEVICE)
    flow[:, 2] = 2
    flow[:, :, 3:5, 4:6] = -3.0
    taken = chosen(first, second, flow, (4,))
    assert taken.dtype == torch.float32
    assert (taken[:, 2, 3:5, 4:6] == 2).all()


@pytest.mark.skipif(DEVICE.type != "cuda", reason="needs a GPU")
def test_inference_on_a_gpu_uses_the_kernel() -> None:
    first, second = torch.rand(2, 1, 24, 20, 30, device=DEVICE)
    flow = 3 * torch.randn(1, 4, 20, 30, device=DEVICE)
    with torch.inference_mode():
        assert torch.equal(propagated(first, second, flow, (4, 12)), chosen(first, second, flow, (4, 12)))
