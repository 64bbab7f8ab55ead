"""Gives a finished file its name, without replacing another unless asked."""

from __future__ import annotations

import os
from pathlib import Path


def move_new(source: Path, target: Path) -> None:
    """Rename the file ``source`` to ``target``.

    Raises:
        FileExistsError: there is something called ``target``. Another process may have made it a moment ago: the check
            and the renaming are one step.
        OSError: the file system refuses.
    """
    try:
        # A link refuses a name that is taken, which a rename replaces.
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # Some file systems (FAT, many network drives) have no links. An empty file takes the name first.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.replace(source, target)
    else:
        os.unlink(source)
