"""A context without garbage collection, for imports of large modules, which are then left out of later collections."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected(*names: str) -> Iterator[None]:
    """Exclude the modules ``names``, which are imported inside, and what they import, from garbage collection.

    They live as long as the program, and scanning them, torch's among them, blocks the window for 30 to 100 ms.
    """
    if not gc.isenabled() or all(name in sys.modules for name in names):
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
