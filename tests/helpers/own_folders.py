"""Settings, states and caches of tests: never the user's, whose contents would change what a test sees."""

from __future__ import annotations

import os
from pathlib import Path


def own_folders(folder: Path) -> dict[str, str]:
    """Return the environment that puts a program's settings, states and caches into ``folder``.

    The compiled code, whose names follow from its contents, is that of the user's cache: compiling it anew takes a
    second.
    """
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "videoinr" / "native"
    link = folder / "videoinr" / "native"
    if os.name == "posix" and not link.is_symlink():
        usual.mkdir(mode=0o700, parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(usual.resolve(), target_is_directory=True)
    return {f"XDG_{kind}_HOME": str(folder) for kind in ("CONFIG", "STATE", "CACHE")}
