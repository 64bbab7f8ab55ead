"""The entry point of ``videoinr-viewer``: parses the command line, and only then imports Qt and the program."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from videoinr.commands.displays import display_problem
from videoinr.commands.window_libraries import in_words, missing_libraries
from videoinr_viewer.start.arguments import Arguments, parse
from videoinr_viewer.start.preload import preload_torch
from videoinr_viewer.start.qt_import import import_qt


def main(argv: Sequence[str] | None = None) -> int:
    """Run the viewer and return its exit code."""
    with _ended_by_ctrl_c():
        return _run(parse(argv))


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl+C end the process at once, until the window is there, which takes it in its own way.

    Python's own handler raises KeyboardInterrupt wherever the start is, also in Qt's imports, which abort then.
    """
    before = signal.getsignal(signal.SIGINT)
    if before != signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(arguments: Arguments) -> int:
    problem = display_problem(os.environ, sys.platform)
    if problem and arguments.is_unattended and not os.environ.get("QT_QPA_PLATFORM"):
        os.environ["QT_QPA_PLATFORM"], problem = "offscreen", ""
    if missing := missing_libraries(os.environ):
        problem = in_words(missing)
    if problem:
        print(f"videoinr-viewer: {problem}", file=sys.stderr)
        return 1
    if arguments.file is not None:
        preload_torch()
    # --version and --help end before these imports: Qt takes longer to import than everything else together.
    import_qt()
    from videoinr_viewer.start.program import run_for_user

    return run_for_user(arguments)


if __name__ == "__main__":
    sys.exit(main())
