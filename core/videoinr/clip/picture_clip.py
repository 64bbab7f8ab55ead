"""The clip of a folder of pictures: all of one size, shown at a constant rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from videoinr.cancel import CancelToken
from videoinr.clip.base import ClipBase, check_frame_index, identity_of
from videoinr.clip.frame_cache import FrameCache
from videoinr.clip.picture_file import decode_picture, stored_size
from videoinr.clip.pixels import PixelReader, bit_depth_of, family_of, tags_of
from videoinr.clip.video_clip import PICTURE_BYTES
from videoinr.clip.video_file import av_errors_as
from videoinr.colour import ColourSpec, colour_from_tags
from videoinr.errors import ClipError, UsageError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Pixels

_SIZES_CHECKED = 300
"""How many pictures, evenly spread, are compared in size while opening. The others are checked when read."""


class PictureClip(ClipBase):
    """The :class:`~videoinr.clip.Clip` of picture files. A picture that cannot be read is an error that names it."""

    def __init__(self, info: ClipInfo, timeline: Timeline, files: list[Path], reader: PixelReader) -> None:
        super().__init__(info, timeline, identity_of(info.path, files, info.colour))
        self._files, self._reader = files, reader
        self._pictures: FrameCache[Pixels] = FrameCache(PICTURE_BYTES, at_least=2)
        self._closed = False

    def frame(self, index: int) -> Pixels:
        """See :meth:`Clip.frame`."""
        check_frame_index(index, self._timeline.frame_count)
        if self._closed:
            raise UsageError(f"“{self._info.path.name}” was closed.")
        picture = self._pictures.get(index)
        if picture is None:
            picture = self._read(self._files[index])
            self._pictures.put(index, picture, picture.nbytes)
        return picture

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        self._closed = True
        self._pictures.clear()

    def _read(self, file: Path) -> Pixels:
        picture = decode_picture(file)
        frame, size = picture.frame, picture.orientation.upright_size(picture.frame.width, picture.frame.height)
        _check_same_size(file, size, (self._info.width, self._info.height))
        with av_errors_as(f"The picture “{file.name}” cannot be converted to RGB.", "Save it in an ordinary format."):
            return self._reader.pixels(frame)


def open_pictures(
    where: Path, files: list[Path], *, colour: ColourSpec | None, fps: Fraction, token: CancelToken
) -> PictureClip:
    """Open pictures as a clip; see :func:`~videoinr.clip.open_clip`.

    Args:
        where: the folder, file or pattern that was opened.
        files: its pictures, in order, at least one.
        colour: how to read the pixels; None for the first picture's tags and guesses.
        fps: frames per second.
        token: cancels the opening.

    Raises:
        ClipError: the first picture cannot be decoded, or the pictures differ in size.
        Cancelled: ``token`` was cancelled.
    """
    first = decode_picture(files[0])
    frame = first.frame
    for file in files[1 :: max(1, len(files) // _SIZES_CHECKED)]:
        token.check()
        _check_same_stored_size(file, (frame.width, frame.height))
    tags, family = tags_of(frame), family_of(frame.format)
    spec = colour or colour_from_tags(tags, width=frame.width, height=frame.height, family=family)
    orientation, depth = first.orientation, bit_depth_of(frame.format)
    width, height = orientation.upright_size(frame.width, frame.height)
    timeline = Timeline.constant(len(files), Fraction(fps))
    info = ClipInfo(
        path=where,
        width=width,
        height=height,
        rotation=orientation.degrees,
        fps=Fraction(fps),
        frames=len(files),
        duration_secs=timeline.duration_secs,
        vfr=False,
        codec=first.codec,
        pix_fmt=frame.format.name,
        bit_depth=depth,
        colour=spec,
        audio=(),
        interlaced=False,
        warnings=(),
    )
    reader = PixelReader(width=frame.width, height=frame.height, deep=depth > 8, colour=spec, orientation=orientation)
    return PictureClip(info, timeline, files, reader)


def _check_same_stored_size(file: Path, expected: tuple[int, int]) -> None:
    size = stored_size(file)
    # A camera may rotate single pictures: a swapped width and height is checked when the picture is read.
    if size != expected[::-1]:
        _check_same_size(file, size, expected)


def _check_same_size(file: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    if size != expected:
        raise ClipError(
            f"The picture “{file.name}” has {size[0]}x{size[1]} pixels, the first one {expected[0]}x{expected[1]}.",
            hint="Make all pictures of the clip the same size, or move the others to another folder.",
        )
