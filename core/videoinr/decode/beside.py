"""The frames beside a pair. Its encoder reads one after the other: both at full size would take as much as the pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class FramesBeside:
    """The frames beside those of a pair, as far as there are any in the same scene.

    Attributes:
        numbers: The numbers of the frame before the first and of the one after the second; None: there is none.
        spans: The time between the frame before and the first over the time between the pair's frames; the same after.
        read: Returns the frame of a number, [1, 3, H, W] on the device, uint8 or float32 in 0 ... 1; None: it cannot be
            read.
    """

    numbers: tuple[int | None, int | None] = (None, None)
    spans: tuple[float, float] = (1.0, 1.0)
    read: Callable[[int], Tensor | None] = lambda number: None


NOTHING_BESIDE = FramesBeside()
