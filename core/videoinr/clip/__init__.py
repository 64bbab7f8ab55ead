"""Clips: a video file or a folder of pictures, read frame by frame, in any order.

This module only names things; PyAV is loaded when a clip is opened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from videoinr.cancel import NEVER, CancelToken
from videoinr.colour import ColourSpec, check_colour
from videoinr.errors import ClipError, UsageError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, FramePair, PairKey, Pixels


class Clip(Protocol):
    """An open clip. One thread at a time may use it, whichever; :meth:`close` ends its decoder's own threads."""

    @property
    def info(self) -> ClipInfo:
        """What the clip is."""
        ...

    @property
    def timeline(self) -> Timeline:
        """When its frames are shown; second 0 is the first frame's start."""
        ...

    @property
    def identity(self) -> str:
        """Names the clip's content: path, size, modification time and colours. A changed file is another clip."""
        ...

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` (0 ... frames - 1), [height, width, 3] full-range RGB. Read it, never write to it.

        A frame that is promised but cannot be decoded (a damaged file) shows as the nearest one before it that
        can, or failing that the nearest after.

        Raises:
            ClipError: nothing around that frame can be decoded.
            UsageError: the clip has no such frame.
        """
        ...

    def pair(self, index: int) -> FramePair:
        """Frames ``index`` and ``index + 1``; the only pair of a one-frame clip is that frame twice.

        Raises:
            ClipError: as for :meth:`frame`.
            UsageError: the clip has no such pair.
        """
        ...

    def close(self) -> None:
        """Let go of the file, the decoder and its threads. Safe to call twice; nothing can be read afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def open_clip(
    path: str | Path,
    *,
    colour: ColourSpec | None = None,
    picture_fps: Fraction = Fraction(24),
    token: CancelToken = NEVER,
) -> Clip:
    """Open a video file, a folder of pictures, one picture, or a pattern of pictures.

    A pattern is a glob (``shots/*.png``) or has a frame number (``img_%03d.png``); pictures are taken in natural
    order, img_2 before img_10. A video file is read through once, without decoding, for the times of its frames.

    Args:
        path: the file, folder or pattern.
        colour: what the pixels mean, in place of what the clip says and of every guess.
        picture_fps: frames per second of a clip made of pictures.
        token: cancels the opening.

    Raises:
        ClipError: there is no such clip, or nothing in it can be shown.
        UsageError: ``colour`` or ``picture_fps`` makes no sense.
        Cancelled: ``token`` was cancelled.
    """
    if colour is not None:
        check_colour(colour)
    if picture_fps <= 0:
        raise UsageError(f"Pictures cannot be shown at {picture_fps} frames per second.")
    from videoinr.clip.picture_clip import open_pictures
    from videoinr.clip.picture_folder import find_pictures
    from videoinr.clip.video_clip import open_video

    where = Path(path)
    with _disk_errors(where):
        pictures = find_pictures(where)
        if pictures is None:
            _check_is_file(where)
    if pictures is not None:
        return open_pictures(where, pictures, colour=colour, fps=picture_fps, token=token)
    return open_video(where, colour=colour, token=token)


def pair_of(clip: Clip, index: int) -> FramePair:
    """The pair ``index`` of ``clip``, read frame by frame. For implementations of :meth:`Clip.pair`."""
    count = clip.timeline.frame_count
    if not 0 <= index < clip.timeline.pair_count:
        raise UsageError(f"There is no pair {index} in a clip of {count} frames.")
    first = clip.frame(index)
    return FramePair(PairKey(clip.identity, index), first, clip.frame(index + 1) if count > 1 else first)


def check_frame_index(index: int, count: int) -> None:
    """Raise :class:`UsageError` unless a clip of ``count`` frames has a frame ``index``."""
    if not 0 <= index < count:
        raise UsageError(f"There is no frame {index} in a clip of {count}: the first is 0, the last {count - 1}.")


def identity_of(where: Path, files: list[Path], colour: ColourSpec) -> str:
    """A string that changes when the path, a file's size or time of change, or the colours do."""
    from hashlib import blake2b

    digest = blake2b(digest_size=16)
    with _disk_errors(where):
        for file in files:
            status = file.stat()
            digest.update(f"{file.name}/{status.st_size}/{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    fields = f"{colour.matrix},{colour.range},{colour.primaries},{colour.transfer}"
    return f"{where.resolve()}|{digest.hexdigest()}|{fields}"


@contextlib.contextmanager
def _disk_errors(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ClipError(f"“{where}” cannot be read: {reason}.", hint="Check its name and permissions.") from error


def _check_is_file(where: Path) -> None:
    if not where.exists():
        raise ClipError(f"There is no file “{where}”.", hint="Check the name, or whether its disk is connected.")
    if not where.is_file():
        # Opening a pipe would wait for somebody to write into it.
        raise ClipError(f"“{where}” is not a file.", hint="Choose a video file, a picture, or a folder of pictures.")
