"""The resizing kernel (interpreted where there is no GPU) matches torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from videoinr.model import kernels
from videoinr.model.kernels import resize as module
from videoinr.model.kernels.resize import resize
from videoinr.model.ops import resize as resize_op

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("shape", "size"),
    [((2, 8, 3, 5), (6, 10)), ((1, 4, 4, 3), (7, 5)), ((1, 3, 1, 1), (2, 1)), ((2, 20, 5, 7), (3, 7))],
    ids=["twice", "odd", "a point", "smaller"],
)
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_it_matches_torchs(shape: tuple[int, ...], size: tuple[int, int], gain: float) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    plain = gain * functional.interpolate(x, size, mode="bilinear", align_corners=False)
    answer = resize(x, size, gain=gain)
    torch.testing.assert_close(answer, plain, rtol=0, atol=1e-6)
    assert answer.is_contiguous(memory_format=torch.channels_last)
    half = resize(x.half(), size, gain=gain)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), plain, rtol=2**-10, atol=2**-9)


def test_inference_in_half_precision_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x, asked = torch.randn(1, 4, 3, 3).to(DEVICE), list[tuple[int, int]]()
    plain = resize_op(x, (6, 6), gain=2)

    def spy(x: torch.Tensor, size: tuple[int, int], *, gain: float) -> torch.Tensor:
        asked.append(size)
        return resize(x, size, gain=gain)

    monkeypatch.setattr(module, "resize", spy)
    monkeypatch.setattr(kernels, "half_inference", lambda _: torch.float16)
    torch.testing.assert_close(resize_op(x, (6, 6), gain=2), plain, rtol=0, atol=1e-6)
    assert asked == [(6, 6)]
