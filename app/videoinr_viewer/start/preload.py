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
    """Start :func:`load_torch` on a thread of its own; returns at once."""
    threading.Thread(target=load_torch, name="videoinr-preload", daemon=True).start()


def load_torch() -> None:
    """Load torch's shared libraries; returns when they are there. Elsewhere than on Linux: no-op.

    An import holds the interpreter's lock while the system loads a library, and the window would stand still for more
    than 100 ms. Called through ctypes, the system's loader runs without the lock; the import then finds all in place.
    """
    spec = importlib.util.find_spec("torch") if sys.platform == "linux" else None
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0]) / "lib"
    loader = ctypes.CDLL(None).dlopen
    loader.argtypes, loader.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in _LIBRARIES:
        # As torch does it: only the first one's names are for everybody. What fails here, the import will explain.
        scope = os.RTLD_GLOBAL if name == _LIBRARIES[0] else os.RTLD_LOCAL
        if handle := loader(os.fsencode(folder / name), os.RTLD_LAZY | scope):
            _count_cores(ctypes.CDLL(name, handle=handle))


def _count_cores(library: ctypes.CDLL) -> None:
    """Let MKL, if it is in ``library``, count the cores.

    It moves its thread to each core once, and waits there for whatever else is busy on it: half a second at times. It
    remembers the answer, so the import, which asks for it with the interpreter's lock in its hand, need not wait.
    """
    if (count := getattr(library, "MKL_Get_Max_Threads", None)) is not None:
        count()
