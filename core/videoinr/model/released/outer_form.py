"""The outer form of a released .pth file: its size, and whether it is an archive or a pickle of PyTorch's. No torch."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from videoinr.errors import ModelError

MAX_FILE_BYTES = 2**30
"""The released files have 45 MB; with the state of an optimiser a file would have a few times as much."""
_MAX_PICKLE_BYTES = 2**24
ZIP_MAGIC, _PICKLE_MAGIC = b"PK\x03\x04", b"\x80"
FETCH_AGAIN = "Fetch the file again from where its authors published it."


def check_outer_form(path: Path) -> None:
    """Check what can be checked of a file before it is loaded.

    Raises:
        ModelError: There is no such file, it is too large, cut short or damaged, or PyTorch did not write it.
    """
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
        raise ModelError(f"{path} has {size / 1e6:.0f} MB, more than any released file.", hint=FETCH_AGAIN)
    if magic == ZIP_MAGIC:
        _check_zip(path, size)
    elif not magic.startswith(_PICKLE_MAGIC):
        raise ModelError(f"{path} is not a PyTorch file.", hint=FETCH_AGAIN)


def _check_zip(path: Path, size: int) -> None:
    """Check an archive: PyTorch compresses nothing, so entries larger than the file are not PyTorch's."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive.infolist(), path, size)
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is cut short or damaged: {error}.", hint=FETCH_AGAIN) from error
    if damaged is not None:
        raise ModelError(f"{path} is damaged: the checksum of {damaged} is wrong.", hint=FETCH_AGAIN)


def _check_entries(entries: list[zipfile.ZipInfo], path: Path, size: int) -> None:
    pickles = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE_BYTES:
        raise ModelError(f"{path} is an archive, but PyTorch did not write it.", hint=FETCH_AGAIN)
    if not stored or sum(entry.file_size for entry in entries) > size:
        raise ModelError(f"{path} is compressed, as no file that PyTorch writes is.", hint=FETCH_AGAIN)
