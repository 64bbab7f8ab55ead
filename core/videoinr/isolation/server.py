"""What runs in a helper process: opens the files that it is asked about, one at a time, and says what it found.

It ends when its standard input does, whatever it is doing then: so it never outlives the process that asks.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from videoinr.cancel import CancelToken
from videoinr.clip import Clip, direct_opening
from videoinr.clip.found import Found
from videoinr.clip.open_options import OpenOptions
from videoinr.errors import VideoInrError
from videoinr.isolation.findings import message_from_found
from videoinr.isolation.messages import Message, read_message, write_message
from videoinr.isolation.questions import asked_for

BREATH_SECS = 0.5
"""How often a reading that gets on gives a sign of life."""

WATCHDOG_SECS = 90.0
"""After this time without one the process ends, even if a library holds Python's lock: nobody waits that long."""

Look = Callable[[Path, OpenOptions, CancelToken, Found], Clip]


class _Breath(CancelToken):
    """A token that is never cancelled, and gives a sign of life when it is checked."""

    def __init__(self, answers: IO[bytes]) -> None:
        super().__init__()
        self._answers, self._last = answers, 0.0

    def check(self) -> None:
        now = time.monotonic()
        if now - self._last > BREATH_SECS:
            self._last = now
            _arm_watchdog()
            write_message(self._answers, Message({"kind": "alive"}))


def look(where: Path, options: OpenOptions, token: CancelToken, found: Found) -> Clip:
    """Open a clip and convert its first frame; ``found`` gets what that finds."""
    clip = direct_opening.open_directly(where, options, token, found)
    try:
        clip.frame(0, token)
    except BaseException:
        clip.close()
        raise
    return clip


def serve(look: Look = look) -> None:
    """Answer questions until there are no more. ``look`` opens a clip."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    questions, answers = _own_pipes()
    waiting: SimpleQueue[Message] = SimpleQueue()
    threading.Thread(target=_listen, args=(questions, waiting), daemon=True).start()
    # What most files need is imported before the first one is asked for.
    from videoinr.clip import alpha_clip, picture_clip, video_clip  # noqa: F401

    while True:
        question = waiting.get()
        breath = _Breath(answers)
        breath.check()
        with ExitStack() as opened:
            # The clip is closed while the other process goes on already.
            write_message(answers, _answer(question.values, breath, look, opened))
        faulthandler.cancel_dump_traceback_later()


def _answer(question: Mapping[str, Any], token: CancelToken, look: Look, opened: ExitStack) -> Message:
    found = Found()
    try:
        with suppress(OSError):
            os.chdir(question["folder"])
        where, options = asked_for(question)
        opened.enter_context(look(where, options, token, found))
        return message_from_found(found)
    except VideoInrError as error:
        values = {"kind": "refused", "error": type(error).__name__, "message": str(error), "hint": error.hint}
        return Message(values)
    except Exception as error:
        return Message({"kind": "unforeseen", "message": f"{type(error).__name__}: {error}"})
    finally:
        # A folder that is somebody's present one cannot be removed on Windows, nor its disk on other systems.
        with suppress(OSError):
            os.chdir(Path(sys.executable).anchor)


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take the standard input and output for messages; libraries that use these have nothing to read and write."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    return questions, answers


def _listen(questions: IO[bytes], waiting: SimpleQueue[Message]) -> None:
    with suppress(Exception):
        while (question := read_message(questions)) is not None:
            waiting.put(question)
    os._exit(0)


def _arm_watchdog() -> None:
    with suppress(OSError, ValueError, RuntimeError):
        faulthandler.dump_traceback_later(WATCHDOG_SECS, exit=True, file=2)


if __name__ == "__main__":
    serve()
