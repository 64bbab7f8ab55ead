"""Ends the program quietly if Ctrl+C is pressed while its modules are still being imported.

Imported first by the command line. Nothing has been written by then, so there is nothing to clean up; without this
module, Python would print a traceback. Does nothing where the command line is imported by another program.
"""

from __future__ import annotations

# The core of the module ``signal``, which takes longer to import than all of this takes to run.
import _signal  # type: ignore[import-not-found]
import os
import sys

_INTERRUPTED = 130
_NAMES = ("videoinr", "videoinr.exe", "videoinr-script.py")


def _is_program() -> bool:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return getattr(spec, "name", None) == "videoinr.cli" or os.path.basename(sys.argv[0]) in _NAMES


def _end(_signal: int, _frame: object) -> None:
    os.write(2, b"Stopped.\n")
    os._exit(_INTERRUPTED)


def interrupt_normally() -> None:
    """Let Ctrl+C raise KeyboardInterrupt from now on, if this module changed that."""
    if _signal.getsignal(_signal.SIGINT) is _end:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


if _is_program() and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _end)
