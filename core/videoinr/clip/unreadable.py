"""Why a file cannot be opened as a video, where its first bytes tell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

from videoinr.clip.early_end import lacks_index
from videoinr.clip.formats import NO_PLAYLISTS, is_text
from videoinr.errors import ClipError

_NO_INDEX = (
    "Copy the file again. Of a recording that was interrupted, only a program that rebuilds the index can save frames."
)

_SOUND = re.compile(
    rb"RIFF....WAVE|RF64....WAVE|fLaC|FORM....AIF[FC]|caff|ID3|\xff[\xe2-\xe7\xf0-\xfd][^\xf0-\xff]", re.DOTALL
)
"""How files of sound alone begin: WAV, FLAC, AIFF, CAF, MP3, AAC. They may hold a cover, but no video.

No header of MP3 or AAC begins with the mark of UTF-16, FF FE, or with FF alone, as an erased memory card does.
"""


def refuse_empty(path: Path) -> NoReturn:
    """Raise the error of a file without a byte."""
    raise ClipError(f"“{path.name}” is empty.", hint="Copy or record it again.")


def refuse_if_known_why(path: Path) -> None:
    """Raise the error of a file that FFmpeg does not open, if more is known than that.

    Raises:
        ClipError: the file is text, sound, or an MP4 or QuickTime file without its index.
    """
    if is_text(path):
        raise ClipError(f"“{path.name}” can't be read as video: it is text.", hint=NO_PLAYLISTS) from None
    if _SOUND.match(_head(path)):
        raise ClipError(f"“{path.name}” holds only sound.", hint="Choose a file with video.") from None
    if lacks_index(path):
        raise ClipError(f"“{path.name}” was cut off before its index, which comes last.", hint=_NO_INDEX) from None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(12)
    except OSError:
        return b""
