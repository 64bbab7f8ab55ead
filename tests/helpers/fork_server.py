"""Commands in processes of their own that need not import torch: forks of a process that has imported it.

A fork has the exit code, the output and the end of an interpreter of a process of its own. What it lacks is the start
of Python, whose imports take longer than most commands of the tests.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.command_line import Outcome, environment

# Nothing may be computed before a fork: OpenMP does not survive it.
IMPORTED = ("torch", "av", "videoinr.commands.probe", "videoinr.commands.decode", "videoinr.commands.export",
            "videoinr.render.engine")  # fmt: skip
"""What the server imports before it forks."""
END_SECS = 10


class ForkServer:
    """The client: runs one command at a time."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder

    def run(self, *arguments: object, timeout_secs: float = 120) -> Outcome:
        """Run a command of the program in a fork, to its end. Raises subprocess.TimeoutExpired if it hangs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        command = [str(each) for each in arguments]
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout_secs)[0]:
            raise subprocess.TimeoutExpired(command, timeout_secs)
        code = int(self._process.stdout.readline())
        return Outcome(code, *((self._folder / name).read_text() for name in ("stdout", "stderr")))


@contextmanager
def fork_server(folder: Path) -> Iterator[ForkServer]:
    """Start a server, whose forks write their output to ``folder``; at the end kill it and a fork that hangs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.fork_server", folder], env=environment(), text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield ForkServer(process, folder)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=END_SECS)


def _become(command: list[str], folder: Path) -> None:
    """Make this fork the process of ``command``, and run it."""
    for number, path in enumerate((Path(os.devnull), folder / "stdout", folder / "stderr")):
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, number)
        os.close(target)
    sys.argv = ["videoinr", *command]
    from videoinr.cli import main

    main()


def _serve(folder: Path) -> None:
    """Run the commands that stdin names, in turn; in a fork, return or raise as its command does."""
    for name in IMPORTED:
        importlib.import_module(name)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            _become(json.loads(line), folder)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
