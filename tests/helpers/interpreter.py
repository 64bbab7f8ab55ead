"""Settings for Triton's interpreter, which runs the kernels in tests where there is no GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from videoinr.model.kernels import decode, gather, sample, siren


def few_programs(monkeypatch: pytest.MonkeyPatch, *, block_width: int = 16, run: int = 512) -> None:
    """Make each program of the viewer's kernels draw ``run`` pixels; interpreted, many take as long as few.

    Does nothing on a GPU, where registers limit the pixels of a program.
    """
    if torch.cuda.is_available():
        return
    monkeypatch.setattr(decode, "_BLOCK_WIDTH", block_width)
    for name, plan in list(vars(decode).items()):
        if isinstance(plan, decode.Plan):
            monkeypatch.setattr(decode, name, replace(plan, run=run))


def few_training_programs(monkeypatch: pytest.MonkeyPatch, *, run: int = 128) -> None:
    """Make each program of the training kernels take ``run`` pixels, as many as the blend's; nothing on a GPU."""
    if torch.cuda.is_available():
        return
    for module, name in ((gather, "_RUN"), (sample, "_RUN"), (siren, "_FORWARD_RUN"), (siren, "_BACKWARD_RUN")):
        monkeypatch.setattr(module, name, run)
