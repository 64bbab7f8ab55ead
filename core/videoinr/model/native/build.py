"""Compiles the C files with the system's compiler, keeps the result for later processes, and loads it."""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from ctypes import c_int32, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import torch

from videoinr.model.code_folder import private_folder
from videoinr.text.plain import printable

SWITCH = "VIDEOINR_NATIVE"
"""An environment variable; 0 means plain torch."""

_FOLDER = Path(__file__).parent
_SOURCES = (_FOLDER / "tile.c", _FOLDER / "warp.c")
_HEADERS = (_FOLDER / "sampling.h",)
PREBUILT = _FOLDER / "native.so"
"""What a frozen program brings along, so that it needs no compiler; an installed one has no such file."""
_FLAGS = ("-O3", "-mavx2", "-mfma", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
_AVX512_FLAGS = ("-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq")
"""More registers, not wider vectors: wider ones were no faster."""
_COMPILERS = ("cc", "gcc", "clang")
_COMPILE_SECS = 60
_CAPABILITIES = ("AVX2", "AVX512")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Made:
    """What came of compiling the C files.

    Attributes:
        library: the code; None where there is none.
        name: the name of its file, which differs for another source or compiler.
        absence: why there is none, in a few words; empty if there is one.
        has_failed: whether it was to be made and could not.
    """

    library: ctypes.CDLL | None = None
    name: str = ""
    absence: str = ""
    has_failed: bool = False


def library() -> ctypes.CDLL | None:
    """Return the compiled code; None where it cannot be made or is switched off."""
    return made().library


def switch_off() -> None:
    """Use plain torch from now on, in this process and in those that it starts."""
    os.environ[SWITCH] = "0"
    made.cache_clear()


@cache
def made() -> Made:
    """Load the C files, compiled now or by an earlier process. The answer holds until :func:`switch_off`."""
    if os.environ.get(SWITCH) == "0":
        return Made(absence="switched off")
    if not _suits_processor():
        return Made(absence="this processor has other instructions")
    try:
        if PREBUILT.exists():
            return Made(_loaded(PREBUILT), PREBUILT.name)
        if (compiler := _compiler()) is None:
            return Made(absence="there is no C compiler")
        file = _compiled(compiler)
        return Made(_loaded(file), file.name)
    except (OSError, subprocess.SubprocessError, AttributeError) as error:
        _log.info("the code in C cannot be used: %s", error)
        return Made(absence=f"compiling it failed: {printable(str(error))}", has_failed=True)


def _suits_processor() -> bool:
    return (
        platform.system() in ("Linux", "Darwin")
        and platform.machine() in ("x86_64", "AMD64")
        and torch.backends.cpu.get_cpu_capability() in _CAPABILITIES
    )


def _compiled(compiler: str) -> Path:
    """Return the compiled file for these sources, flags and this compiler; compile it if there is none yet."""
    source = [file.read_bytes() for file in (*_SOURCES, *_HEADERS)]
    details = Path(compiler).resolve().stat()
    flags = _AVX512_FLAGS if torch.backends.cpu.get_cpu_capability() == "AVX512" else ()
    state = (source, _FLAGS, flags, compiler, details.st_size, details.st_mtime_ns)
    name = sha256(repr(state).encode()).hexdigest()[:20]
    folder = private_folder("native")
    file = folder / f"native-{name}.so"
    if not file.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            made = Path(work) / "native.so"
            compile_to(made, compiler, *flags)
            # Renamed when it is complete: another process never loads half a file.
            made.replace(file)
    return file


def compile_to(file: Path, compiler: str | None = None, *flags: str) -> None:
    """Compile the C files to ``file``, by the system's compiler if none is named, for AVX2 and what ``flags`` name.

    Raises:
        OSError: there is no compiler, or it cannot be started.
        subprocess.SubprocessError: it failed.
    """
    if (chosen := compiler or _compiler()) is None:
        raise FileNotFoundError("there is no C compiler")
    command = [chosen, *_FLAGS, *flags, "-o", str(file), *map(str, _SOURCES), "-lm"]
    subprocess.run(command, check=True, capture_output=True, timeout=_COMPILE_SECS, stdin=subprocess.DEVNULL)


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, _COMPILERS)), None)


def _loaded(file: Path) -> ctypes.CDLL:
    made = ctypes.CDLL(str(file))
    made.videoinr_head.argtypes = (c_void_p, c_void_p, c_int64, c_void_p, c_int32)
    made.videoinr_colour.argtypes = (c_void_p, c_void_p)
    made.videoinr_warp.argtypes = (c_void_p, c_int32, c_int32, c_void_p)
    made.videoinr_enlarge.argtypes = (c_void_p, c_int32, c_int32)
    for function in (made.videoinr_head, made.videoinr_colour, made.videoinr_warp, made.videoinr_enlarge):
        function.restype = None
    return made
