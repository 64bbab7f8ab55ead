"""The priority of threads."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import Future
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videoinr.colour import ColourSpec
from videoinr.decode.priority import stand_back
from videoinr.exporting.codecs import codec_named
from videoinr.exporting.coding import Coding
from videoinr.exporting.packet_file import PacketWriter
from videoinr.exporting.part_coder import PartCoder
from videoinr.exporting.planes import Planes
from videoinr.exporting.tags import tags_from_colour
from videoinr.exporting.waiting import ByteBudget

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")

TAGS = tags_from_colour(ColourSpec("bt709", "tv", "bt709", "bt709"), rgb=False, full_range=True)


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


@pytest.mark.parametrize(("source", "behind"), [(Future[Any](), 5), (Planes(np.zeros(96 * 64), ()), 19)])
def test_an_encoders_own_threads_stand_back_and_the_thread_that_feeds_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Any, behind: int
) -> None:
    found, before = dict[str, int](), niceness()
    coding = Coding(codec_named("libx264"), ".mkv", 96, 64, Fraction(25), None, TAGS, Fraction(1))
    plain = Coding.new_encoder

    def opened(self: Coding) -> Any:
        found["opens"] = niceness()
        return plain(self)

    monkeypatch.setattr(Coding, "new_encoder", opened)
    monkeypatch.setattr(PartCoder, "_encode", lambda *_: found.update(feeds=niceness()))
    coder = PartCoder(0, coding, PacketWriter(tmp_path / "0.open", {}), ByteBudget(1))
    coder.put(0, source, 0)
    coder.finish({}, tmp_path / "0.packets")
    coder.join()
    assert coder.error is None
    assert found == {"opens": min(before + behind, 19), "feeds": before}
