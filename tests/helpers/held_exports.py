"""What tests of real exports of frames as they are share. Each module makes fixtures of its own of these functions:

_held = pytest.fixture(scope="module", autouse=True)(frames_as_they_are)
model = pytest.fixture(scope="module")(saved_model)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.held_frames import engine_module
from helpers.tiny_model import save_tiny_model


def frames_as_they_are() -> Iterator[None]:
    """Decode no picture: an instant shows the frame that started last, in a tenth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "videoinr.render.engine", engine_module())
        yield


def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny model for all tests of a module."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))
