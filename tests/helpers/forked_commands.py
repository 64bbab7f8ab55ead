"""``python -m helpers.forked_commands PORT COMMAND ...``: runs commands of the program in turn, each in a fork.

COMMAND is a JSON list of the program's arguments. The modules are imported once, before forking, which takes longer
than a short training. Under torchrun, PORT is a free port by which the processes of the second command find each other.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback

# Nothing may be computed before a fork: OpenMP does not survive it.
_IMPORTED = ("torch._dynamo", "videoinr.commands.train", "videoinr.training.loop")


def _end_with(child: int) -> None:
    """End ``child`` and this process: torchrun ends this one if another process failed, and the fork would wait on."""
    os.kill(child, signal.SIGKILL)
    os._exit(128 + signal.SIGTERM)


def _run_in_fork(arguments: list[str], port: str | None) -> int:
    """Run the command line with ``arguments`` in a fork; return its exit code."""
    child = os.fork()
    if child:
        signal.signal(signal.SIGTERM, lambda *_: _end_with(child))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        if port is not None:
            # In torchrun's own store the addresses of the first command's processes stand already.
            os.environ.update(MASTER_PORT=port, TORCHELASTIC_USE_AGENT_STORE="False")
        sys.argv = ["videoinr", *arguments]
        from videoinr.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Run the commands of ``sys.argv`` until one fails; exit with its code."""
    for name in _IMPORTED:
        importlib.import_module(name)
    port, *commands = sys.argv[1:]
    assert len(commands) <= 2, "there is one port"
    for number, command in enumerate(commands):
        if code := _run_in_fork(json.loads(command), port if number else None):
            sys.exit(code)


if __name__ == "__main__":
    main()
