"""The clip of a folder of pictures, or of the pages of one file: all of one size, shown at a constant rate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import ClipBase, check_frame_index, disk_errors, identity_of
from videoinr.clip.found import Found
from videoinr.clip.frame_cache import FrameCache
from videoinr.clip.open_options import OpenOptions
from videoinr.clip.picture_file import DecodedPicture, decode_picture, is_video_content, pages_of, stored_size
from videoinr.clip.picture_format import JPEG_2000, LINEAR, TIFF
from videoinr.clip.picture_sequence import PictureSequence
from videoinr.clip.picture_timecode import picture_timecode
from videoinr.clip.pixels import PixelReader, bit_depth_of, family_of, tags_of
from videoinr.clip.source_stamp import SourceStamp
from videoinr.clip.start_timecode import start_timecode
from videoinr.clip.transparency import transparency_note
from videoinr.clip.video_clip import PICTURE_BYTES
from videoinr.clip.video_file import av_errors_as
from videoinr.colour import ColourSpec, ColourTags, colour_from_tags
from videoinr.errors import ClipError, UsageError
from videoinr.text.phrases import format_count
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Pixels, StartTimecode

_SIZES_CHECKED = 300
"""How many pictures, evenly spread, are compared in size while opening. The others are checked when read."""

_LINEAR_NOTE = "The pictures hold linear light. They are shown as sRGB; what is brighter than white is cut off."


class _Place(NamedTuple):
    """Where the picture of a frame is: page ``page`` of ``file``."""

    file: Path
    page: int = 0


class PictureClip(ClipBase):
    """The :class:`~videoinr.clip.Clip` of picture files. A picture that cannot be read is an error that names it."""

    def __init__(
        self,
        info: ClipInfo,
        timeline: Timeline,
        places: list[_Place],
        reader: PixelReader,
        identity: str,
        stamp: SourceStamp | None = None,
    ) -> None:
        super().__init__(info, timeline, identity, stamp)
        self._places, self._reader = places, reader
        self._pictures: FrameCache[Pixels] = FrameCache(PICTURE_BYTES, at_least=2)
        self._closed = False

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""
        token.check()
        check_frame_index(index, self._timeline.frame_count)
        if self._closed:
            raise UsageError(f"“{self._info.path.name}” was closed.")
        picture = self._pictures.get(index)
        if picture is None:
            picture = self._read(self._places[index])
            self._pictures.put(index, picture, picture.nbytes)
        return picture

    def hold_at_most(self, frames: int) -> None:
        """See :meth:`Clip.hold_at_most`."""
        self._pictures.limit(frames)

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        self._closed = True
        self._pictures.clear()

    def _read(self, place: _Place) -> Pixels:
        picture = decode_picture(*place)
        size = picture.orientation.upright_size(picture.frame.width, picture.frame.height)
        _check_same_size(place.file, size, (self._info.width, self._info.height))
        hint = "Save it in an ordinary format."
        with av_errors_as(f"The picture “{place.file.name}” cannot be converted to RGB.", hint):
            return self._reader.pixels(picture.frame, picture.alpha)


def open_pictures(
    where: Path, pictures: PictureSequence, options: OpenOptions, token: CancelToken, found: Found
) -> PictureClip:
    """Open pictures as a clip; see :func:`~videoinr.clip.open_clip`.

    Args:
        where: the folder, file or pattern that was opened.
        pictures: its pictures.
        options: how to read them; without a colour, the first picture's tags and guesses decide.
        token: cancels the opening.
        found: what an opening before found; it gets what this one finds.

    Raises:
        ClipError: the first picture cannot be decoded, or the pictures differ in size.
        Cancelled: ``token`` was cancelled.
    """
    fps, background = Fraction(options.picture_fps), options.behind
    files = [file.absolute() for file in pictures.files]  # They are read later, maybe from another folder.
    stamp = SourceStamp.of(files)
    first = decode_picture(files[0])
    for file in [] if found.sizes_agree else files[1 :: max(1, len(files) // _SIZES_CHECKED)]:
        token.check()
        _check_same_stored_size(file, (first.frame.width, first.frame.height))
    found.sizes_agree = True
    places, page_notes = _places(files)
    timeline = _timeline(pictures.places if len(places) == len(files) else list(range(len(places))), fps)
    spec = options.colour or _colour_of(first)
    is_linear = spec.transfer == "linear"
    if is_linear:
        # Frames are returned as sRGB, so that this is what exports are tagged as.
        spec = replace(spec, transfer="iec61966-2-1")
    reader = PixelReader(
        width=first.frame.width, height=first.frame.height, deep=bit_depth_of(first.frame.format) > 8, colour=spec,
        orientation=first.orientation, background=background, is_linear=is_linear,
        is_premultiplied=first.is_premultiplied,
    )  # fmt: skip
    notes = (
        *pictures.notes,
        *page_notes,
        *([_LINEAR_NOTE] if is_linear else []),
        *transparency_note(first.frame, first.alpha, background),
    )
    info = replace(
        _info(where, first, timeline, fps=fps, spec=spec, notes=notes),
        timecode=_timecode(files, timeline, fps) if len(places) == len(files) else None,
    )
    identity = identity_of(where, files, spec) + background.suffix
    return PictureClip(info, timeline, places, reader, identity, stamp)


def _info(
    where: Path, first: DecodedPicture, timeline: Timeline, *, fps: Fraction, spec: ColourSpec, notes: tuple[str, ...]
) -> ClipInfo:
    frame, orientation = first.frame, first.orientation
    width, height = orientation.upright_size(frame.width, frame.height)
    aspect = first.pixel_aspect
    return ClipInfo(
        path=where,
        width=width,
        height=height,
        rotation=orientation.degrees,
        fps=fps,
        frames=timeline.frame_count,
        duration_secs=timeline.duration_secs,
        vfr=bool(np.any(np.diff(timeline.ticks) != 1)),
        codec=first.codec,
        pix_fmt=frame.format.name,
        bit_depth=bit_depth_of(frame.format),
        colour=spec,
        audio=(),
        interlaced=False,
        warnings=notes,
        pixel_aspect=1 / aspect if orientation.quarter_turns % 2 else aspect,
    )


def _timecode(files: list[Path], timeline: Timeline, fps: Fraction) -> StartTimecode | None:
    """Return what the first picture is called; None unless the last one's name goes on from it.

    Pictures that all have one name have none that is their own, and ``fps`` may not be the rate that names count in.
    """
    started = start_timecode(picture_timecode(files[0]), fps)
    if started is None or len(files) == 1:
        return started
    last = start_timecode(picture_timecode(files[-1]), fps, skipped=-int(timeline.ticks[-1]))
    return started if last == started else None


def _colour_of(picture: DecodedPicture) -> ColourSpec:
    frame, tags = picture.frame, tags_of(picture.frame)
    if picture.kind in LINEAR:
        tags = tags.filled_from(ColourTags(transfer="linear"))
    elif picture.kind in (TIFF, JPEG_2000):
        # Their YCbCr is that of JPEG, and sYCC the same. FFmpeg does not tell.
        tags = tags.filled_from(ColourTags(matrix="bt470bg", range="pc"))
    return colour_from_tags(tags, width=frame.width, height=frame.height, family=family_of(frame.format))


def _timeline(places: list[int], fps: Fraction) -> Timeline:
    return Timeline(np.array(places, np.int64), 1 / fps, places[-1] + 1)


def _places(files: list[Path]) -> tuple[list[_Place], list[str]]:
    """Return where the pictures of the clip are, and sentences about what is left out."""
    with disk_errors(files[0]):
        pages, left_out = pages_of(files[0])
        if len(files) > 1:
            hidden = len(pages) + left_out > 1 or is_video_content(files[0])
            note = f"“{files[0].name}” holds several pictures. Of each file of the folder the first one is shown."
            return [_Place(file) for file in files], [note] if hidden else []
    note = f"Left out {format_count(left_out, 'page')} of another size than the first."
    return [_Place(files[0], page) for page in pages], [note] if left_out else []


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
