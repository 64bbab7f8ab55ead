"""The check of a folder of clips, without torch: a command that would take seconds to start answers at once."""

from __future__ import annotations

from pathlib import Path

from videoinr.errors import InputError

_OF_CLIPS = "Give a folder of clips; of a single clip, the folder that it is in."


def checked_folder(folder: Path, *, hint: str = _OF_CLIPS) -> Path:
    """Return ``folder``. Raises InputError, with ``hint``, if it is no folder."""
    if not folder.is_dir():
        what = f"{folder} is a file." if folder.exists() else f"There is no folder {folder}."
        raise InputError(what, hint=hint)
    return folder
