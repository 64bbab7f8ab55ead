"""Write and read checkpoints. A checkpoint file is replaced as a whole, so a kill cannot damage it.

The file is PyTorch's archive and, behind it, a line with the archive's SHA-256: a changed byte is found when the file
is read. torch.load reads such a file as well. Files of older versions end without the line; their archive's own CRCs
are checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from videoinr.errors import InputError, UsageError
from videoinr.text.plain import printable
from videoinr.text.schemas import Line, Strict, validated
from videoinr.training.recipe import Recipe
from videoinr.training.run_folder import CHECKPOINT
from videoinr.training.trainer import Trainer
from videoinr.writing.whole_files import new_file

_LABEL = b"\nvideoinr sha256 "
_SEAL_BYTES = len(_LABEL) + 64 + 1
_END_OF_ARCHIVE, _END_BYTES = b"PK\x05\x06", 22
_MAX_BYTES = 16 << 30


class _State(Strict):
    """What :meth:`Trainer.state` returns; tensors are checked against the model when it is restored."""

    recipe: Annotated[str, Field(max_length=1 << 20)]
    step: Annotated[int, Field(ge=0, le=10**12)]
    rate_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    initial: Line = ""
    data: Sequence[Line] = ()
    stills: Sequence[Line] = ()
    model: dict[str, Any]
    ema_model: dict[str, Any] | None = None
    mean_model: dict[str, Any] | None = None
    adam: dict[str, Any] | None = None


def save_checkpoint(trainer: Trainer, out: Path, *, with_optimiser: bool = True) -> Path:
    """Write ``out/checkpoint.pt``.

    Args:
        trainer: The run to save.
        out: An existing folder.
        with_optimiser: Whether Adam's moments are saved. Without them the file is a third as large, and a resumed run
            differs from an unbroken one.

    Returns:
        The file's path.
    """
    path = out / CHECKPOINT
    with new_file(path, replace=True) as file:
        torch.save(trainer.state(with_optimiser=with_optimiser), file)  # type: ignore[arg-type]
        size = file.seek(0, os.SEEK_END)
        file.write(_LABEL + _sha256(file.path, size) + b"\n")
    return path


def read_checkpoint(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Read a checkpoint.

    Args:
        path: The file.
        recipe: The recipe to resume with.

    Returns:
        The state for :class:`~videoinr.training.trainer.Trainer`, on the CPU.

    Raises:
        InputError: The file is not a checkpoint, or a byte of it was changed.
        UsageError: It belongs to another model configuration.
    """
    try:
        _check_bytes(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        config = _checked_config(state)
    except Exception as error:  # A damaged file may raise anything.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{path} is not a checkpoint that can be resumed: {printable(lines[0]).removesuffix('.')}.",
            hint="Start the run again in another folder.",
        ) from error
    if config != recipe.config:
        raise UsageError(
            f"{path} was trained as {config!r}, not as {recipe.config!r}.",
            hint="Name the recipe that the checkpoint was made with, or another folder.",
        )
    return state


def _check_bytes(path: Path) -> None:
    if not path.is_file():
        # Opening a pipe would block until another program writes into it.
        raise ValueError("there is no such file")
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES >> 30} GiB")
    with path.open("rb") as file:
        file.seek(max(0, size - _SEAL_BYTES))
        tail = file.read()
    if tail[-_END_BYTES:].startswith(_END_OF_ARCHIVE):
        _check_old_archive(path)
    elif not tail.startswith(_LABEL) or tail[len(_LABEL) :] != _sha256(path, size - _SEAL_BYTES) + b"\n":
        raise ValueError("its checksum is wrong, so the file is damaged")


def _check_old_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"its part {damaged} is damaged")


def _sha256(path: Path, size: int) -> bytes:
    """Return the SHA-256 of the first ``size`` bytes, in hexadecimal."""
    digest, left = hashlib.sha256(), size
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, 1 << 22))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest().encode()


def _checked_config(state: Any) -> str:
    """Check the values of a state. Return the name of the model configuration it was trained as."""
    validated(_State, state)
    for name in ("model", "ema_model", "mean_model"):
        if not all(isinstance(tensor, Tensor) for tensor in (state.get(name) or {}).values()):
            raise ValueError(f"its {name} holds something else than weights")
    config = json.loads(state["recipe"])["config"]
    if not isinstance(config, str):
        raise ValueError("it names no model configuration")
    return config
