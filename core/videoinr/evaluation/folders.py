"""The check of a folder of clips, without torch: a command that would take seconds to start answers at once."""

from __future__ import annotations

from pathlib import Path

from videoinr.errors import InputError


def checked_folder(folder: Path) -> Path:
    """Return ``folder``. Raises InputError if it is no folder."""
    if not folder.is_dir():
        what = f"{folder} is a file." if folder.exists() else f"There is no folder {folder}."
        raise InputError(what, hint="Give a folder of clips; of a single clip, the folder that it is in.")
    return folder
