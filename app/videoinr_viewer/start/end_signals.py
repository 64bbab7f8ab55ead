"""Ends the program as it should when the system asks for it: Ctrl+C in the terminal, kill, the end of the session."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Slot
from PySide6.QtWidgets import QApplication

log = logging.getLogger(__name__)

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""The signals that ask for the end; not every system has them all."""
_SHELL_BASE = 128
"""A shell tells the end by a signal as this number and the signal's."""


class EndSignals(QObject):
    """Takes the signals from :meth:`install` to :meth:`remove`; to be used on the main thread.

    Python calls its handlers only between two of its own instructions, and a window at rest executes none. So the
    signal's number is written to a socket, which wakes the event loop. After the first signal, the next one ends the
    process at once: whoever sends it does not want to wait. So does one before :meth:`wait_in_loop`, while the window
    is built; ``clean_up`` is called then.
    """

    def __init__(self, clean_up: Callable[[], None]) -> None:
        super().__init__()
        self._clean_up, self._is_in_loop = clean_up, False
        self._before: dict[int, object] = {}
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self._old_descriptor, self._is_installed = -1, False
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._take)

    def install(self) -> None:
        """Take the signals from now on; one that the process ignores, as a background job does, stays ignored."""
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        self._is_installed = True
        self._old_descriptor = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)

    def wait_in_loop(self) -> None:
        """From now on the event loop runs, and the socket tells it the signals."""
        self._is_in_loop = True

    @Slot()
    def remove(self) -> None:
        """Give the signals back. A second call does nothing."""
        if self._is_installed:
            self._is_installed = False
            self._notifier.setEnabled(False)
            signal.set_wakeup_fd(self._old_descriptor)
            self._restore()
            self._ours.close()
            self._theirs.close()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    @Slot()
    def _take(self) -> None:
        number = next((one for one in self._ours.recv(64) if one in self._before), None)
        if number is not None:
            log.info("asked to end by signal %d", number)
            self._restore()
            # Not quit(), which asks the windows: nobody may be there to answer them.
            QApplication.exit(_SHELL_BASE + number)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        """Keep the signal from ending the process, unless there is no event loop yet that the socket could tell it."""
        if not self._is_in_loop:
            self._clean_up()
            self._restore()
            os.kill(os.getpid(), number)
