"""``videoinr-viewer``: reads the command line, and only then imports the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from videoinr_viewer.start.arguments import parse
from videoinr_viewer.start.preload import preload_torch


def has_screen(environment: Mapping[str, str], platform: str) -> bool:
    """Whether Qt will find a screen; without one it would end the process without a word that helps."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return platform in ("win32", "darwin") or any(environment.get(name) for name in names)


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point."""
    arguments = parse(argv)
    if not has_screen(os.environ, sys.platform):
        if not arguments.is_unattended:
            print("videoinr-viewer: There is no screen to show a window on. Set DISPLAY, or use --screenshot.",
                  file=sys.stderr)  # fmt: skip
            return 1
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if arguments.file is not None:
        preload_torch()
    # Qt takes longer to import than all else together; --version and --help do without it.
    from videoinr_viewer.start.program import run_for_user

    return run_for_user(arguments)


if __name__ == "__main__":
    sys.exit(main())
