"""Threads that share the tiles of one picture; on a CPU, one for each core.

Within a tile every operation is too short to be divided: OpenMP's threads would synchronise hundreds of times for each
picture, and each time would wait for the slowest of them, or for whatever else the machine runs. So each worker
computes whole tiles on one core, and the workers synchronise once for each picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

import torch

from videoinr.cancel import CancelToken

_Part = TypeVar("_Part")
"""A part of a picture: a tile, or rows."""


class TileWorkers:
    """A pool of threads of one core each."""

    def __init__(self, count: int) -> None:
        """Start ``count`` threads; with 0, the calling thread does the work (a GPU is one device)."""
        self._count = count
        begin = partial(_use_one_core, torch.get_num_threads())
        self._pool = ThreadPoolExecutor(count, "tiles", initializer=begin) if count else None

    def each(self, work: Callable[[_Part], None], parts: Iterable[_Part], token: CancelToken) -> None:
        """Call ``work`` for every part, and return when all calls have returned.

        Args:
            work: Runs on any of the threads, in torch's inference mode.
            parts: The parts, in the order in which work on them begins.
            token: Checked before each part.

        Raises:
            Cancelled: ``token`` was cancelled. Like any exception of ``work``, it is raised when no thread works any
            more.
        """
        queue, lock, failed = iter(parts), threading.Lock(), threading.Event()

        def run() -> None:
            try:
                with torch.inference_mode():
                    while not failed.is_set():
                        with lock:
                            part = next(queue, None)
                        if part is None:
                            return
                        token.check()
                        work(part)
            except BaseException:
                failed.set()
                raise

        if self._pool is None:
            run()
            return
        futures = [self._pool.submit(run) for _ in range(self._count)]
        errors = list[BaseException | None]()
        try:
            token.attend(lambda secs: not wait(futures, secs).not_done)
        except BaseException as error:
            failed.set()
            errors.append(error)
        errors += [future.exception() for future in futures]
        for each in filter(None, errors):
            raise each

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


_SETTING = threading.Lock()


def _use_one_core(others: int) -> None:
    """Give the calling thread one core for torch's operations, and threads that start later ``others``.

    ``torch.set_num_threads`` changes the calling thread and the default of every thread that has not computed yet. So
    the calling thread reads the number, which fixes its own, and a thread that ends at once sets the default back.
    """
    with _SETTING:
        torch.set_num_threads(1)
        torch.get_num_threads()
        restoring = threading.Thread(target=torch.set_num_threads, args=(others,))
        restoring.start()
        restoring.join()
