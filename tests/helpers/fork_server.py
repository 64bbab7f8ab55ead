"""Commands in processes of their own that need not import anything: forks of a process that has imported it all.

``start`` and ``run`` are those of :mod:`helpers.command_line`. A fork has its own memory, files, signals, output and
exit code, and ends as an interpreter ends; only the imports of its start are missing, which take longer than most
commands of the tests. Tests of that start use the other module.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import IO, Any

from helpers.command_line import END_SECS, Outcome, environment, outcome_of

_STUBBED = (
    "torch", "av", "pydantic", "rich.progress", "videoinr.api", "videoinr.cli",
    "videoinr.clip.video_file", "videoinr.commands.export", "videoinr.exporting.arguments", "videoinr.exporting.export",
    "videoinr.exporting.job_file", "videoinr.exporting.picture_formats", "videoinr.exporting.sound.coder",
    "videoinr.exporting.video_mux", "videoinr.isolation.helpers", "videoinr.journey.arguments",
    "videoinr.model.weights", "videoinr.render.open_arguments", "zoneinfo", "helpers.slow_cli", "helpers.held_frames",
)  # fmt: skip
"""What commands with a stub engine import: not the engine, whose module the stub replaces."""
_WHOLE = (
    "torch",
    "av",
    "videoinr.cli",
    "videoinr.commands.probe",
    "videoinr.commands.decode",
    "videoinr.render.engine",
)
START_SECS = 200


class Fork:
    """A command in a fork, as far as tests use :class:`subprocess.Popen`."""

    def __init__(self, stdout: IO[str], stderr: IO[str], status: IO[str]) -> None:
        self.stdout, self.stderr, self._status = stdout, stderr, status
        assert select.select([status], [], [], START_SECS)[0], "The server of forks does not answer."
        self.pid = int(status.readline())
        self.returncode: int | None = None

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self.stdout, self.stderr):
            file.close()
        try:
            self.wait(END_SECS)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            raise
        finally:
            self._status.close()

    def poll(self) -> int | None:
        """Return the exit code, minus a signal's number, or None while the command runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = int(self._status.readline())
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless the command has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # It ended just now: its exit code is still to be told.
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL unless the command has ended."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Return the rest of the output after the end. Raises subprocess.TimeoutExpired."""
        texts: dict[IO[str], str] = {}

        def read(file: IO[str]) -> None:
            texts[file] = file.read()

        readers = [threading.Thread(target=read, args=(file,), daemon=True) for file in (self.stdout, self.stderr)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
        if len(texts) < len(readers):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        self.wait(timeout)
        for file in (self.stdout, self.stderr, self._status):
            file.close()
        return texts[self.stdout], texts[self.stderr]


def start(*arguments: object, module: str = "videoinr.cli") -> Fork:
    """Start ``python -m module arguments`` in a fork, with pipes, in this process's folder and environment."""
    command = {"module": module, "arguments": [str(each) for each in arguments], "environment": environment(),
               "folder": os.getcwd()}  # fmt: skip
    pipes = [os.pipe() for _ in range(3)]
    server = _server(_WHOLE if module == "videoinr.cli" else _STUBBED)
    socket.send_fds(server, [json.dumps(command).encode()], [into for _, into in pipes])
    for _, into in pipes:
        os.close(into)
    return Fork(*(os.fdopen(out) for out, _ in pipes))


def run(*arguments: object, module: str = "videoinr.cli", timeout_secs: float = 120) -> Outcome:
    """Run a command in a fork to its end. Raises subprocess.TimeoutExpired if it hangs."""
    return outcome_of(start(*arguments, module=module), timeout_secs)


@cache
def _server(imports: tuple[str, ...]) -> socket.socket:
    """Start a server; it ends with this process, whose end of the socket it reads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.fork_server", str(theirs.fileno()), *imports], env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True,
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # With a command that a failed test has left.
        process.wait(END_SECS)

    atexit.register(end)
    return ours


def _become(command: dict[str, Any], out: int, err: int) -> None:
    """Make this fork the process of ``command``, and run it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A test run under nohup ignores it, and a process inherits that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.dup2(out, 1)
    os.dup2(err, 2)
    # Python's own streams were made for /dev/null, which can be sought in: they refuse another way of errors in a pipe.
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.close(out)
    os.close(err)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    sys.argv = [command["module"], *command["arguments"]]
    importlib.import_module(command["module"]).main()


def _watch(child: int, status: int) -> None:
    """Tell the number and the exit code of ``child``, the process of a command."""
    os.write(status, f"{child}\n".encode())
    os.write(status, f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n".encode())


def _serve(requests: socket.socket) -> None:
    """Fork for each command; a fork returns or raises as its command does."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for the forks that watch.
    while True:
        text, files, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not text:
            return None
        out, err, status = files
        if not os.fork():
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child = os.fork()
            if not child:
                os.close(status)
                return _become(json.loads(text), out, err)
            os.close(out)
            os.close(err)
            _watch(child, status)
            os._exit(0)
        for each in (out, err, status):
            os.close(each)


if __name__ == "__main__":
    # Nothing may be computed before a fork: OpenMP does not survive it.
    for name in sys.argv[2:]:
        importlib.import_module(name)
    # At its end an interpreter looks at all objects for garbage; frozen ones it leaves alone, and a fork copies no page
    # for that (0.5 s of processor time, then 0.2).
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
