"""The engine of a video, which another thread may close."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from videoinr.render.engine_access import EngineAccess


class _ClosedBetweenReads(EngineAccess):
    """An access that another thread closes after ``_engine`` was read once."""

    reads = 0

    def __getattribute__(self, name: str) -> Any:
        if name == "_engine":
            type(self).reads += 1
            if self.reads > 1:
                return None
        return super().__getattribute__(name)


def test_what_is_known_of_a_video_can_be_asked_while_it_is_closed() -> None:
    engine = SimpleNamespace(opened="the clip")
    assert cast("str", _ClosedBetweenReads(cast("Any", engine)).opened) == "the clip"
