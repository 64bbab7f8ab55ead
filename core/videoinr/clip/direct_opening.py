"""Opens a path as a clip of the right kind in this process: pictures, a video, or a video with an alpha channel."""

from __future__ import annotations

from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.clip.base import Clip, disk_errors
from videoinr.clip.found import Found
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.picture_sequence import PictureSequence
from videoinr.errors import ClipError, UsageError


def open_directly(path: Path, options: OpenOptions, token: CancelToken, found: Found) -> Clip:
    """Open a clip; see :func:`~videoinr.clip.open_clip`.

    Args:
        path: the file, folder or pattern.
        options: how to read it.
        token: cancels the opening.
        found: what an opening before found; it gets what this one finds.

    Raises:
        ClipError, UsageError, Cancelled: as for :func:`~videoinr.clip.open_clip`.
    """
    return open_listed(path, listed(path), options, token, found)


def listed(where: Path) -> PictureSequence | None:
    """Return the pictures that ``where`` names, or None for a file that may be a video. Only names are read.

    Raises:
        ClipError: there is no such clip.
    """
    from videoinr.clip.picture_folder import find_sequence

    with disk_errors(where):
        pictures = find_sequence(where)
        if pictures is None:
            _check_is_file(where)
    return pictures


def open_listed(
    where: Path, pictures: PictureSequence | None, options: OpenOptions, token: CancelToken, found: Found
) -> Clip:
    """Open ``where``, of which :func:`listed` returned ``pictures``; otherwise as :func:`open_directly`."""
    from videoinr.clip.alpha_clip import with_alpha
    from videoinr.clip.picture_clip import open_pictures
    from videoinr.clip.picture_file import is_video_content
    from videoinr.clip.video_clip import open_video

    with disk_errors(where):
        if pictures is not None and where.is_file() and is_video_content(where):
            # An animation, or a video under the name of a picture.
            pictures = None
    if pictures is not None:
        if options.stream:
            raise UsageError(f"Pictures have no video stream {options.stream}.", hint="Leave the stream out.")
        clip: Clip = open_pictures(where, pictures, options, token, found)
    else:
        clip = with_alpha(open_video(where, options, token, found), options.behind, token, found)
    clip.cut_edits = options.cut_edits
    return clip


def _check_is_file(where: Path) -> None:
    if not where.exists():
        raise ClipError(f"There is no file “{where}”.", hint="Check the name, or whether its disk is connected.")
    if not where.is_file():
        # Opening a pipe would block until another program writes into it.
        raise ClipError(f"“{where}” is not a file.", hint="Choose a video file, a picture, or a folder of pictures.")
