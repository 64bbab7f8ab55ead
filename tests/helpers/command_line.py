"""Runs the command line, in a process of its own or, which is faster, in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import typer.testing
from typer.main import get_command
from typer.testing import CliRunner

REPOSITORY = Path(__file__).parents[2]
END_SECS = 60
"""How long a command whose output has ended may take to end."""

# Typer's runner builds the whole command line for each run, which takes longer than many commands.
setattr(typer.testing, "_get_command", cache(get_command))  # noqa: B010


@dataclass(frozen=True)
class Outcome:
    """The exit code and the output of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def has_traceback(self) -> bool:
        return "Traceback" in self.stdout + self.stderr


class Running(Protocol):
    """A command that was started: a process, or a fork of :mod:`helpers.fork_server`."""

    def __enter__(self) -> Running: ...

    def __exit__(self, *_: Any) -> None: ...

    def communicate(self, *, timeout: float) -> tuple[str, str]:
        """Return the rest of the output after the end. Raises subprocess.TimeoutExpired."""
        ...

    def wait(self, timeout: float, /) -> int:
        """Return the exit code."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


def python_path(*folders: str) -> str:
    """Return a PYTHONPATH of ``folders`` of this checkout, then the present one: pytest may come from there."""
    ends = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*(str(REPOSITORY / folder) for folder in folders), *([ends] if ends else [])])


def environment() -> dict[str, str]:
    """Return the environment of a command that runs from this checkout."""
    path = python_path("core", "resources", "tests")
    # COLUMNS: otherwise rich wraps its lines at the width of the terminal.
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def start(*arguments: object, module: str = "videoinr.cli") -> subprocess.Popen[str]:
    """Start ``python -m module arguments`` with pipes, from this checkout."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment()
    )


def run(*arguments: object, module: str = "videoinr.cli", timeout_secs: float = 120) -> Outcome:
    """Run a command to its end. Raises subprocess.TimeoutExpired if it hangs."""
    return outcome_of(start(*arguments, module=module), timeout_secs)


def outcome_of(running: Running, timeout_secs: float) -> Outcome:
    """Wait for the end of a command. Kills it and raises subprocess.TimeoutExpired if it hangs."""
    with running as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout_secs)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Outcome(process.wait(END_SECS), stdout, stderr)


def run_here(*arguments: object) -> Outcome:
    """Run a command in this process."""
    from videoinr.cli import app

    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)
