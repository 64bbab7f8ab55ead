"""Records launches that repeat as CUDA graphs, and replays them. Needs no compiler of kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from videoinr.errors import is_out_of_memory

Made = TypeVar("Made")
Replay = Callable[[], None]
Recorder = Callable[[Callable[[], None]], Replay | None]
"""Takes a function that launches kernels; returns one that does the same faster, or None where that is impossible."""

MOST_RECORDED_PX = 2**21
"""The work on a larger picture takes longer than its launches, and a recording keeps 50 to 100 bytes for each pixel."""


_ELSEWHERE = -1
"""Stands for the address of arguments that do not all lie at the same one."""


class Repeated:
    """Calls functions of one tensor whose launches take longer than their work; what is called again is replayed.

    One thread may use it. A recording keeps all memory that the function takes.
    """

    def __init__(self, record: Recorder | None) -> None:
        """Record by ``record``; None: never, where launches are quick."""
        self._record = record
        self._kind: tuple[object, ...] = ()
        self._place = 0
        self._recording: _Repetition[Any] | None = None

    def __call__(self, job: object, compute: Callable[[Tensor], Made], given: Tensor) -> Made:
        """Return ``compute(given)``, which the next call for this job may overwrite.

        Args:
            job: what distinguishes ``compute`` from the functions of other calls.
            compute: the function. It makes the same launches for all tensors of one shape, layout and type.
            given: its argument. A buffer that the caller fills again for each call is read where it is; others are
                copied to a buffer first.
        """
        kind = (job, given.shape, given.stride(), given.dtype, given.device)
        if kind != self._kind or self._record is None:
            self._kind, self._place, self._recording = kind, given.data_ptr(), None
            return compute(given)
        if self._place not in (_ELSEWHERE, given.data_ptr()):
            self._place, self._recording = _ELSEWHERE, None
        try:
            if self._recording is None:
                is_elsewhere = self._place == _ELSEWHERE
                self._recording = _Repetition(compute, given.clone() if is_elsewhere else given, self._record)
            made: Made = self._recording(given)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            error.with_traceback(None)  # Its stack frames still refer to tensors.
        else:
            return made
        self.forget()
        return compute(given)

    def forget(self) -> None:
        """Free the recording."""
        self._kind, self._recording = (), None


class _Repetition(Generic[Made]):
    """A buffer for an argument, the caller's or one of its own, and the value that a replay computes from it."""

    def __init__(self, compute: Callable[[Tensor], Made], given: Tensor, record: Recorder) -> None:
        self._compute, self._given = compute, given
        self._made: list[Made] = []
        self._replay = record(self._launch)

    def __call__(self, given: Tensor) -> Made:
        if self._replay is None:  # It could not be recorded.
            return self._compute(given)
        if given.data_ptr() != self._given.data_ptr():
            self._given.copy_(given)
        self._replay()
        return self._made[0]

    def _launch(self) -> None:
        self._made[:] = [self._compute(self._given)]


def cuda_graph(launch: Callable[[], None]) -> Replay | None:
    """Record ``launch``, which must have run before, as a CUDA graph; return None where that is impossible."""
    if not torch.cuda.is_available():
        return None
    # Not torch.cuda.graph(): that empties the allocator's cache and waits for the whole device.
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                launch()
            finally:
                graph.capture_end()
    except RuntimeError:
        return None
    torch.cuda.current_stream().wait_stream(stream)
    return graph.replay
