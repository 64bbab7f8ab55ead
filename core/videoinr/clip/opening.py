"""Opens a path as a clip, after a helper process has opened it: a file that crashes or hangs ends only that process."""

from __future__ import annotations

from pathlib import Path

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import Clip
from videoinr.clip.direct_opening import listed, open_listed
from videoinr.clip.found import Found
from videoinr.clip.open_options import DEFAULT_OPTIONS, OpenOptions
from videoinr.clip.source_stamp import status_of


def open_clip(path: str | Path, options: OpenOptions = DEFAULT_OPTIONS, *, token: CancelToken = NEVER) -> Clip:
    """Open a video file, a folder of pictures, one picture, or a pattern of pictures.

    A pattern is a glob (``shots/*.png``) or has a frame number (``img_%03d.png`` or ``img_###.png``). Pictures are
    sorted in natural order, img_2 before img_10. A video file is read once from start to end, without decoding, for its
    frames' times.

    A helper process opens the clip first, so that a file that ends or stops the process that opens it is an error.

    Args:
        path: the file, folder or pattern.
        options: how to read it.
        token: cancels the opening.

    Returns:
        The open clip. Close it, or use it in a ``with`` block.

    Raises:
        ClipError: there is no such clip, or it cannot be read.
        UsageError: the file has no video stream of the number in ``options``.
        Cancelled: ``token`` was cancelled.
    """
    where = Path(path)
    pictures = listed(where)
    return open_listed(where, pictures, options, token, _found_by_helper(where, options, token))


def _found_by_helper(where: Path, options: OpenOptions, token: CancelToken) -> Found:
    """Let a helper process open ``where`` first; return what it found, if the file has not changed meanwhile."""
    # Imported here: commands that open no clip start faster without.
    from videoinr.isolation.helpers import HELPERS, is_on

    if not is_on():
        return Found()
    before = status_of(where)
    found = HELPERS.look(where, options, token)
    return found if status_of(where) == before else Found()
