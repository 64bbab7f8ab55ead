"""One helper process: started, asked, and ended. Every wait for it has a limit."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, Any

from videoinr.cancel import CancelToken
from videoinr.isolation.messages import Message, read_message, write_message

_log = logging.getLogger(__name__)

SERVER = "videoinr.isolation.server"
"""The module that runs in the helper. It is named here, not imported: it brings the libraries that read files."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib import import_module; import_module(sys.argv[2]).serve()"
)
_WINDOWS_FLAGS = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
_POLL_SECS = 0.02
_END_SECS = 5.0

Heard = Message | Exception | None
"""What comes from a helper: a message, an error in what it wrote, or None for its end."""


class HelperGoneError(Exception):
    """The helper ended before it answered. ``had_begun``: after it had said that it begins."""

    def __init__(self, how: str, *, had_begun: bool) -> None:
        super().__init__(how)
        self.had_begun = had_begun


class HelperSilentError(Exception):
    """The helper gave no sign of life for too long; it was ended. ``had_begun`` as for :class:`HelperGoneError`."""

    def __init__(self, *, had_begun: bool) -> None:
        super().__init__("no sign of life")
        self.had_begun = had_begun


def start_command() -> list[str]:
    """Return the command line of a helper: this interpreter, with the folders that modules are found in."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "-P", "-m", SERVER]
    return [sys.executable, "-P", "-c", _START, json.dumps([folder for folder in sys.path if folder]), SERVER]


class HelperProcess:
    """A helper process. One thread at a time may ask it.

    It has its own process group, so that Ctrl+C in a terminal does not end it, and nowhere to print to.
    """

    def __init__(self) -> None:
        """Start a helper; this does not wait until it is ready.

        Raises:
            OSError: no process can be started.
        """
        self._process = subprocess.Popen(
            start_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # which Windows ignores
            creationflags=sum(getattr(subprocess, name, 0) for name in _WINDOWS_FLAGS),
        )
        self.owner = os.getpid()
        self.has_answered = False

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def ask(self, question: Mapping[str, Any], token: CancelToken, silence_secs: float) -> Message:
        """Ask the helper and wait for its answer.

        Args:
            question: plain values.
            token: cancels the wait, and ends the helper.
            silence_secs: how long it may take between two signs of life.

        Raises:
            HelperGoneError, HelperSilentError: there is no answer. The helper has ended.
            Cancelled: ``token`` was cancelled. The helper has ended.
        """
        heard: SimpleQueue[Heard] = SimpleQueue()
        listener = threading.Thread(
            target=_listen, args=(_pipe(self._process.stdout), heard), name="videoinr-helper", daemon=True
        )
        answer: Message | None = None
        try:
            try:
                write_message(_pipe(self._process.stdin), Message(dict(question)))
            except OSError:
                raise HelperGoneError("it had ended", had_begun=False) from None
            listener.start()
            answer = self._wait_for_answer(heard, token, silence_secs)
            self.has_answered = True
            return answer
        finally:
            if answer is None:
                self.end()
            if listener.ident is not None:
                listener.join(_END_SECS)

    def _wait_for_answer(self, heard: SimpleQueue[Heard], token: CancelToken, silence_secs: float) -> Message:
        had_begun, last = False, time.monotonic()
        while True:
            try:
                said = heard.get(timeout=_POLL_SECS)
            except Empty:
                token.check()
                if time.monotonic() - last > silence_secs:
                    raise HelperSilentError(had_begun=had_begun) from None
                continue
            if not isinstance(said, Message):
                self.end(_POLL_SECS if isinstance(said, Exception) else _END_SECS)
                raise HelperGoneError(self._how_it_ended(said), had_begun=had_begun)
            if said.values.get("kind") != "alive":
                return said
            token.check()
            had_begun, last = True, time.monotonic()

    def _how_it_ended(self, said: Exception | None) -> str:
        if said is not None:
            return "it wrote what is no answer"
        code = self._process.returncode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def end(self, patience_secs: float = 0.0) -> None:
        """End the process, at once or if it has not ended after ``patience_secs``. Safe to call twice."""
        if self.owner != os.getpid():
            return
        for limit_secs in (patience_secs, _END_SECS):
            try:
                self._process.wait(limit_secs)
                break
            except subprocess.TimeoutExpired:
                self._process.kill()
        else:
            # Its pipes stay open: closing one waits for the thread that reads it.
            _log.warning("the helper process %d does not end", self.pid)
            return
        for pipe in (self._process.stdin, self._process.stdout):
            _close(_pipe(pipe))


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "the process was started with pipes"
    return pipe


def _close(pipe: IO[bytes]) -> None:
    with suppress(OSError):  # What was not written yet cannot be written any more.
        pipe.close()


def _listen(stream: IO[bytes], heard: SimpleQueue[Heard]) -> None:
    """Put what a helper says into ``heard`` until it has answered or ended."""
    said: Heard = Message({"kind": "alive"})
    while isinstance(said, Message) and said.values.get("kind") == "alive":
        try:
            said = read_message(stream)
        except Exception as error:  # handed to the thread that waits
            said = error
        heard.put(said)
