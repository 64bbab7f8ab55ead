"""The journal of an evaluation: a run that was stopped goes on, and nothing foreign is taken over."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.clips import write_footage
from helpers.command_line import Outcome, run_here
from helpers.tiny_model import save_tiny_model
from videoinr.errors import ExportError, InputError, UsageError
from videoinr.evaluation.clips import FrameScore, blend_bicubic
from videoinr.evaluation.footage import find_footage
from videoinr.evaluation.journal import ClipResult, open_journal
from videoinr.evaluation.methods import BaselineFailedError, MethodSet, NamedMethod
from videoinr.evaluation.motion import Motion
from videoinr.evaluation.progress import Progress
from videoinr.evaluation.protocols import Protocol
from videoinr.evaluation.run import Run, run_protocols
from videoinr.geometry import Grid

CPU = torch.device("cpu")
PROTOCOLS = [Protocol(2, 4), Protocol(1, 2)]
SCORES = [FrameScore("clip", "m", 3, 1, math.inf, 1.0, None, 0.5), FrameScore("clip", "m", 4, 0, 31.25, 0.9, 0.1, 0.5)]
RESULT = ClipResult(SCORES, Motion(2.5, 0.01, 0.75, 4))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    return write_footage(tmp_path / "footage")


class Stops:
    """A method that raises KeyboardInterrupt at its call number ``at``."""

    def __init__(self, at: int = -1) -> None:
        self.calls, self.at = 0, at

    def __call__(self, low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return blend_bicubic(low, grid, times)


def methods(restore: Any = blend_bicubic, **changes: Any) -> MethodSet:
    return MethodSet([replace(NamedMethod("m", restore), **changes)])


def run(footage: Path, journal: Path, restore: Any, said: list[str] | None = None) -> list[Run]:
    method_set = methods(restore)
    kept = open_journal(journal, method_set, "cpu")
    say = (said if said is not None else []).append
    return run_protocols(find_footage(footage), PROTOCOLS, method_set, CPU, say=say, journal=kept)


def without_secs(runs: list[Run]) -> list[tuple[object, ...]]:
    scores = [[replace(score, secs=0.0) for score in each.scores] for each in runs]
    return [(each.protocol, score, each.motions) for each, score in zip(runs, scores, strict=True)]


@pytest.mark.parametrize("at", [2, 3, 9])
def test_a_stopped_run_goes_on_where_it_stopped(footage: Path, tmp_path: Path, at: int) -> None:
    stops, resumed = Stops(at), Stops()
    with pytest.raises(KeyboardInterrupt):
        run(footage, tmp_path / "stopped", stops)
    said: list[str] = []
    ended = run(footage, tmp_path / "stopped", resumed, said)
    plain = run_protocols(find_footage(footage), PROTOCOLS, methods(), CPU)
    assert without_secs(ended) == without_secs(plain)
    # The clip that was stopped in its middle begins again. Two clips under two protocols have these windows:
    per_clip = [2, 2, 4, 5]
    done = max(k for k in range(5) if sum(per_clip[:k]) < at)
    assert resumed.calls == sum(per_clip[done:])
    assert len(said) == 4 - done
    again = Stops()
    assert without_secs(run(footage, tmp_path / "stopped", again)) == without_secs(plain)
    assert again.calls == 0


@pytest.mark.parametrize("cut", [40])
def test_a_line_that_a_kill_cut_off_is_lost_alone(footage: Path, tmp_path: Path, cut: int) -> None:
    journal, stops = tmp_path / "j", Stops()
    expected = run(footage, journal, stops)
    journal.write_bytes(journal.read_bytes()[:-cut])
    resumed = Stops()
    assert without_secs(run(footage, journal, resumed)) == without_secs(expected)
    assert resumed.calls == 5
    assert len(journal.read_text().splitlines()) == 1 + 4


def test_values_survive_exactly(tmp_path: Path) -> None:
    odd = "a\ud800 name\nof two lines"  # A file's name may hold any bytes.
    journal = open_journal(tmp_path / "j", methods(), "cpu")
    assert journal.found == 0
    journal.add(PROTOCOLS[0], "clip", "id", RESULT)
    unknown = ClipResult([replace(score, clip=odd) for score in SCORES], Motion(math.nan, math.nan, 0.0, 1))
    journal.add(PROTOCOLS[0], odd, "id", unknown)
    again = open_journal(tmp_path / "j", methods(), "cpu")
    assert again.found == 2
    found = again.find(PROTOCOLS[0], "clip", "id")
    assert found is not None
    assert (found.scores, found.motion) == (RESULT.scores, RESULT.motion)
    found = again.find(PROTOCOLS[0], odd, "id")
    assert found is not None
    assert found.scores == unknown.scores
    assert math.isnan(found.motion.px)
    for other in (
        again.find(PROTOCOLS[1], "clip", "id"),
        again.find(PROTOCOLS[0], "clip", "changed file"),
        again.find(replace(PROTOCOLS[0], channel="rgb"), "clip", "id"),
    ):
        assert other is None


def test_a_changed_clip_is_scored_again(footage: Path, tmp_path: Path) -> None:
    run(footage, tmp_path / "j", Stops())
    first, second = sorted((footage / "a").glob("*.png"))[:2]
    first.write_bytes(second.read_bytes())
    resumed = Stops()
    run(footage, tmp_path / "j", resumed)
    assert resumed.calls == 2 + 4


def test_a_baseline_that_failed_stays_out(footage: Path, tmp_path: Path) -> None:
    def fails(low: Tensor, grid: Grid, times: Sequence[float]) -> list[Tensor]:
        raise BaselineFailedError("weak", "no memory \ud800")

    def both(weak: Any) -> MethodSet:
        return MethodSet([NamedMethod("weak", weak), NamedMethod("m", blend_bicubic)])

    method_set, clips = both(fails), find_footage(footage)
    run_protocols(clips, PROTOCOLS, method_set, CPU, journal=open_journal(tmp_path / "j", method_set, "cpu"))
    resumed = both(blend_bicubic)
    journal = open_journal(tmp_path / "j", resumed, "cpu")
    assert [method.name for method in resumed.methods] == ["m"]
    assert "no memory" in resumed.absent["weak"]
    assert journal.found == 4


@pytest.mark.parametrize(
    ("other", "device", "words"),
    [
        (methods(name="n"), "cpu", "of m, not of n"),
        (methods(fingerprint="other weights"), "cpu", "of other weights"),
        (methods(), "cuda", "on cpu, not on cuda"),
    ],
)
def test_the_journal_of_another_evaluation_is_refused(
    tmp_path: Path, other: MethodSet, device: str, words: str
) -> None:
    open_journal(tmp_path / "j", methods(), "cpu").add(PROTOCOLS[0], "clip", "id", RESULT)
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(UsageError, match=words):
        open_journal(tmp_path / "j", other, device)
    assert (tmp_path / "j").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"a text of mine\n", b"\xff\xfe\n", b"[]\n", b"null\n", b'{"format": "videoinr evaluate 1"}\n',
        b"[" * 100_000 + b"\n", b"1" * 5000 + b"\n",
        b'{"format": "videoinr evaluate 9", "methods": {}, "device": ""}\n',
    ],
)  # fmt: skip
def test_other_files_are_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(InputError):
        open_journal(tmp_path / "j", methods(), "cpu")
    assert (tmp_path / "j").read_bytes() == content


def test_a_text_of_one_unfinished_line_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"a shopping list")
    with pytest.raises(InputError):
        open_journal(tmp_path / "j", methods(), "cpu")
    assert (tmp_path / "j").read_bytes() == b"a shopping list"
    (tmp_path / "empty").write_bytes(b"")
    assert open_journal(tmp_path / "empty", methods(), "cpu").found == 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("scores", 1, "psnr_db"), "high"), (("scores", 1, "psnr_db"), 1e9), (("scores", 1, "frame"), -1),
        (("scores", 1, "ssim"), 7), (("scores", 0), None), (("motion", "steps"), 1.5), (("protocol",), 4),
        (("more",), 1), (("motion", "agreeing"), 2),
    ],
)  # fmt: skip
def test_nonsense_values_are_refused(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    open_journal(tmp_path / "j", methods(), "cpu").add(PROTOCOLS[0], "clip", "id", RESULT)
    head, line = (tmp_path / "j").read_text().splitlines()
    entry = json.loads(line)
    target = entry
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    (tmp_path / "j").write_text(f"{head}\n{json.dumps(entry)}\n")
    with pytest.raises(InputError, match="cannot be resumed"):
        open_journal(tmp_path / "j", methods(), "cpu")


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        open_journal(tmp_path / "no folder" / "j", methods(), "cpu")
    with pytest.raises(InputError):
        open_journal(tmp_path, methods(), "cpu")


def evaluate(footage: Path, *more: object) -> Outcome:
    return run_here("evaluate", "--data", footage, "--device", "cpu", *more)


def test_the_command_resumes(footage: Path, tmp_path: Path) -> None:
    model, journal = save_tiny_model(tmp_path), tmp_path / "run.jsonl"
    usual = ("--model", model, "--scale", 2, "--journal", journal, "--json")
    first, second = evaluate(footage, *usual), evaluate(footage, *usual)
    assert first.exit_code == second.exit_code == 0, first.stderr
    assert "0 results found" in first.stderr
    assert "2 results found" in second.stderr
    assert "b.mkv" in first.stderr
    assert "b.mkv" not in second.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)
    refused = evaluate(footage, *usual, "--baseline", "nearest")
    assert refused.exit_code == 2
    assert "belongs to another evaluation" in refused.stderr
    refused = evaluate(footage, "--model", model, "--journal", journal, "--seams")
    assert refused.exit_code == 2


def test_progress_says_how_far_and_how_long() -> None:
    said: list[str] = []
    now = [0.0]
    progress = Progress(4, said.append, lambda: now[0])
    progress.next()
    progress.clip("x1: a")
    now[0] = 29.0
    progress.window(1, 9)
    now[0] = 31.0
    progress.window(2, 9)
    now[0] = 60.0
    progress.finished()
    progress.next()  # Known from a journal, or left out.
    progress.next()
    progress.clip("x1: c")
    now[0] = 300.0
    progress.finished()
    progress.next()
    progress.clip("x2: a")
    assert said == [
        "x1: a (1 of 4)",
        "  2 of 9 windows, 31 s so far",
        "x1: c (3 of 4, 60 s so far, about 2 min left)",
        "x2: a (4 of 4, 5 min so far, about 2 min left)",
    ]
