"""The options of opening a clip: one checked value, and the same keywords wherever they are given."""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import videoinr
from helpers.command_line import run_here
from videoinr.api import OpenArguments
from videoinr.clip import OpenOptions
from videoinr.clip.background import BLACK
from videoinr.colour import ColourSpec
from videoinr.commands.options import OpeningFlags
from videoinr.errors import UsageError

STRANGE = ColourSpec("bt7", "tv", "bt709", "bt709", guessed=())


def test_the_default_options_add_nothing_to_the_identity_of_a_clip() -> None:
    assert OpenOptions() == OpenOptions()
    assert OpenOptions().suffix == ""
    assert OpenOptions().behind == BLACK
    others = [OpenOptions(stream=0), OpenOptions(background="white"), OpenOptions(deinterlace="off")]
    assert len({each.suffix for each in others}) == 3
    assert OpenOptions(picture_fps=Fraction(25), background="black").suffix == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"background": "plaid"}, "no background “plaid”"), ({"deinterlace": "maybe"}, "deinterlacing “maybe”"),
        ({"picture_fps": Fraction(-1, 2)}, "-0.5 frames per second"), ({"colour": STRANGE}, "no colour matrix “bt7”"),
        ({"cuts": "12,x"}, "'12,x' is no list of cuts"),
    ],
)  # fmt: skip
def test_options_are_checked_when_they_are_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        OpenOptions(**options)


@pytest.mark.parametrize("command", [["decode", "--time", "0", "-o", "out.png"], ["export", "out.mp4"]])
@pytest.mark.parametrize(
    ("flag", "value", "named"),
    [
        ("--background", "plaid", "“plaid”"), ("--deinterlace", "maybe", "“maybe”"),
        ("--across-cuts", "jump", "'jump'"), ("--stream", "-1", "'--stream'"),
        ("--cuts", "-4,,5", "'-4,,5' is no list of cuts"),
    ],
)  # fmt: skip
def test_commands_refuse_a_wrong_option(command: list[str], flag: str, value: str, named: str, tmp_path: Path) -> None:
    name, *rest = command
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    outcome = run_here(name, str(tmp_path / "clip.mp4"), *rest, flag, value)
    assert outcome.exit_code == 2, outcome
    assert named in outcome.stderr


def test_export_takes_the_options_of_open_and_no_others(tmp_path: Path) -> None:
    keywords = {
        name for name, each in inspect.signature(videoinr.open).parameters.items() if each.kind is each.KEYWORD_ONLY
    } - {"notice"}  # It tells; the export has one of its own.
    assert OpenArguments.__annotations__.keys() == keywords
    assert OpeningFlags.__annotations__.keys() < keywords
    with pytest.raises(TypeError, match=r"export\(\) got an unexpected keyword argument 'sharpness'"):
        videoinr.export("clip.mp4", tmp_path / "out.mp4", sharpness=1)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="deinterlacing"):
        videoinr.export("clip.mp4", tmp_path / "out.mp4", deinterlace="maybe")
    assert not any(tmp_path.iterdir())
