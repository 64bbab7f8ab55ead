"""Triton's interpreter, in which the kernels are tested where there is no GPU."""

from __future__ import annotations

import pytest
import torch

from videoinr.model.kernels import decode


def few_programs(monkeypatch: pytest.MonkeyPatch, *, block_width: int = 16, run: int = 512) -> None:
    """Let each program of the viewer's kernels draw ``run`` pixels: interpreted, it costs the same for many as for few.

    On a GPU nothing changes: there registers limit the pixels of a program.
    """
    if torch.cuda.is_available():
        return
    monkeypatch.setattr(decode, "_BLOCK_WIDTH", block_width)
    for name in ("_FIELD_RUN", "_MOTION_RUN", "_COLOUR_RUN", "_BLEND_RUN"):
        monkeypatch.setattr(decode, name, run)
