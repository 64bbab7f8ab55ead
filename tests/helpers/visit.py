"""A short visit to the real program: opens a clip, marks a segment, changes the settings, and closes the window.

    python -m helpers.visit [--full-disk] CLIP

The pictures come from a renderer without a model; every folder is the one that a user's program takes. With --full-disk
nothing can be written to any file. It prints what the message bar said, as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from helpers.slow_frames import SlowFrames
from helpers.slow_renderer import Pace, opener
from videoinr_viewer.main_window import MainWindow
from videoinr_viewer.start import program
from videoinr_viewer.start.arguments import Arguments
from videoinr_viewer.style.theme_choice import Theme


class Visitor(QObject):
    """Acts as soon as the full picture is there."""

    _written = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.is_done = False
        self._window: MainWindow | None = None
        self._written.connect(self._leave)
        self._timer = QTimer(self, interval=20)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @Slot()
    def _look(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        window = next((one for one in app.topLevelWidgets() if isinstance(one, MainWindow)), None)
        if window is None or window.frame_view.full_for(window.session.last_query) is None:
            return
        self._timer.stop()
        window.session.mark_in()
        window.annotations.add_segment()
        window.menus.theme_wanted.emit(Theme.LIGHT)
        window.autosave.write()
        self._window = window
        # After the state, on the same thread.
        window.projects.files.submit(self._written.emit)

    @Slot()
    def _leave(self) -> None:
        assert self._window is not None
        messages = self._window.messages
        self.is_done = True
        self.said = [messages.text.text()] if messages.isVisible() else []
        self._window.close()


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[0] == "--full-disk":
        arguments.pop(0)
        # No file can grow; Python ignores the signal, and a write fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    program.engine_opener = lambda *_, **__: opener([], pace=Pace())
    setattr(program, "open_clip_frames", lambda path, _options=None: SlowFrames(path))  # noqa: B010
    program.make_app()
    visitor = Visitor()
    code = program.run_for_user(Arguments(file=Path(arguments[0]), size=(900, 600)))
    # The pipe is no file.
    print(json.dumps({"code": code, "said": visitor.said, "is_done": visitor.is_done}))
    return code


if __name__ == "__main__":
    sys.exit(main())
