"""``python -m helpers.forked_commands STORE COMMAND ...``: runs commands of the program in turn, each in a fork.

COMMAND is a JSON list of the program's arguments. The modules are imported once, before forking, which takes longer
than a short training. Under torchrun, the processes of the second command find each other by STORE, a file that is not
there yet: in torchrun's own store stand the addresses of the first command's processes, and a port that is free now may
be taken a second later.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from functools import partial

# Nothing may be computed before a fork: OpenMP does not survive it.
_IMPORTED = ("torch._dynamo", "videoinr.commands.train", "videoinr.training.loop")


def _end_with(child: int) -> None:
    """End ``child`` and this process: torchrun ends this one if another process failed, and the fork would wait on."""
    os.kill(child, signal.SIGKILL)
    os._exit(128 + signal.SIGTERM)


def _meet_by(store: str) -> None:
    """Let the processes of the next command find each other by the file ``store``."""
    import torch.distributed as dist

    count = int(os.environ["WORLD_SIZE"])
    file = dist.FileStore(store, count)  # type: ignore[attr-defined]
    dist.init_process_group = partial(
        dist.init_process_group, store=file, rank=int(os.environ["RANK"]), world_size=count
    )


def _run_in_fork(arguments: list[str], store: str | None) -> int:
    """Run the command line with ``arguments`` in a fork; return its exit code."""
    child = os.fork()
    if child:
        signal.signal(signal.SIGTERM, lambda *_: _end_with(child))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        if store is not None:
            _meet_by(store)
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
    store, *commands = sys.argv[1:]
    assert len(commands) <= 2, "there is one store"
    for number, command in enumerate(commands):
        if code := _run_in_fork(json.loads(command), store if number else None):
            sys.exit(code)


if __name__ == "__main__":
    main()
