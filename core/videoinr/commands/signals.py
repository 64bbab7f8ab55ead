"""Turns Ctrl+C, SIGTERM and the end of the terminal into a cancel token: work ends between two chunks and cleans up."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from videoinr.cancel import CancelToken
from videoinr.writing.unfinished import end_process

PATIENCE_SECS = 1.0
"""A signal this soon after the first is ignored, so that pressing Ctrl+C twice does not interrupt the clean-up."""

FORCE_SECS = 2.5
"""How long after a signal a command may still run that can be forced to end. The window kills an export after 5 s."""

_INTERRUPTED = 130


@contextmanager
def cancel_on_signals(*, report_forced: Callable[[], None] | None = None, leaves: bool = True) -> Iterator[CancelToken]:
    """Return a token that SIGINT, SIGTERM or SIGHUP cancels; a signal PATIENCE_SECS later raises KeyboardInterrupt.

    SIGHUP comes when the terminal is closed. If it is ignored (nohup), it stays so. With Ctrl+C (SIGINT) somebody gives
    the work up. The other signals end a session: the token then says that work leaves what a later run can go on with.

    Args:
        report_forced: if given, the process ends FORCE_SECS after the signal even where a library does not return for
            longer, such as in a convolution of large frames: unfinished outputs are removed, ``report_forced`` is
            called, and the exit code is 130.
        leaves: whether the token may say so; not where the user wants what is finished in a form to be used at once.
    """
    token = CancelToken()
    if threading.current_thread() is not threading.main_thread():
        yield token  # Only the main thread may handle signals.
        return
    first_secs = math.inf

    def cancel(number: int) -> None:
        token.leaves = token.leaves or (leaves and number != signal.SIGINT)
        token.cancel()

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal first_secs
        now_secs = time.monotonic()
        first_secs = min(first_secs, now_secs)
        cancel(number)
        if now_secs > first_secs + PATIENCE_SECS:
            raise KeyboardInterrupt

    numbers = _stopping_signals()
    previous = {number: signal.signal(number, stop) for number in numbers}
    with ExitStack() as stack:
        for number, handler in previous.items():
            stack.callback(signal.signal, number, handler)
        if report_forced is not None:
            stack.enter_context(_forced_end(token, cancel, numbers, report_forced))
        yield token


def _stopping_signals() -> list[signal.Signals]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Windows has no SIGHUP.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


@contextmanager
def _forced_end(
    token: CancelToken, cancel: Callable[[int], None], numbers: list[signal.Signals], report: Callable[[], None]
) -> Iterator[None]:
    """End the process FORCE_SECS after a signal, unless the block ends before.

    Python calls a handler only when the main thread returns from a library. A thread hears of the signal at once.
    """
    import socket  # loads for some milliseconds; only commands that write need it

    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    ended = threading.Event()

    def watch() -> None:
        while heard := receiver.recv(1):
            if heard[0] in numbers:
                cancel(heard[0])
                if not ended.wait(FORCE_SECS):
                    end_process(_INTERRUPTED, report, leaves=token.leaves)
                return

    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    watcher.start()
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(previous)
        sender.close()
        watcher.join()
        receiver.close()
