"""Brings torch's libraries into memory early, while the window is being made."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import threading
from pathlib import Path

_LIBRARIES = ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch_python.so")


def preload_torch() -> None:
    """Start loading torch's shared libraries on a thread of their own; returns at once. Elsewhere than on Linux: no-op.

    An import holds the interpreter's lock while the system loads a library, and the window would stand still for more
    than 100 ms. Called through ctypes, the system's loader runs without the lock; the import then finds all in place.
    """
    spec = importlib.util.find_spec("torch") if sys.platform == "linux" else None
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "lib"
        threading.Thread(target=_load, args=(folder,), name="videoinr-preload", daemon=True).start()


def _load(folder: Path) -> None:
    loader = ctypes.CDLL(None).dlopen
    loader.argtypes, loader.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in _LIBRARIES:
        # As torch does it: only the first one's names are for everybody. What fails here, the import will explain.
        scope = os.RTLD_GLOBAL if name == _LIBRARIES[0] else os.RTLD_LOCAL
        loader(os.fsencode(folder / name), os.RTLD_LAZY | scope)
