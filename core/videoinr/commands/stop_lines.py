"""Lets the program that started an export stop it by a line on its standard input: Windows has no signals for that."""

from __future__ import annotations

import _thread
import os
import select
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from videoinr.cancel import CancelToken

KEEP = b"keep"
"""The line that stops an export and keeps its finished frames, whether or not --keep-partial was given."""
STOP = b"stop"
"""The line that does what Ctrl+C does."""
LEAVE = b"leave"
"""The line that does what the end of a session does: what is finished stays, for a later run."""

_SIGNALS = {STOP: signal.SIGINT, LEAVE: signal.SIGTERM}
_PAUSE_SECS = 0.2
_INPUT = 0


@contextmanager
def heed_lines(token: CancelToken, *, keeps: bool = True) -> Iterator[None]:
    """Heed the lines KEEP, STOP and LEAVE while the block runs, inside one of ``cancel_on_signals``.

    Only a pipe is read: a terminal or a file is not meant for this.

    Args:
        token: what KEEP cancels, so that what is finished is kept.
        keeps: whether KEEP is heeded.
    """
    if not _is_pipe():
        yield
        return
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(_INPUT, token, keeps, ended), name="stop-lines", daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()


def _is_pipe() -> bool:
    try:
        mode = os.fstat(_INPUT).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _read(given: int, token: CancelToken, keeps: bool, ended: threading.Event) -> None:
    text = b""
    while not ended.is_set():
        try:
            # Windows waits for sockets only; there the thread waits in read, and ends with the process.
            if os.name == "posix" and not select.select([given], [], [], _PAUSE_SECS)[0]:
                continue
            data = os.read(given, 1024)
        except OSError:
            return
        if not data:
            return
        *lines, text = (text + data)[-4096:].split(b"\n")
        for line in lines:
            _heed(line.strip(), token, keeps, ended)


def _heed(line: bytes, token: CancelToken, keeps: bool, ended: threading.Event) -> None:
    if line == KEEP and keeps:
        token.cancel(keep=True)
    elif line in _SIGNALS and not ended.is_set():
        # As if the signal had come: the main thread handles it, and the thread that listens for signals hears of it.
        _thread.interrupt_main(_SIGNALS[line])
