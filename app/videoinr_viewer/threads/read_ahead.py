"""Reads shared libraries into the system's cache before they are imported.

An import holds Python's lock while the system loads a library. Where that has to come from the disk, the window stands
still as long. Reading a file takes no lock.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

CHUNK_BYTES = 256 * 1024
SUFFIXES = (".so", ".pyd", ".dll", ".dylib")


def read_ahead(libraries: Mapping[str, tuple[str, ...]]) -> int:
    """Read the libraries in the folders of packages; what is missing or cannot be read is left to the import.

    Args:
        libraries: for each package patterns of files in its folder, such as ``Qt/lib/*Qt6Svg.*``.

    Returns:
        How many bytes were read.
    """
    return sum(_read(path) for path in files_of(libraries))


def files_of(libraries: Mapping[str, tuple[str, ...]]) -> Iterator[Path]:
    """Yield the shared libraries that match; no package is imported."""
    for package, patterns in libraries.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for pattern in patterns:
                yield from (path for path in Path(folder).glob(pattern) if set(SUFFIXES) & set(path.suffixes))


def _read(path: Path) -> int:
    read = 0
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                read += len(chunk)
    except OSError:
        pass
    return read
