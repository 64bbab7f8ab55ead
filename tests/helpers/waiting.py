"""Waits for what another thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECS = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds; fail if that takes too long."""
    end = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)
