"""Judges all pairs of the open clip in the background: where its cuts and repeated frames are."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from videoinr.cancel import CancelToken
from videoinr.decode.priority import stand_back
from videoinr.errors import Cancelled, VideoInrError
from videoinr.types import PairKind
from videoinr_viewer.clip_access.side_reader import SideReader

log = logging.getLogger(__name__)

REPORT_SECS = 0.25
"""How often the survey tells what it found."""
NICENESS = 10
"""By how much the thread stands back: pictures come first."""
REST_SECS = 0.2
"""The survey waits for this long after the last work on a picture."""


@dataclass(frozen=True)
class Found:
    """What a survey found so far: the pairs with a cut, those with a repeated frame, and the share it has judged."""

    path: Path
    cuts: frozenset[int] = frozenset()
    repeats: frozenset[int] = frozenset()
    judged: int = 0
    pairs: int = 1

    @property
    def is_complete(self) -> bool:
        """Whether all pairs have been judged."""
        return self.judged >= self.pairs


class Survey(QObject):
    """One survey at a time, on a thread of its own with a low priority. It pauses while pictures are being made."""

    found = Signal(object)
    """Found, a few times a second; it holds everything that was found so far."""

    def __init__(self, reader: SideReader, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = reader
        self._token = CancelToken()
        self._may_run = threading.Event()
        self._may_run.set()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def start(self, path: Path, pairs: int) -> None:
        """Survey the clip at ``path``, which the reader has; an older survey ends by itself at its next pair.

        Does nothing after :meth:`close`: a clip may have been opened just before, and its signal comes later.
        """
        if self._is_closed:
            return
        self._token.cancel()
        self._token = CancelToken()
        previous, token = self._thread, self._token
        self._thread = threading.Thread(
            target=self._run, args=(path, pairs, token, previous), name="videoinr-survey", daemon=True
        )
        self._thread.start()

    def set_paused(self, is_paused: bool) -> None:
        """Wait while ``is_paused``: the machine makes a picture."""
        if is_paused:
            self._may_run.clear()
        else:
            self._may_run.set()

    def close(self) -> None:
        """End the survey and wait for its thread, at most for one pair."""
        self._is_closed = True
        self._token.cancel()
        self._may_run.set()
        if self._thread is not None:
            self._thread.join()

    # ---- on the survey's thread ----

    def _run(self, path: Path, pairs: int, token: CancelToken, previous: threading.Thread | None) -> None:
        if previous is not None:
            previous.join()
        stand_back(NICENESS)
        try:
            self._judge_all(path, pairs, token)
        except Cancelled:
            pass
        except VideoInrError as error:
            log.info("the survey of %s ended early: %s", path, error)
        except Exception:
            log.exception("the survey of %s failed", path)

    def _judge_all(self, path: Path, pairs: int, token: CancelToken) -> None:
        cuts, repeats, told = set[int](), set[int](), time.monotonic()
        for pair in range(pairs):
            self._wait(token)
            kind = self._kind(pair, token)
            if kind is PairKind.CUT:
                cuts.add(pair)
            elif kind is PairKind.REPEAT:
                repeats.add(pair)
            if time.monotonic() - told >= REPORT_SECS or pair == pairs - 1:
                told = time.monotonic()
                self.found.emit(Found(path, frozenset(cuts), frozenset(repeats), pair + 1, pairs))

    def _kind(self, pair: int, token: CancelToken) -> PairKind:
        try:
            return self._reader.kind(pair, token)
        except Cancelled:
            raise
        except VideoInrError as error:
            # One damaged frame; the others are judged.
            log.info("pair %d cannot be judged: %s", pair, error)
            return PairKind.MOTION

    def _wait(self, token: CancelToken) -> None:
        token.check()
        if not self._may_run.is_set():
            self._may_run.wait()
            time.sleep(REST_SECS)
        token.check()
