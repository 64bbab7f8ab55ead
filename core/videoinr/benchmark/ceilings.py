"""Measure this machine's peak rates: matrix products, memory copies and sines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from videoinr.benchmark.clock import secs
from videoinr.benchmark.costs import Cost

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Peak rates per second, each the best of a few short attempts.

    ``product_flops``: float32 matrix products, two operations for each multiply-accumulate. ``half_product_flops``: the
    same in bfloat16, None if not measured. ``copied_bytes``: bytes read or written in main memory. ``sines``: float32
    sines by torch of values in the cache; fused kernels may be faster.
    """

    product_flops: float
    half_product_flops: float | None
    copied_bytes: float
    sines: float

    def floor_secs(self, cost: Cost, *, half: bool) -> float:
        """Return the least time for ``cost``: that of its arithmetic or its memory traffic, whichever is longer.

        ``half``: whether products may run in half precision. Products and sines add up, as they share the processor.
        """
        flops = self.half_product_flops if half and self.half_product_flops else self.product_flops
        arithmetic = 2 * cost.work.macs / flops + cost.work.sines / self.sines
        return max(arithmetic, cost.moved_bytes / self.copied_bytes)


@torch.inference_mode()
def measure_ceilings(device: torch.device, *, half: bool) -> Ceilings:
    """Measure ``device`` in about a second. ``half``: measure bfloat16 products, too."""
    gpu = device.type != "cpu"
    side, numbers = (8192, 2**28) if gpu else (2000, 2**26)
    return Ceilings(
        product_flops=_product_flops(device, side, torch.float32),
        half_product_flops=_product_flops(device, side, torch.bfloat16) if half else None,
        copied_bytes=_copied_bytes(device, numbers),
        sines=_sines(device, 2**22 if gpu else 4096 * 48),
    )


def _product_flops(device: torch.device, side: int, dtype: torch.dtype) -> float:
    left, right = (torch.rand((side, side), device=device).to(dtype) for _ in range(2))
    return 2 * float(side) ** 3 / _best_secs(lambda: left @ right)


def _copied_bytes(device: torch.device, numbers: int) -> float:
    source = torch.ones(numbers, device=device)
    target = torch.empty_like(source)
    return (source.nbytes + target.nbytes) / _best_secs(lambda: target.copy_(source))


def _sines(device: torch.device, numbers: int, *, passes: int = 32) -> float:
    angles = 30 * torch.rand(numbers, device=device)
    out = torch.empty_like(angles)

    def work() -> None:
        for _ in range(passes):
            torch.sin(angles, out=out)

    return passes * numbers / _best_secs(work)


def _best_secs(work: Callable[[], object]) -> float:
    return min(secs(work) for _ in range(_ATTEMPTS))
