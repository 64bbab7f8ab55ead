"""``--memory`` in a real process whose address space is limited: bands are halved, or the error says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.clips import write_clip
from helpers.shots import texture

LINES, COLUMNS = 720, 380
"""Frames just large enough to be encoded in bands."""
SHOWN_LINES = 120
"""The bands of these fill their memory as those of all lines do; the others need not be encoded."""
TESTS = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the address space is read from /proc"),
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the command did with 160 MiB in a room of 360 and of 20, and with 1 GiB in a room that is too small for it;
    all at once, as starting a process takes seconds."""
    folder, ground = tmp_path_factory.mktemp("budget"), texture(3, size=800)
    frames = [ground[20 + n : 20 + n + LINES, 100 + 2 * n : 100 + 2 * n + COLUMNS].astype(np.uint8) for n in range(3)]
    clip = write_clip(folder / "tall.mkv", frames)
    region = f"0,0,{COLUMNS},{SHOWN_LINES}"
    settings = [f"{room}:{memory}:{region}" for room, memory in (("360", "160M"), ("150-450", "1G"), ("20", "160M"))]
    process = subprocess.run(
        [sys.executable, "-m", "helpers.short_memory", clip, folder, *settings],
        # One arena: each arena of glibc reserves 64 MiB of address space, and how many there are depends on chance.
        env=os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(TESTS)]),
                          "MALLOC_ARENA_MAX": "1"},
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    told = [json.loads(line) for line in process.stdout.splitlines()]
    pictures = [folder / f"{setting.split(':')[0]}.png" for setting in settings]
    return {
        path.stem: outcome | {"picture": path.read_bytes() if path.exists() else None}
        for path, outcome in zip(pictures, told, strict=True)
    }


def test_a_budget_is_kept(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["360"]["code"] == 0, outcomes["360"]["said"]
    assert outcomes["360"]["halvings"] == 0


def test_bands_are_halved_where_the_budget_promised_too_much(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["150-450"]["code"] == 0, outcomes["150-450"]["said"]
    assert outcomes["150-450"]["halvings"] > 0
    assert outcomes["150-450"]["picture"] == outcomes["360"]["picture"]


def test_if_nothing_helps_the_error_says_what_to_do(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["20"]["code"] == 1
    assert outcomes["20"]["picture"] is None
    assert "memory" in outcomes["20"]["said"]
    assert "close other programs" in outcomes["20"]["said"].lower()
    assert "Traceback" not in outcomes["20"]["said"]
