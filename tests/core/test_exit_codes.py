"""Exit codes: alike for like mistakes, in a table of the help, and as JSON with --json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.clips import numbered_frames, write_clip, write_pictures
from helpers.command_line import run_here
from helpers.job_queues import write_job
from helpers.tiny_model import save_tiny_model
from videoinr.cli import EXIT_CODES


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip, a folder of clips, a model, and a file of junk under every suffix."""
    folder = tmp_path_factory.mktemp("place")
    write_clip(folder / "clip.mp4", 4)
    write_pictures(folder / "clips" / "a", numbered_frames(9))
    save_tiny_model(folder)
    (folder / "junk").mkdir()
    for suffix in ("mp4", "toml", "pth", "safetensors", "json"):
        (folder / "junk" / f"junk.{suffix}").write_bytes(b"\x00\xff junk")
    return folder


def commands_on(clip: str, clips: str) -> list[list[str]]:
    return [
        ["probe", clip],
        ["decode", clip, "--time", "0", "-o", "OUT.png"],
        ["export", clip, "OUT.mp4"],
        ["bench", clip],
        ["evaluate", "--data", clips],
        ["train", "lite", "--data", clips, "--out", "OUT", "--device", "cpu"],
    ]


MISSING = [
    *commands_on("missing.mp4", "missing"),
    ["probe", "--json", "missing.mp4"],
    ["models", "import", "missing.pth"],
    ["train", "missing.toml", "--data", "clips", "--out", "OUT"],
    ["train", "lite", "--data", "clips", "--out", "OUT", "--resume"],
    ["evaluate", "--data", "clips", "--model", "missing.safetensors"],
    ["decode", "clip.mp4", "--time", "0", "-o", "OUT.png", "--model", "missing.safetensors"],
]
UNREADABLE = [
    *commands_on("junk/junk.mp4", "junk"),
    ["models", "import", "junk/junk.pth"],
    ["train", "junk/junk.toml", "--data", "clips", "--out", "OUT"],
    ["decode", "clip.mp4", "--time", "0", "-o", "OUT.png", "--model", "junk/junk.safetensors"],
]
UNKNOWN = [
    ["nonsense"],
    ["probe", "clip.mp4", "--nonsense"],
    ["decode", "clip.mp4", "--time", "0", "-o", "OUT.png", "--model", "nobody"],
    ["export", "clip.mp4", "OUT.mp4", "--model", "nobody"],
    ["evaluate", "--data", "clips", "--model", "nobody"],
    ["bench", "clip.mp4", "--model", "nobody"],
    ["bench", "clip.mp4", "--model", "random:nobody"],
    ["models", "mean", "nobody", "nobody", "--out", "OUT.safetensors"],
    ["train", "lite", "--data", "clips", "--out", "OUT", "--initial", "nobody"],
    ["decode", "clip.mp4", "--time", "0", "-o", "OUT.png", "--device", "nobody"],
    ["export", "clip.mp4", "OUT.mp4", "--device", "nobody"],
    ["evaluate", "--data", "clips", "--device", "nobody"],
    ["train", "lite", "--data", "clips", "--out", "OUT", "--device", "nobody"],
    ["bench", "--device", "nobody"],
    ["export", "clip.mp4", "OUT.mp4", "--codec", "nobody"],
    ["evaluate", "--data", "clips", "--baseline", "nobody"],
    ["train", "nobody", "--data", "clips", "--out", "OUT"],
    ["models", "mean", "tiny.safetensors", "--out", "OUT.json"],
]
EXISTING = [
    ["export", "clip.mp4", "junk/junk.mp4"],
    ["models", "mean", "tiny.safetensors", "tiny.safetensors", "--out", "junk/junk.safetensors"],
]


