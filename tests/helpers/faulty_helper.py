"""A helper process that ends or stops at files of certain names, as libraries do at some damaged ones."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.clip import Clip
from videoinr.clip.found import Found
from videoinr.clip.open_options import OpenOptions
from videoinr.isolation import server

EXIT_CODE = 3
LONG_SECS = 600
WATCHDOG = "FAULTY_HELPER_WATCHDOG_SECS"


def look(where: Path, options: OpenOptions, token: CancelToken, found: Found) -> Clip:
    """Open a clip, unless its name asks for a fault."""
    if where.stem == "exits":
        os._exit(EXIT_CODE)
    elif where.stem == "killed":
        os.kill(os.getpid(), signal.SIGTERM)
    elif where.stem == "sleeps":
        time.sleep(LONG_SECS)
    elif where.stem == "holds_the_lock":
        ctypes.PyDLL(None).sleep(LONG_SECS)
    elif where.stem == "fails":
        raise AssertionError("a fault of the program")
    return server.look(where, options, token, found)


def serve() -> None:
    """Answer questions; the watchdog's time is in the environment."""
    server.WATCHDOG_SECS = float(os.environ.get(WATCHDOG, server.WATCHDOG_SECS))
    server.serve(look)
