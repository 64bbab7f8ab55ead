"""What both frozen programs run: the window or the command line, by the name of the program.

A frozen program has no interpreter beside it: ``sys.executable`` is the program itself. It therefore understands
``[-P ...] -m videoinr.MODULE ...`` as Python does; this is how the window starts exports and the doctor in processes of
their own.
"""

from __future__ import annotations

import multiprocessing
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

WINDOW = "videoinr-viewer"
PACKAGES = ("videoinr", "videoinr_viewer")
_FLAGS = set("BEIPSbdsuvq")
"""Flags of Python without a value. They change nothing here: a frozen program reads no path and no environment."""


def module_to_run(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the module that ``words`` ask for as Python's ``-m``, and the words that follow; None if for none.

    Only modules of the program can be run, so that a file name that happens to be ``-m`` reaches the program.
    """
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "-m":
            is_ours = bool(rest) and rest[0].split(".")[0] in PACKAGES
            return (rest[0], rest[1:]) if is_ours else None
        if word == "-X" and rest:
            rest.pop(0)
        elif not word[1:] or not set(word[1:]) <= _FLAGS:
            return None
    return None


def main() -> None:
    """Run what the name of the program and its arguments say."""
    multiprocessing.freeze_support()
    if (asked := module_to_run(sys.argv[1:])) is not None:
        module, sys.argv[1:] = asked
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    elif Path(sys.argv[0]).stem == WINDOW:
        from videoinr_viewer.main import main as open_window

        sys.exit(open_window())
    else:
        from videoinr.cli import main as run_command

        run_command()


if __name__ == "__main__":
    main()
