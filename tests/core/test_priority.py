"""The priority of threads."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from videoinr.decode.priority import stand_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def in_a_thread() -> list[int]:
    found = list[int]()

    def run() -> None:
        stand_back(3)
        found.append(niceness())
        child = threading.Thread(target=lambda: found.append(niceness()))
        child.start()
        child.join()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found


def test_a_thread_and_those_that_it_starts_stand_back_and_the_others_do_not() -> None:
    before = niceness()
    assert in_a_thread() == [before + 3, before + 3]
    assert niceness() == before


def test_where_it_is_refused_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    before = niceness()
    stand_back()
    assert niceness() == before
