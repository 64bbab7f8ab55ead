"""The report for a description of a problem: complete, plain text, and without names and paths of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.command_line import run_here
from videoinr import doctor
from videoinr.doctor import ModelCheck, Report
from videoinr.text.hidden_names import HiddenNames
from videoinr.text.problem_report import CRASH_LINES, LOG_LINES, problem_report

REPORT = Report(
    versions=(("videoinr", "0.1.0"), ("torch", "2.13.0")), ways=(("encoder", "float32"),), devices=("cuda:0", "cpu"),
    encoders=(("libx264", True), ("h264_nvenc", False)), models=(ModelCheck("lite", "cpu", 0.0),), missing_libraries=(),
    screen_problem="There is no screen.", config_folder=Path("/home/alice/.config"), config_problem="Permission denied",
)  # fmt: skip
SETTINGS = """version = 1
geometry = "AdnQywAD"
recent = ["/home/alice/secret.mp4", "/home/alice/party, the.mkv"]
recent_actions = ["play", "export"]
theme = "dark"
[shortcuts]
play = ["Ctrl+/"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: f"Some GPU ({name})")
    # Not the one of this process: it remembers the files of other tests.
    monkeypatch.setattr("videoinr.text.problem_report.hidden_names", HiddenNames())
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    return tmp_path


def test_the_report_holds_what_explains_a_problem_and_no_names_of_files(home: Path) -> None:
    (home / "viewer.toml").write_text(SETTINGS)
    lines = [f"2026-11-29 02:20:31 INFO line {number} of '/home/alice/secret.mp4'" for number in range(2000)]
    (home / "viewer.log").write_text("\n".join(lines) + "\n\x1b[2Jred\n")
    crash = f'Fatal Python error: Aborted\n  File "{doctor.__file__}", line 7 in examine\n'
    (home / "crash.log").write_text(crash * 99)
    text = problem_report(REPORT, settings=home / "viewer.toml", log_folder=home)
    for words in (
        "Settings cannot be saved in <path>: Permission denied", "torch: 2.13.0", "cuda:0: Some GPU (cuda:0)\n  cpu\n",
        "screen: There is no screen.", "libx264: works", "h264_nvenc: does not work", "lite on cpu: works",
        "theme = 'dark'",
        "recent_actions = ['play', 'export']", "Ctrl+/", "line 1999 of <path>", "Fatal Python error: Aborted",
    ):  # fmt: skip
        assert words in text, text
    assert text.count("INFO line") == LOG_LINES - 1
    assert text.count("Fatal") == CRASH_LINES // 2
    assert f'File "{Path("videoinr/doctor.py")}", line 7' in text
    assert text.count("last written 2") == 2
    for words in ("alice", "secret", "party", "recent =", "geometry", str(home), "\x1b"):
        assert words not in text


def test_a_machine_where_the_window_never_ran_has_a_report(home: Path) -> None:
    text = problem_report(replace(REPORT, config_problem=""), settings=home / "viewer.toml", log_folder=home / "none")
    assert "Problems\n  none\n" in text
    assert text.count("  no file") == 3


def test_a_log_that_cannot_be_read_is_said(home: Path) -> None:
    (home / "viewer.log").mkdir()
    text = problem_report(REPORT, settings=home / "viewer.toml", log_folder=home)
    assert "End of the log\n  cannot be read: Is a directory" in text


def test_the_doctor_prints_the_report(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: REPORT)
    (home / "viewer.log").write_text("the end of the log\n")
    outcome = run_here("doctor", "--report")
    assert outcome.exit_code == 1, "the settings cannot be saved"
    assert outcome.stdout.startswith("VideoINR Viewer, report of 2")
    assert "the end of the log" in outcome.stdout
    assert run_here("doctor", "--report", "--json").exit_code == 2
