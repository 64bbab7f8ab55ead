"""Imports modules that the start of the program does without, in short turns, so that the window never waits long."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from videoinr_viewer.threads.read_ahead import read_ahead
from videoinr_viewer.threads.turns import StoppedError, Turns
from videoinr_viewer.threads.uncollected import uncollected

log = logging.getLogger(__name__)

TURN_MSECS = 8
"""Between two turns of the importing thread the window has so long for itself."""
QUIET_SECS = 0.3
"""So long after the window was busy there are no turns: during a drag it is busy again and again."""
END_SECS = 10.0
"""The end of the program waits so long for the module that the thread is in."""


class LateModules(QObject):
    """The modules ``names``: imported once, after :meth:`start` or with the first :meth:`when_ready`.

    A thread imports them, in turns with the event loop (threads/turns.py).

    Attributes:
        imported: the modules are there, or one of them cannot be imported.
    """

    imported = Signal()

    def __init__(
        self,
        names: Sequence[str],
        parent: QObject | None = None,
        *,
        namespaces: Sequence[str] = (),
        libraries: Mapping[str, tuple[str, ...]] | None = None,
        plays: Callable[[], bool] = lambda: False,
    ) -> None:
        """Import nothing yet.

        Args:
            names: The modules.
            parent: The owner.
            namespaces: Modules of PySide, which makes their types when they are first named. Some module names all of
                them at a time, so they are named before, one by one.
            libraries: The shared libraries that come with the modules, as for :func:`read_ahead`.
            plays: Whether the window plays: it is busy then.
        """
        super().__init__(parent)
        self._names, self._namespaces = tuple(names), tuple(namespaces)
        self._libraries, self._plays = libraries or {}, plays
        self._waiting: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._is_done = self._is_closed = False
        self._turns = Turns()
        self._is_busy, self._idle_since = False, -QUIET_SECS
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MSECS)
        self._timer.timeout.connect(self._give_turn_next)
        self.imported.connect(self._go_on)

    @property
    def is_ready(self) -> bool:
        """Whether an import of the modules would take no time, or was tried in vain."""
        if self._thread is not None:
            return self._is_done
        return all(name in sys.modules for name in self._names)

    @Slot()
    def start(self) -> None:
        """Begin to import the modules, unless that was done.

        Does nothing after :meth:`close`: signals that were sent before it come later, while the program ends.
        """
        if self._thread is None and not self._is_closed and not self.is_ready:
            self._thread = threading.Thread(target=self._import, name="videoinr-late-import", daemon=True)
            self._thread.start()
            self._timer.start()

    def set_busy(self, is_busy: bool) -> None:
        """Give no turns while the window is busy, unless somebody waits for the modules."""
        self._is_busy, self._idle_since = is_busy, time.monotonic()

    @property
    def _has_to_wait(self) -> bool:
        return self._is_busy or self._plays() or time.monotonic() < self._idle_since + QUIET_SECS

    @Slot()
    def _give_turn_next(self) -> None:
        """Give a turn after what waits in the event loop, which is more than usual after a long event."""
        QTimer.singleShot(0, self, self._give_turn)

    @Slot()
    def _give_turn(self) -> None:
        if self.is_ready:
            self._timer.stop()
        elif self._waiting or not self._has_to_wait:
            self._turns.give()

    def when_ready(self, then: Callable[[], None]) -> None:
        """Call ``then`` on the GUI thread, at once or when the modules are imported."""
        if self.is_ready:
            then()
            return
        self._waiting.append(then)
        self.start()

    def close(self) -> None:
        """End the thread at its next module; nothing that waits for the modules is called any more."""
        self._is_closed = True
        self._waiting.clear()
        self._timer.stop()
        self._turns.stop()
        if self._thread is not None:
            self._thread.join(END_SECS)
            if self._thread.is_alive():
                log.error("the thread of the late imports has not ended")

    def _import(self) -> None:
        try:
            read_ahead(self._libraries)
            with self._turns, uncollected(*self._names):
                for name in self._namespaces:
                    self._name_all(importlib.import_module(name))
                for name in self._names:
                    importlib.import_module(name)
        except StoppedError:
            pass
        except Exception:
            # Who needs the modules imports them again, and then the error is shown.
            log.exception("a late import failed")
        self._is_done = True
        self.imported.emit()

    def _name_all(self, namespace: ModuleType) -> None:
        for name in dir(namespace):
            getattr(namespace, name)
            self._turns.rest()

    @Slot()
    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()
