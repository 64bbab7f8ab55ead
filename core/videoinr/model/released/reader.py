"""Reads the tensors of a .pth file from an unknown source, without running anything in it.

Such a file is a pickle, which can run any code of its author's when it is loaded. So its size and its outer form are
checked (outer_form.py), and then torch's restricted reader loads it, which accepts tensors and plain containers only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videoinr.errors import ModelError
from videoinr.model.released.outer_form import FETCH_AGAIN, ZIP_MAGIC, check_outer_form
from videoinr.text.plain import printable

KNOWN_BLOB = "bb2b4d0a3c2fe32d3bc51137eed4d53093f5ef7b"
"""``git hash-object`` of the VideoINR checkpoint that its authors published (latest_G.pth)."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the state dict in ``path``: its tensors by name, on the CPU.

    Raises:
        ModelError: There is no such file, or it is too large, cut short or damaged, or holds anything but tensors.
    """
    check_outer_form(path)
    state = _restricted_load(path)
    if not isinstance(state, Mapping) or not state or not all(isinstance(name, str) for name in state):
        raise ModelError(f"{path} holds no named weights.", hint=FETCH_AGAIN)
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point() or tensor.layout != torch.strided:
            raise ModelError(
                f"{path} holds something other than weights: {printable(name)!r} is {_kind(tensor)}.",
                hint="Expected: a state dict, as the authors published it, not the whole state of a training.",
            )
    return dict(state)


def git_blob_hash(path: Path) -> str:
    """Return the hash of ``path`` that ``git hash-object`` computes."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _restricted_load(path: Path) -> Any:
    with path.open("rb") as file:
        # PyTorch before 1.6 wrote plain pickles, which cannot be mapped; the released files may be such.
        mapped = file.read(4) == ZIP_MAGIC
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # A malicious file may raise anything.
        reason = printable((str(error).strip() or type(error).__name__).splitlines()[0])
        raise ModelError(
            f"{path} cannot be read as weights: it is damaged, or holds more than weights ({reason}).",
            hint=f"Nothing in it was run. {FETCH_AGAIN}",
        ) from error


def _kind(value: object) -> str:
    return f"a tensor of {value.dtype}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
