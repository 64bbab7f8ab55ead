"""The environment of a process that runs another build of the program: a checkout, such as a git worktree."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def environment(build: Path) -> dict[str, str]:
    """Return the environment in which Python imports the packages of ``build``, and its tests' helpers."""
    roots = [str(build / name) for name in ("app", "core", "resources", "tests")]
    ends = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*roots, *([ends] if ends else [])]),
        "QT_QPA_PLATFORM": "offscreen",
        # As installed: without byte code, a start would measure how much text a build has.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": os.path.join(tempfile.gettempdir(), "videoinr-compare-speed"),
    }
