"""Has files opened in a helper process first. Keeps one helper warm, and puts its death or silence into words."""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from videoinr.cancel import CancelToken
from videoinr.clip.found import Found
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.source_stamp import Status, status_of
from videoinr.errors import ClipError, InputError, UsageError, VideoInrError
from videoinr.isolation.findings import found_from_message
from videoinr.isolation.helper_process import HelperGoneError, HelperProcess, HelperSilentError
from videoinr.isolation.messages import Message
from videoinr.isolation.questions import question_about

_log = logging.getLogger(__name__)

SWITCH = "VIDEOINR_ISOLATION"
"""The environment variable that switches helper processes off if it is 0: files are then opened in this process."""

SILENCE_SECS = 60.0
"""How long a helper may give no sign of life: a disk that wakes up takes ten seconds, a busy machine more."""

_KEPT = 1
"""How many idle helpers are kept. Threads that open clips at the same time have one each meanwhile."""

_REMEMBERED = 4
"""Of how many files it is remembered what was found: the window opens a clip again for its survey and thumbnails."""

_REMEMBERED_BYTES = 16 << 20

_ERRORS: dict[str, type[VideoInrError]] = {each.__name__: each for each in (ClipError, UsageError, InputError)}


class Helpers:
    """The helper processes of this process. Any thread may use it."""

    def __init__(self) -> None:
        self._lock, self._idle, self._owner = threading.Lock(), list[HelperProcess](), os.getpid()
        self._is_registered = False
        self._remembered: dict[tuple[str, Status], Found] = {}

    def look(self, where: Path, options: OpenOptions, token: CancelToken) -> Found:
        """Open ``where`` in a helper process and close it again, unless that was done before and the file is the same.

        Args:
            where: the clip.
            options: how to read it.
            token: cancels the opening, and ends the helper.

        Returns:
            What was found. Nothing if no helper can be started here, or it met an error that nobody foresaw: then an
            opening in this process shows it.

        Raises:
            ClipError: the file cannot be opened, or it ended or stopped the helper.
            UsageError: as for :func:`~videoinr.clip.open_clip`.
            Cancelled: ``token`` was cancelled.
        """
        token.check()
        question = question_about(where, options, _folder())
        key = (json.dumps(question), status) if where.is_file() and (status := status_of(where)) else None
        known = self._remembered.get(key) if key else None
        if known is None:
            known = self._asked(where, question, token)
            if key and status_of(where) == key[1]:
                self._remember(key, known)
        return replace(known, scans=dict(known.scans), heads=dict(known.heads))

    def _asked(self, where: Path, question: dict[str, Any], token: CancelToken) -> Found:
        for _ in range(2):
            try:
                helper = self._take()
            except OSError as error:
                _log.warning("no helper process can be started (%s): files are opened in this process", error)
                return Found()
            was_used = helper.has_answered
            try:
                answer = helper.ask(question, token, SILENCE_SECS)
            except HelperGoneError as error:
                _log.warning("the helper process has ended (%s); another one takes its place", error)
                if was_used:
                    continue  # Something else may have ended it: the file gets another helper.
                if not error.had_begun:
                    break
                raise _crash(where, str(error)) from error
            except HelperSilentError as error:
                _log.warning("the helper process gave no sign of life; another one takes its place")
                if not (error.had_begun or was_used):
                    break
                raise _hang(where) from error
            self._give_back(helper)
            return _found(answer)
        _log.warning("helper processes do not work here: files are opened in this process")
        return Found()

    def _remember(self, key: tuple[str, Status], found: Found) -> None:
        if found.scans and found.bytes <= _REMEMBERED_BYTES:
            with self._lock:
                self._remembered[key] = found
                while len(self._remembered) > _REMEMBERED:
                    del self._remembered[next(iter(self._remembered))]

    def warm_up(self) -> None:
        """Start a helper if there is none, and do not wait for it."""
        try:
            helper = self._take()
        except OSError:
            return
        self._give_back(helper)

    def close(self) -> None:
        """End the idle helpers."""
        if self._owner == os.getpid():
            with self._lock:
                idle, self._idle = self._idle, []
            for helper in idle:
                helper.end()

    def _take(self) -> HelperProcess:
        if self._owner != os.getpid():
            # A fork: the helpers belong to the process that it came from.
            self._lock, self._idle, self._owner = threading.Lock(), [], os.getpid()
            self._is_registered = False
        with self._lock:
            while self._idle:
                helper = self._idle.pop()
                if helper.is_alive:
                    return helper
                helper.end()
            if not self._is_registered:
                self._is_registered = True
                atexit.register(self.close)
        return HelperProcess()

    def _give_back(self, helper: HelperProcess) -> None:
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(helper)
                return
        helper.end()


HELPERS = Helpers()
"""Those of this process: a helper is worth its start only if the next opening finds it warm."""


def is_on() -> bool:
    """Return whether files are opened in a helper process first."""
    return os.environ.get(SWITCH) != "0"


def warm_up_for(where: Path) -> None:
    """Start a helper process for opening ``where``, unless there is no such file; this does not wait for it."""
    if is_on() and where.exists():
        HELPERS.warm_up()


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # It was removed.
        return ""


def _found(answer: Message) -> Found:
    values = answer.values
    if values.get("kind") == "refused":
        kind = _ERRORS.get(str(values.get("error")), ClipError)
        raise kind(str(values.get("message")), hint=str(values.get("hint")))
    try:
        return found_from_message(answer)
    except ValueError:
        _log.warning("the helper process met an error: %s", values.get("message"))
        return Found()


def _crash(where: Path, how: str) -> ClipError:
    return ClipError(
        f"“{where.name}” ended the process that reads it ({_named(how)}).",
        hint="It is damaged, or made to end programs. Everything else goes on, in a new process. "
        "Copy the file again, or convert it with another program.",
    )


def _hang(where: Path) -> ClipError:
    return ClipError(
        f"“{where.name}” could not be opened: reading it did not get on for {SILENCE_SECS:g} seconds.",
        hint="The process that read it was ended. Copy the file to this computer if it lies on a slow disk; "
        "if it is damaged, convert it with another program.",
    )


def _named(how: str) -> str:
    word, _, number = how.partition(" ")
    try:
        return signal.Signals(int(number)).name if word == "signal" else how
    except ValueError:
        return how
