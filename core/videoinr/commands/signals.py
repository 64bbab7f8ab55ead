"""Turns Ctrl+C and SIGTERM into a cancel token, so that work ends between two chunks and cleans up."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from videoinr.cancel import CancelToken

PATIENCE_SECS = 1.0
"""A signal this soon after the first is ignored, so that pressing Ctrl+C twice does not interrupt the clean-up."""


@contextmanager
def cancel_on_signals() -> Iterator[CancelToken]:
    """Return a token that SIGINT or SIGTERM cancels; a signal PATIENCE_SECS later raises KeyboardInterrupt."""
    token = CancelToken()
    if threading.current_thread() is not threading.main_thread():
        yield token  # Only the main thread may handle signals.
        return
    first_secs = math.inf

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal first_secs
        now_secs = time.monotonic()
        first_secs = min(first_secs, now_secs)
        token.cancel()
        if now_secs > first_secs + PATIENCE_SECS:
            raise KeyboardInterrupt

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield token
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
