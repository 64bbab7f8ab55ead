"""Names of unfinished outputs, and places for outputs whose own place is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

_MAX_NAME_BYTES = 255
_TAIL = re.compile(r"\.(\d+)-[0-9a-f]{8}\.part")


def unique_partial(target: Path) -> Path:
    """Return a new name for ``target`` while it is being written: NAME.PROCESS-RANDOM.part, in the same folder."""
    tail = f".{os.getpid()}-{os.urandom(4).hex()}.part"
    return target.with_name(_base(target) + tail)


def partials_of(target: Path) -> Iterator[tuple[Path, int]]:
    """Yield the unfinished outputs that stand for ``target``, each with the number of the process that began it."""
    base = _base(target)
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(base) and (match := _TAIL.fullmatch(entry.name, len(base))):
                yield Path(entry.path), int(match[1])


def _base(target: Path) -> str:
    # The longest tail: a process has at most 10 digits.
    room = _MAX_NAME_BYTES - len(".4294967295-00000000.part")
    return target.name if len(os.fsencode(target.name)) <= room else target.name.encode()[:room].decode(errors="ignore")


def free_name(path: Path) -> Path:
    """Return ``path``, or the first of NAME-2, NAME-3 ... (before the ending) that does not exist."""
    names = (path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not os.path.lexists(name))
