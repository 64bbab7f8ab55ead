"""The viewer's process on an X display, and what a person does to it by mouse and keyboard: through xdotool."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import drag_source, viewer_under_test

PATIENCE_SECS = 40.0
REPORT_SECS = 0.1
"""How often the program reports changes."""


class Program:
    """The viewer's process: its reports so far, and methods that send it input."""

    def __init__(self, display: str, folder: Path, *, clip: Path | None = None, mode: str = "") -> None:
        self.environment = {
            **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": os.pathsep.join(sys.path),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [
                sys.executable, "-X", "faulthandler", "-W", "error", viewer_under_test.__file__, str(folder),
                *([str(clip)] if clip else []), *([mode] if mode else []),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )  # fmt: skip
        self.state: dict[str, Any] = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(
        self, condition: Callable[[dict[str, Any]], bool], why: str, *, patience_secs: float = PATIENCE_SECS
    ) -> None:
        time.sleep(REPORT_SECS * 1.5)
        end = time.monotonic() + patience_secs
        # Read all reports first: the condition is about the current state.
        while not self._lines.empty() or not condition(self.state):
            try:
                line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"timed out: {why}; {self.state}")
            if line is None:
                pytest.fail(f"{why}: the program ended with {self.process.wait(PATIENCE_SECS)}; {self.state}")
            self.state.update(json.loads(line))

    def xdotool(self, *arguments: object) -> None:
        subprocess.run(["xdotool", *(str(argument) for argument in arguments)], env=self.environment, check=True)

    def window(self, title: str) -> str:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", title],
            env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return found.stdout.split()[0]

    def focus(self, title: str) -> None:
        """Focus the window ``title``, like a window manager."""
        self.xdotool("windowfocus", "--sync", self.window(title))

    def at(self, name: str, across: float = 0.5, down: float = 0.5) -> tuple[int, int]:
        x, y, width, height = self.state[name]
        return round(x + across * width), round(y + down * height)

    def end(self) -> dict[str, Any]:
        try:
            self.process.wait(PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Faulthandler prints where each thread is.
            raise
        self._reader.join()
        while (line := self._lines.get()) is not None:
            self.state.update(json.loads(line))
        return self.state

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def drop(program: Program, path: Path) -> None:
    """Drag ``path`` from the window of another process to that of the program."""
    program.wait_for(lambda state: "window" in state, "the window is on the screen")
    _, _, width, height = program.state["window"]
    at = (width + 10, 40)
    source = subprocess.Popen(
        [sys.executable, drag_source.__file__, str(path), *map(str, at)],
        stdout=subprocess.PIPE, text=True, env=program.environment,
    )  # fmt: skip
    watchdog = threading.Timer(PATIENCE_SECS, source.kill)
    watchdog.start()
    try:
        assert source.stdout is not None
        assert source.stdout.readline() == "ready\n"
        x, y = (side + drag_source.SIDE_PX // 2 for side in at)
        program.xdotool("mousemove", x, y, "mousedown", 1)
        program.xdotool("mousemove", x - 8, y + 8, "mousemove", x - 16, y + 16)
        for share in range(1, 7):
            program.xdotool("mousemove", x - 16 - share * width // 12, y + share * height // 16)
        program.wait_for(lambda state: state["drop"] is True, "the window says what a drop will open")
        program.xdotool("mousemove_relative", 5, 5, "mouseup", 1)
        assert source.stdout.readline() == "copied\n"
        program.wait_for(lambda state: state["drop"] is False, "the frame goes with the drop")
    finally:
        watchdog.cancel()
        source.kill()
        source.communicate()
