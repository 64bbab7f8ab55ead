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
from numpy.typing import NDArray

from videoinr.decode.priority import stand_back
from videoinr.exporting.coding import THREADS, Coding
from videoinr.exporting.cores import usable_cores
from videoinr.exporting.packet_file import PacketWriter
from videoinr.exporting.planes import FrameMaker, Planes
from videoinr.exporting.waiting import PATIENCE_SECS, ByteBudget, memory_bytes

_MOST_CONVERTERS = 4
_HELD_FRAMES = 128
"""An encoder takes about as much memory as so many frames: those that it looks ahead at, with its notes on them."""
_MEMORY_SHARE = 8
_BEHIND, _FAR_BEHIND = 5, 19
"""By how much the niceness of an encoder's threads grows: beside a CPU that decodes, and beside a GPU."""


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

    def submit(self, picture: NDArray[Any]) -> tuple[Future[av.VideoFrame], int]:
        """Convert ``picture`` soon. Return the frame, and how many bytes of the budget it will hold."""
        kept = min(self._coding.frame_bytes, picture.nbytes)
        return self._pool.submit(self._convert, picture, picture.nbytes - kept), kept

    def _convert(self, picture: NDArray[Any], surplus: int) -> av.VideoFrame:
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


_Item = tuple[int, "Planes | Future[av.VideoFrame]", int]


def _opened(coding: Coding, behind: int) -> VideoCodecContext:
    """Return an encoder whose own threads stand back by ``behind``, and not the thread that calls this.

    An encoder's threads keep all cores busy. The thread that decodes, and those that feed encoders, run often and
    briefly; each time they need a core at once, also because they may hold Python's lock, for which others wait. An
    encoder's threads take the priority of the thread that opens it. A thread that has lowered its priority cannot raise
    it again, so a thread of its own opens the encoder.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="open", initializer=lambda: stand_back(behind)) as opener:
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
        self._coding, self._budget, self._maker = coding, budget, FrameMaker(coding)
        self._items: SimpleQueue[_Item | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._end: tuple[dict[str, Any], Path] | None = None
        self._thread = threading.Thread(target=self._run, name=f"code-{part}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    def put(self, number: int, source: Planes | Future[av.VideoFrame], held: int) -> None:
        """Encode the output's frame ``number``, for which ``held`` bytes of the budget were taken.

        Args:
            number: its number in the output.
            source: the frame, once a converter has made it; or its planes, of which this coder's thread makes it: that
                takes no time, so there is one thread less to wake up for each frame.
            held: the bytes.
        """
        self.taken += 1
        self._items.put((number, source, held))

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
            encoder: VideoCodecContext | None = None
            while (item := self._items.get()) is not None:
                if encoder is None:
                    encoder = _opened(self._coding, _FAR_BEHIND if isinstance(item[1], Planes) else _BEHIND)
                self._encode(encoder, item)
                if self._stopped.is_set():
                    return
            for packet in encoder.encode_lazy(None) if encoder else ():
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
        number, source, held = item
        try:
            frame = self._maker.frame(source) if isinstance(source, Planes) else source.result()
            frame.pts, frame.time_base = number, 1 / self._coding.fps
            for packet in encoder.encode_lazy(frame):
                self.writer.add(packet)
        finally:
            self._budget.give_back(held)

    def _drop_waiting(self) -> None:
        while not self._items.empty():
            if (item := self._items.get()) is not None:
                self._budget.give_back(item[2])
