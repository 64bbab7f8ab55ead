"""Lets the program that started an export stop it by a line on its standard input, which keeps what is finished."""

from __future__ import annotations

import os
import select
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from videoinr.cancel import CancelToken

KEEP = b"keep"
"""The line that stops an export and keeps its finished frames, whether or not --keep-partial was given."""

_PAUSE_SECS = 0.2
_INPUT = 0


@contextmanager
def keep_on_line(token: CancelToken) -> Iterator[None]:
    """Cancel ``token`` so that what is finished is kept, when the line KEEP comes in while the block runs.

    Only a pipe is read: a terminal or a file is not meant for this.
    """
    if not _is_pipe():
        yield
        return
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(token, ended), name="stop-lines", daemon=True)
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


def _read(token: CancelToken, ended: threading.Event) -> None:
    text = b""
    while not ended.is_set():
        try:
            # Windows waits for sockets only; there the thread waits in read, and ends with the process.
            if os.name == "posix" and not select.select([_INPUT], [], [], _PAUSE_SECS)[0]:
                continue
            data = os.read(_INPUT, 1024)
        except OSError:
            return
        if not data:
            return
        text = (text + data)[-4096:]
        if KEEP in text.split(b"\n")[:-1]:
            token.cancel(keep=True)
            return
