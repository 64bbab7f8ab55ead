"""The priority of threads."""

from __future__ import annotations

import contextlib
import os
import sys
import threading


def stand_back(by: int = 5) -> None:
    """Give this thread, and those that it starts, a lower priority where each thread can have one of its own.

    Args:
        by: by how much their niceness grows; the most there is, is 19.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + by)
