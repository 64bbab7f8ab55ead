"""Reads the tensors of a .pth file from an unknown source, without running anything in it.

Such a file is a pickle, which can run any code of its author's when it is loaded. So its size and its outer form are
checked, and then torch's restricted reader loads it, which accepts tensors and plain containers only.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videoinr.errors import ModelError
from videoinr.text.plain import printable

KNOWN_BLOB = "bb2b4d0a3c2fe32d3bc51137eed4d53093f5ef7b"
"""``git hash-object`` of the VideoINR checkpoint that its authors published (latest_G.pth)."""
MAX_FILE_BYTES = 2**30
"""The released files have 45 MB; with the state of an optimiser a file would have a few times as much."""
_MAX_PICKLE_BYTES = 2**24
_ZIP_MAGIC, _PICKLE_MAGIC = b"PK\x03\x04", b"\x80"
_HINT = "Fetch the file again from where its authors published it."


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the state dict in ``path``: its tensors by name, on the CPU.

    Raises:
        ModelError: There is no such file, or it is too large, cut short or damaged, or holds anything but tensors.
    """
    _check_outside(path)
    state = _restricted_load(path)
    if not isinstance(state, Mapping) or not state or not all(isinstance(name, str) for name in state):
        raise ModelError(f"{path} holds no named weights.", hint=_HINT)
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


def _check_outside(path: Path) -> None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # Opening a pipe would block until another program writes into it.
            raise ModelError(f"{path} is not a file.", hint="Give the path of the .pth file.")
        size = status.st_size
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.", hint="Check its path.") from error
    if size > MAX_FILE_BYTES:
        raise ModelError(f"{path} has {size / 1e6:.0f} MB, more than any released file.", hint=_HINT)
    if magic == _ZIP_MAGIC:
        _check_zip(path, size)
    elif not magic.startswith(_PICKLE_MAGIC):
        raise ModelError(f"{path} is not a PyTorch file.", hint=_HINT)


def _check_zip(path: Path, size: int) -> None:
    """Check an archive: PyTorch compresses nothing, so entries larger than the file are not PyTorch's."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive.infolist(), path, size)
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is cut short or damaged: {error}.", hint=_HINT) from error
    if damaged is not None:
        raise ModelError(f"{path} is damaged: the checksum of {damaged} is wrong.", hint=_HINT)


def _check_entries(entries: list[zipfile.ZipInfo], path: Path, size: int) -> None:
    pickles = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE_BYTES:
        raise ModelError(f"{path} is an archive, but PyTorch did not write it.", hint=_HINT)
    if not stored or sum(entry.file_size for entry in entries) > size:
        raise ModelError(f"{path} is compressed, as no file that PyTorch writes is.", hint=_HINT)


def _restricted_load(path: Path) -> Any:
    with path.open("rb") as file:
        # PyTorch before 1.6 wrote plain pickles, which cannot be mapped; the released files may be such.
        mapped = file.read(4) == _ZIP_MAGIC
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # A malicious file may raise anything.
        reason = printable((str(error).strip() or type(error).__name__).splitlines()[0])
        raise ModelError(
            f"{path} cannot be read as weights: it is damaged, or holds more than weights ({reason}).",
            hint=f"Nothing in it was run. {_HINT}",
        ) from error


def _kind(value: object) -> str:
    return f"a tensor of {value.dtype}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