@pytest.mark.parametrize(
    ("code", "command"),
    [
        *((1, command) for command in (*MISSING, *UNREADABLE, *EXISTING)),
        *((2, command) for command in UNKNOWN),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_like_mistakes_have_one_exit_code(
    code: int, command: list[str], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    filled = [str(tmp_path / each) if each.startswith("OUT") else each for each in command]
    outcome = run_here(*filled)
    assert outcome.exit_code == code, outcome
    assert "unexpected" not in outcome.stderr
    assert not outcome.has_traceback
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("code", "command"),
    [
        (1, ["probe", "missing.mp4"]),
        (1, ["probe", "junk/junk.mp4"]),
        (1, ["models", "import", "missing.pth"]),
        (1, ["evaluate", "--data", "missing"]),
        (1, ["bench", "missing.mp4"]),
        (2, ["evaluate", "--data", "clips", "--model", "nobody"]),
        (2, ["models", "mean", "nobody", "nobody", "--out", "mean.safetensors"]),
        (2, ["evaluate"]),
        (2, ["evaluate", "--data", "clips", "--scale", "nan"]),
        (2, ["bench", "--repeats", "0"]),
        (2, ["doctor", "--nonsense"]),
        (2, ["nonsense"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_with_json_an_error_is_json_too(
    code: int, command: list[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    outcome = run_here(*command, "--json")
    assert outcome.exit_code == code, outcome
    error = json.loads(outcome.stdout)["error"]
    assert error["exit_code"] == code
    assert error["message"]
    assert outcome.stderr
    if code == 1:
        assert outcome.stderr == f"error: {error['message']}\n" + (f"hint: {error['hint']}\n" if error["hint"] else "")


def test_a_path_called_json_is_not_the_option(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    outcome = run_here("probe", "--", "--json")
    assert (outcome.exit_code, outcome.stdout) == (1, "")


def test_the_help_lists_the_exit_codes() -> None:
    shown = run_here("--help")
    assert shown.exit_code == 0
    for code, words in EXIT_CODES.items():
        assert f"{code}: {words}"[:40] in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "CLIP", "OUT/a.mp4", "--fps", "0"], "not above 0"),
        (["export", "CLIP"], "FILE and OUT are missing"),
        (["export", "CLIP", "CLIP"], "the clip itself"),
        (["export", "--queue", "OUT/absent"], "There is no folder"),
        (["export", "--nosuch"], "No such option"),
        (["join", "OUT/a.mp4"], "no shares"),
    ],
)
def test_every_failure_is_one_event_for_a_program(place: Path, arguments: list[str], words: str) -> None:
    filled = [each.replace("CLIP", str(place / "clip.mp4")).replace("OUT", str(place)) for each in arguments]
    outcome = run_here(*filled, "--json-progress")
    (line,) = outcome.stdout.splitlines()
    event = json.loads(line)
    assert (event["event"], words in event["message"], outcome.exit_code > 0) == ("failed", True, True), event


@pytest.mark.parametrize(
    ("code", "arguments"),
    [(1, ("list", "NONE")), (1, ("pause", "NONE")), (1, ("pause", "DIR", "x")), (1, ("move", "DIR", "x", "1")),
     (2, ("move", "DIR", "a", "away")), (2, ("move", "DIR", "a", "0")), (2, ("move", "DIR", "a", "-1")),
     (1, ("retry", "DIR", "a")), (1, ("remove", "DIR", "x")), (1, ("add", "DIR", "NONE.json")), (2, ("tidy", "DIR")),
     (2, ("move", "DIR", "a", "9" * 5000))],
)  # fmt: skip
def test_mistakes_about_a_queue(tmp_path: Path, code: int, arguments: tuple[str, ...]) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    write_job(folder / "a.json", clip="clip.mp4", out="a.mkv")
    filled = [each.replace("DIR", str(folder)).replace("NONE", str(folder / "none")) for each in arguments]
    outcome = run_here("queue", *filled)
    assert (outcome.exit_code, outcome.has_traceback) == (code, False), outcome
    assert "unexpected" not in outcome.stderr
    assert [path.name for path in folder.iterdir()] == ["a.json"]
