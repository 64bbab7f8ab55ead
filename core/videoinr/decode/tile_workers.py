"""Threads that share the tiles of one picture between them, on a CPU one for each core.

Within a tile every operation is too short to be worth sharing: OpenMP's threads would meet hundreds of times for a
picture, and each meeting waits for the slowest, or for whatever else the machine runs. So each worker computes whole
tiles on one core, and they meet once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import torch

from videoinr.cancel import CancelToken
from videoinr.geometry import Tile


class TileWorkers:
    """``count`` threads of one core each; with ``count`` 0 the calling thread does the work (a GPU is one device)."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, "tiles", initializer=_use_one_core) if count else None

    def each(self, work: Callable[[Tile], None], tiles: Iterable[Tile], token: CancelToken) -> None:
        """Do ``work`` for every tile; returns when all is done.

        Raises what ``work`` raised first, or Cancelled, once no tile is in work any more.
        """
        queue, lock, failed = iter(tiles), threading.Lock(), threading.Event()

        def run() -> None:
            try:
                with torch.inference_mode():
                    while not failed.is_set():
                        with lock:
                            tile = next(queue, None)
                        if tile is None:
                            return
                        token.check()
                        work(tile)
            except BaseException:
                failed.set()
                raise

        if self._pool is None:
            run()
            return
        futures = [self._pool.submit(run) for _ in range(self._count)]
        errors = [future.exception() for future in futures]
        for error in filter(None, errors):
            raise error

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown()


def _use_one_core() -> None:
    torch.set_num_threads(1)
