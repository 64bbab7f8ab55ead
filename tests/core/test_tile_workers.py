"""Workers compute every tile once, pass on exceptions, and stop when cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch

from videoinr.cancel import NEVER, CancelToken
from videoinr.decode.tile_workers import TileWorkers
from videoinr.errors import Cancelled
from videoinr.geometry import Tile

TILES = [Tile(column, row) for row in range(5) for column in range(7)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_tile_is_computed_once_without_gradients(count: int) -> None:
    workers, done = TileWorkers(count), []

    def work(tile: Tile) -> None:
        assert torch.is_inference_mode_enabled()
        done.append((tile, threading.current_thread().name, torch.get_num_threads()))

    workers.each(work, TILES, NEVER)
    workers.close()
    assert sorted(tile for tile, _, _ in done) == sorted(TILES)
    if count:
        assert {cores for _, _, cores in done} == {1}
        assert threading.current_thread().name not in {name for _, name, _ in done}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tiles")]


def test_threads_that_start_later_keep_their_number_of_cores() -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(3)
    workers = TileWorkers(2)
    try:
        together = threading.Barrier(2)

        def work(tile: Tile) -> None:
            together.wait(60)
            seen.append(torch.get_num_threads())

        workers.each(work, TILES[:2], NEVER)
        later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert seen == [1, 1, 3]
        assert torch.get_num_threads() == 3
    finally:
        workers.close()
        torch.set_num_threads(before)


class Attending(CancelToken):
    """Does something on the thread that waits, each time that it looks."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def attend(self, wait: Callable[[float | None], bool]) -> None:
        while not wait(0.001):
            self._act()


def test_the_thread_that_waits_is_free_for_what_the_token_does_there() -> None:
    workers, is_free, seen = TileWorkers(2), threading.Event(), set[str]()

    def act() -> None:
        seen.add(threading.current_thread().name)
        is_free.set()

    def work(tile: Tile) -> None:
        is_free.wait(60)

    workers.each(work, TILES, Attending(act))
    workers.close()
    assert seen == {threading.current_thread().name}


def test_what_fails_on_the_thread_that_waits_ends_the_work() -> None:
    workers, started, done = TileWorkers(2), threading.Event(), list[Tile]()

    def work(tile: Tile) -> None:
        started.set()
        failed.wait(60)
        done.append(tile)

    failed = threading.Event()

    def act() -> None:
        if started.wait(60):
            threading.Timer(0.02, failed.set).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workers.each(work, TILES, Attending(act))
    workers.close()
    assert len(done) <= 2, "those that had begun"


@pytest.mark.parametrize("count", [0, 2])
def test_an_exception_ends_the_work_and_is_raised(count: int) -> None:
    workers, done = TileWorkers(count), []

    def work(tile: Tile) -> None:
        if tile == TILES[3]:
            raise MemoryError("too much")
        done.append(tile)

    with pytest.raises(MemoryError, match="too much"):
        workers.each(work, TILES, NEVER)
    assert len(done) < len(TILES)
    workers.each(done.append, TILES[:2], NEVER)
    assert done[-2:] == TILES[:2] or set(done[-2:]) == set(TILES[:2])
    workers.close()


@pytest.mark.parametrize("count", [0, 2])
def test_cancelling_stops_the_work_between_tiles(count: int) -> None:
    workers, token, done = TileWorkers(count), CancelToken(), []

    def work(tile: Tile) -> None:
        done.append(tile)
        if len(done) == 4:
            token.cancel()

    with pytest.raises(Cancelled):
        workers.each(work, TILES, token)
    assert 4 <= len(done) <= 6
    workers.close()
