"""Events for a program that started a command with --json-progress: one JSON line each on stdout."""

from __future__ import annotations

import json
from contextlib import suppress

_TOLD = "videoinr_is_told"


def print_event(event: str, **values: object) -> None:
    """Print a JSON line on stdout."""
    # Flushed, so that a program sees each line at once.
    print(json.dumps({"event": event, **values}), flush=True)


def note_told(error: BaseException) -> None:
    """Note that an event has told ``error``."""
    with suppress(AttributeError):
        setattr(error, _TOLD, True)


def is_told(error: BaseException) -> bool:
    """Return whether an event has told ``error``."""
    return bool(getattr(error, _TOLD, False))
