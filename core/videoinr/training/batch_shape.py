"""The sizes of a training batch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatchShape:
    """Sizes of a batch: ``batch`` windows, LR patches of side ``patch``, and ``targets`` patches of side ``size``."""

    batch: int
    patch: int
    size: int
    targets: int
    depth: int = 0
    """Levels of the motion search; 0: as the model's config says."""
    outer: bool = False
    """Whether windows have the frames beside their pair too: one window's length before it, and one after it."""
