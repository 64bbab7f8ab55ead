"""Loads torch's libraries early, while the window is being built."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import threading
from pathlib import Path

_LIBRARIES = ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch_python.so")


def preload_torch() -> None:
    """Start :func:`load_torch` on a thread of its own and return at once."""
    threading.Thread(target=load_torch, name="videoinr-preload", daemon=True).start()


def load_torch() -> None:
    """Load torch's shared libraries and return when they are loaded. Not on Linux: no-op.

    An import holds the interpreter's lock while the system loads a library, which would block the window for more than
    100 ms. Through ctypes, the system's loader runs without the lock, and the later import finds the libraries loaded.
    """
    spec = importlib.util.find_spec("torch") if sys.platform == "linux" else None
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0]) / "lib"
    loader = ctypes.CDLL(None).dlopen
    loader.argtypes, loader.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in _LIBRARIES:
        # Like torch, only the first library exports its names globally. The import reports whatever fails here.
        scope = os.RTLD_GLOBAL if name == _LIBRARIES[0] else os.RTLD_LOCAL
        if handle := loader(os.fsencode(folder / name), os.RTLD_LAZY | scope):
            _count_cores(ctypes.CDLL(name, handle=handle))


def _count_cores(library: ctypes.CDLL) -> None:
    """Let MKL count the cores, if ``library`` contains it.

    MKL moves its thread to each core once and waits for other work there, up to half a second. It keeps the result, so
    that the import, which asks for it while it holds the interpreter's lock, does not wait.
    """
    if (count := getattr(library, "MKL_Get_Max_Threads", None)) is not None:
        count()
