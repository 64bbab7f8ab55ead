"""Opens a path as a clip of the right kind. PyAV is loaded only when a clip is opened."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import Clip, disk_errors
from videoinr.colour import ColourSpec, check_colour
from videoinr.errors import ClipError, UsageError


def open_clip(
    path: str | Path,
    *,
    colour: ColourSpec | None = None,
    picture_fps: Fraction = Fraction(24),
    stream: int | None = None,
    background: str = "black",
    deinterlace: str = "auto",
    token: CancelToken = NEVER,
) -> Clip:
    """Open a video file, a folder of pictures, one picture, or a pattern of pictures.

    A pattern is a glob (``shots/*.png``) or has a frame number (``img_%03d.png``). Pictures are sorted in natural
    order, img_2 before img_10. A video file is read once from start to end, without decoding, for its frames' times.

    Args:
        path: the file, folder or pattern.
        colour: how to read the pixels. If None, the clip's own tags decide, and guesses where they are missing.
        picture_fps: frames per second of a clip of pictures; positive.
        stream: which video stream of a file to show, counted from 0; None for the one that a player would show.
        background: what is shown behind transparent pixels: black, grey, white, a colour such as #2060ff, or
            checkerboard.
        deinterlace: "auto" deinterlaces the frames of a video that are said to be interlaced, one for each pair of
            fields, "on" all frames, "off" none.
        token: cancels the opening.

    Returns:
        The open clip. Close it, or use it in a ``with`` block.

    Raises:
        ClipError: there is no such clip, or it cannot be read.
        UsageError: ``colour``, ``background`` or ``deinterlace`` has an unknown name, ``picture_fps`` is not positive,
            or there is no such ``stream``.
        Cancelled: ``token`` was cancelled.
    """
    if colour is not None:
        check_colour(colour)
    if picture_fps <= 0:
        raise UsageError(f"Pictures cannot be shown at {picture_fps} frames per second.")
    from videoinr.clip.alpha_clip import with_alpha
    from videoinr.clip.deinterlacing import check_mode
    from videoinr.clip.picture_clip import open_pictures
    from videoinr.clip.picture_file import is_video_content
    from videoinr.clip.picture_folder import find_sequence
    from videoinr.clip.transparency import background_named
    from videoinr.clip.video_clip import open_video

    behind, fields = background_named(background), check_mode(deinterlace)
    where = Path(path)
    with disk_errors(where):
        pictures = find_sequence(where)
        if pictures is None:
            _check_is_file(where)
        elif where.is_file() and is_video_content(where):
            # An animation, or a video under the name of a picture.
            pictures = None
    if pictures is not None:
        if stream:
            raise UsageError(f"Pictures have no video stream {stream}.", hint="Leave the stream out.")
        return open_pictures(where, pictures, colour=colour, fps=picture_fps, token=token, background=behind)
    video = open_video(where, colour=colour, token=token, stream=stream, background=behind, deinterlace=fields)
    return with_alpha(video, behind, token)


def _check_is_file(where: Path) -> None:
    if not where.exists():
        raise ClipError(f"There is no file “{where}”.", hint="Check the name, or whether its disk is connected.")
    if not where.is_file():
        # Opening a pipe would block until another program writes into it.
        raise ClipError(f"“{where}” is not a file.", hint="Choose a video file, a picture, or a folder of pictures.")
