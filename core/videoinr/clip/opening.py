"""Opens a path as a clip of the right kind. PyAV is loaded only when a clip is opened."""

from __future__ import annotations

from pathlib import Path

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import Clip, disk_errors
from videoinr.clip.open_options import DEFAULT_OPTIONS, OpenOptions
from videoinr.errors import ClipError, UsageError


def open_clip(path: str | Path, options: OpenOptions = DEFAULT_OPTIONS, *, token: CancelToken = NEVER) -> Clip:
    """Open a video file, a folder of pictures, one picture, or a pattern of pictures.

    A pattern is a glob (``shots/*.png``) or has a frame number (``img_%03d.png``). Pictures are sorted in natural
    order, img_2 before img_10. A video file is read once from start to end, without decoding, for its frames' times.

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
    from videoinr.clip.alpha_clip import with_alpha
    from videoinr.clip.picture_clip import open_pictures
    from videoinr.clip.picture_file import is_video_content
    from videoinr.clip.picture_folder import find_sequence
    from videoinr.clip.video_clip import open_video

    where = Path(path)
    with disk_errors(where):
        pictures = find_sequence(where)
        if pictures is None:
            _check_is_file(where)
        elif where.is_file() and is_video_content(where):
            # An animation, or a video under the name of a picture.
            pictures = None
    if pictures is not None:
        if options.stream:
            raise UsageError(f"Pictures have no video stream {options.stream}.", hint="Leave the stream out.")
        clip: Clip = open_pictures(where, pictures, options, token)
    else:
        clip = with_alpha(open_video(where, options, token), options.behind, token)
    clip.cut_edits = options.cut_edits
    return clip


def _check_is_file(where: Path) -> None:
    if not where.exists():
        raise ClipError(f"There is no file “{where}”.", hint="Check the name, or whether its disk is connected.")
    if not where.is_file():
        # Opening a pipe would block until another program writes into it.
        raise ClipError(f"“{where}” is not a file.", hint="Choose a video file, a picture, or a folder of pictures.")
