"""Encodes parts of an export on threads of their own, while the next frames are decoded; what waits is bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

from videoinr.decode.priority import stand_back
from videoinr.exporting.coding import THREADS, Coding
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.packet_file import PacketWriter
from videoinr.exporting.planes import FrameMaker, Picture
from videoinr.exporting.waiting import PATIENCE_SECS, ByteBudget, memory_bytes

_MOST_CONVERTERS = 4


_HELD_FRAMES = 128
"""An encoder takes about as much memory as so many frames: those that it looks ahead at, with its notes on them."""
_MEMORY_SHARE = 8


def coders_at_once(frame_bytes: int = 0) -> int:
    """Return how many parts are encoded besides the one that is fed: two, and more where there are many cores.

    Twice as many threads as cores are kept busy, where the memory allows it: near the end of an export, when fewer
    parts are left than there are coders, the cores are still in use.

    Args:
        frame_bytes: bytes of a frame before it is encoded.
    """
    cores = usable_cores()
    most = memory_bytes() // _MEMORY_SHARE // (_HELD_FRAMES * max(frame_bytes, 1))
    return max(2, cores // THREADS, min(2 * cores // THREADS, most))


class Converters:
    """Threads that make frames of ``coding`` from pictures, each with a converter of its own.

    ``budget`` has the bytes of the pictures taken from it; those that a frame has less are given back.
    """

    def __init__(self, coding: Coding, budget: ByteBudget) -> None:
        self._coding, self._budget, self._own = coding, budget, threading.local()
        count = min(_MOST_CONVERTERS, max(1, usable_cores() // 4))
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="convert")

    def submit(self, picture: Picture) -> tuple[Future[av.VideoFrame], int]:
        """Convert ``picture`` soon. Return the frame, and how many bytes of the budget it will hold."""
        kept = min(self._coding.frame_bytes, picture.nbytes)
        return self._pool.submit(self._convert, picture, picture.nbytes - kept), kept

    def _convert(self, picture: Picture, surplus: int) -> av.VideoFrame:
        try:
            if not hasattr(self._own, "maker"):
                self._own.maker = FrameMaker(self._coding)
            frame: av.VideoFrame = self._own.maker.frame(picture)
            return frame
        finally:
            self._budget.give_back(surplus)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_Item = tuple[int, "Future[av.VideoFrame]", int]


def _opened(coding: Coding) -> VideoCodecContext:
    """Return an encoder whose own threads have a lower priority than all that hold Python's lock.

    They do the work, and keep all cores busy. A thread that had to make room for them while it holds the lock would
    keep the thread that decodes waiting, at each of its calls. An encoder's threads take the priority of the one that
    opens it, which cannot have its own back: so that is one for the purpose.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="open", initializer=stand_back) as opener:
        return opener.submit(coding.new_encoder).result()


class PartCoder:
    """Encodes the frames of one part into a file of packets, on a thread.

    Attributes:
        part: the number of the part.
        writer: the file of its packets.
        taken: how many frames it was given.
        is_whole: whether the file has its end and its name.
        error: what went wrong; None if nothing did so far.
    """

    def __init__(self, part: int, coding: Coding, writer: PacketWriter, budget: ByteBudget) -> None:
        self.part, self.writer = part, writer
        self.error: BaseException | None = None
        self.is_whole = False
        self.taken = 0
        self._coding, self._budget = coding, budget
        self._items: SimpleQueue[_Item | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._end: tuple[dict[str, Any], Path] | None = None
        self._thread = threading.Thread(target=self._run, name=f"code-{part}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    def put(self, number: int, frame: Future[av.VideoFrame], held: int) -> None:
        """Encode ``frame``, the output's frame ``number``, for which ``held`` bytes of the budget were taken."""
        self.taken += 1
        self._items.put((number, frame, held))

    def finish(self, notes: dict[str, Any], path: Path) -> None:
        """End the part after the frames so far: its file gets the name ``path``. Returns at once; see :meth:`join`."""
        self._end = notes, path
        self._items.put(None)

    def flush(self) -> None:
        """End the part after the frames so far, and leave its file without an end."""
        self._items.put(None)

    def stop(self) -> None:
        """Drop the frames that wait, and end soon."""
        self._stopped.set()
        self._items.put(None)

    def join(self, check: Callable[[], None] = lambda: None) -> None:
        """Wait for the thread's end. ``check`` is called meanwhile, and may raise."""
        while self._thread.is_alive():
            self._thread.join(PATIENCE_SECS)
            check()

    def _run(self) -> None:
        try:
            encoder = _opened(self._coding)
            while (item := self._items.get()) is not None:
                self._encode(encoder, item)
                if self._stopped.is_set():
                    return
            for packet in encoder.encode_lazy(None):
                if self._stopped.is_set():
                    return
                self.writer.add(packet)
            if self._end is not None:
                self.writer.finish(*self._end)
                self.is_whole = True
        except BaseException as error:  # Handed to the thread that feeds this one.
            self.error = error
        finally:
            self.writer.close()
            self._drop_waiting()

    def _encode(self, encoder: Any, item: _Item) -> None:
        number, future, held = item
        try:
            frame = future.result()
            frame.pts, frame.time_base = number, 1 / self._coding.fps
            for packet in encoder.encode_lazy(frame):
                self.writer.add(packet)
        finally:
            self._budget.give_back(held)

    def _drop_waiting(self) -> None:
        while not self._items.empty():
            if (item := self._items.get()) is not None:
                self._budget.give_back(item[2])
