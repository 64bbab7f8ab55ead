"""Imports modules that the start of the program does without, on a thread, so that the window never waits for them."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from videoinr_viewer.threads.read_ahead import read_ahead
from videoinr_viewer.threads.uncollected import uncollected

log = logging.getLogger(__name__)


class LateModules(QObject):
    """The modules ``names``: imported once, after :meth:`start` or with the first :meth:`when_ready`.

    ``libraries``: the shared libraries that come with them, as for :func:`read_ahead`.
    """

    imported = Signal()
    """The modules are there, or one of them cannot be imported."""

    def __init__(
        self,
        names: Sequence[str],
        parent: QObject | None = None,
        *,
        libraries: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._names, self._libraries = tuple(names), libraries or {}
        self._waiting: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self.imported.connect(self._go_on)

    @property
    def is_ready(self) -> bool:
        """Whether an import of the modules would take no time, or was tried in vain."""
        if self._thread is not None:
            return not self._thread.is_alive()
        return all(name in sys.modules for name in self._names)

    @Slot()
    def start(self) -> None:
        """Import the modules on a thread, unless that was done."""
        if self._thread is None and not self.is_ready:
            self._thread = threading.Thread(target=self._import, name="videoinr-late-import", daemon=True)
            self._thread.start()

    def when_ready(self, then: Callable[[], None]) -> None:
        """Call ``then`` on the GUI thread, at once or when the modules are imported."""
        if self.is_ready:
            then()
            return
        self._waiting.append(then)
        self.start()

    def close(self) -> None:
        """Wait for the thread; nothing that waits for the modules is called any more."""
        self._waiting.clear()
        if self._thread is not None:
            self._thread.join()

    def _import(self) -> None:
        try:
            read_ahead(self._libraries)
            with uncollected(*self._names):
                for name in self._names:
                    importlib.import_module(name)
        except Exception:
            # Who needs the modules imports them again, and then the error is shown.
            log.exception("a late import failed")
        self.imported.emit()

    @Slot()
    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()
