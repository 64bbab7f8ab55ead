"""Compiles CUDA C++ by NVRTC, keeps the result for later processes, and launches it.

NVRTC and its binding, cuda-bindings, come with torch's builds for CUDA on Linux; importing this module fails without.
"""

from __future__ import annotations

import ctypes
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from cuda import bindings
from cuda.bindings import driver, nvrtc

from videoinr.model.code_folder import private_folder

_OPTIONS = ("--std=c++17", "--device-as-default-execution-space")


class CudaFunction:
    """A function of compiled CUDA C++ on a device, with one argument: a structure."""

    def __init__(self, code: bytes, name: str, device: torch.device, *, threads: int, shared_bytes: int) -> None:
        """Load the code.

        Args:
            code: What :func:`compiled` returned.
            name: The function's name in the source, where it is ``extern "C"``.
            device: The device that it will run on.
            threads: Threads of a block.
            shared_bytes: Shared memory of a block that is allocated at the launch.

        Raises:
            RuntimeError: the driver refuses it.
        """
        self._device, self._threads, self._shared_bytes = device, threads, shared_bytes
        limit = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        with torch.cuda.device(device):
            self._module = _checked(driver.cuModuleLoadData(code))
            self._function = _checked(driver.cuModuleGetFunction(self._module, name.encode()))
            _checked(driver.cuFuncSetAttribute(self._function, limit, shared_bytes))
            count = driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(self._function, threads, shared_bytes)
        self.resident: int = _checked(count)
        """Blocks that a multiprocessor runs at a time."""

    def launch(self, blocks: int, argument: bytes) -> None:
        """Launch the function on the device's current stream.

        Args:
            blocks: The number of blocks.
            argument: The structure's bytes, with the padding that C++ gives it.

        Raises:
            RuntimeError: the driver refuses it.
        """
        # The driver copies the argument before it returns.
        held = ctypes.create_string_buffer(argument, len(argument))
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(held))
        stream = torch.cuda.current_stream(self._device).cuda_stream
        _checked(
            driver.cuLaunchKernel(
                self._function, blocks, 1, 1, self._threads, 1, 1, self._shared_bytes, stream,
                ctypes.addressof(pointers), 0,
            )
        )  # fmt: skip


def compiled(source: str, capability: tuple[int, int], *, anew: bool = False) -> bytes:
    """Return ``source`` compiled, now or by an earlier process.

    Args:
        source: CUDA C++ without includes.
        capability: The compute capability of the device.
        anew: Compile it now, because what an earlier process left cannot be loaded.

    Raises:
        RuntimeError: NVRTC refuses it.
    """
    options = (f"--gpu-architecture=sm_{capability[0]}{capability[1]}", *_OPTIONS)
    name = sha256(repr((source, options, _version())).encode()).hexdigest()[:20]
    folder = private_folder("cuda")
    file = folder / f"{name}.cubin"
    if not anew:
        with suppress(OSError):
            return file.read_bytes()
    code = _compiled_now(source, options)
    # Where nothing can be kept, the next process compiles again.
    with suppress(OSError), tempfile.TemporaryDirectory(dir=folder) as work:
        made = Path(work) / "made"
        made.write_bytes(code)
        # Renamed when it is complete: another process never reads half a file.
        made.replace(file)
    return code


def _compiled_now(source: str, options: tuple[str, ...]) -> bytes:
    program = _checked(nvrtc.nvrtcCreateProgram(source.encode(), b"videoinr.cu", 0, [], []))
    try:
        given = [option.encode() for option in options]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(given), given)
        if int(status):
            log = b" " * _checked(nvrtc.nvrtcGetProgramLogSize(program))
            _checked(nvrtc.nvrtcGetProgramLog(program, log))
            raise RuntimeError(log.decode(errors="replace"))
        code: bytes = b" " * _checked(nvrtc.nvrtcGetCUBINSize(program))
        _checked(nvrtc.nvrtcGetCUBIN(program, code))
        return code
    finally:
        nvrtc.nvrtcDestroyProgram(program)


def _version() -> tuple[str, ...]:
    """Return what determines NVRTC's version, without loading it: code that is kept needs it no more."""
    return str(torch.version.cuda), str(getattr(bindings, "__version__", ""))


def _checked(answer: tuple[Any, ...]) -> Any:
    """Return what a call of CUDA returned beside its status; raise RuntimeError if the status is an error."""
    status, *values = answer
    if int(status):
        raise RuntimeError(f"CUDA: {status}")
    return values[0] if len(values) == 1 else values
