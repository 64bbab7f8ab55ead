"""The timecode track (tmcd) of MOV and MP4 files: where in it the file begins to show.

FFmpeg gives the timecode of the track's first sample. A program that trims a file without encoding it anew changes
edit lists alone: the sample still names the first frame of the recording, which is no longer shown.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

from videoinr.clip.boxes import Element, boxes, code_of, descend, field, first, handler_of

_MAX_EDITS = 64
_VIDEO, _TIMECODE = b"vide", b"tmcd"


class _Track(NamedTuple):
    """A track of a movie: its box, the one that holds its media, and the kind of that."""

    box: Element
    media: Element
    kind: bytes


def trimmed_secs(path: Path, format_name: str, number: int) -> Fraction | None:
    """Return how much of the timecode track lies before the first frame that is shown, in seconds.

    Args:
        path: the file.
        format_name: FFmpeg's name of its format.
        number: which of its video streams, counted from 0.

    Returns:
        0 without a timecode track or an edit of it; None if the edit begins beyond the first sample: the timecode may
        be another one there.
    """
    if "mp4" not in format_name:
        return Fraction(0)
    try:
        with path.open("rb") as file:
            track = _timecode_track(file, file.seek(0, 2), number)
            return Fraction(0) if track is None else _trimmed(file, track)
    except (OSError, ValueError, LookupError, ArithmeticError):
        return Fraction(0)


def _timecode_track(file: BinaryIO, end: int, number: int) -> _Track | None:
    """Return the timecode track that the video refers to; the first one if it refers to none."""
    movie = first(boxes(file, 0, end), b"moov")
    tracks = [_track(file, box) for box in boxes(file, *movie[1:]) if box.kind == code_of(b"trak")]
    known = {_id_of(file, track): track for track in tracks if track.kind == _TIMECODE}
    video = [track for track in tracks if track.kind == _VIDEO][number]
    return known.get(_referred(file, video)) or next(iter(known.values()), None)


def _track(file: BinaryIO, box: Element) -> _Track:
    media = descend(file, box, b"mdia")
    return _Track(box, media, handler_of(file, media))


def _id_of(file: BinaryIO, track: _Track) -> int:
    header = descend(file, track.box, b"tkhd")
    return field(file, header.start + (20 if _has_long_times(file, header) else 12), 4)


def _referred(file: BinaryIO, track: _Track) -> int:
    try:
        return field(file, descend(file, track.box, b"tref", _TIMECODE).start, 4)
    except ValueError:
        return 0


def _trimmed(file: BinaryIO, track: _Track) -> Fraction | None:
    start = _first_edit(file, track)
    if start <= 0:
        return Fraction(0)
    times = descend(file, track.media, b"minf", b"stbl", b"stts")
    if start >= field(file, times.start + 12, 4):
        return None
    header = descend(file, track.media, b"mdhd")
    return Fraction(start, field(file, header.start + (20 if _has_long_times(file, header) else 12), 4))


def _first_edit(file: BinaryIO, track: _Track) -> int:
    """Return where the first edit that shows something begins, in ticks of the track; 0 without edits."""
    try:
        edits = descend(file, track.box, b"edts", b"elst")
    except ValueError:
        return 0
    bytes_each = 8 if _has_long_times(file, edits) else 4
    for edit in range(min(_MAX_EDITS, field(file, edits.start + 4, 4))):
        at = edits.start + 8 + edit * (2 * bytes_each + 4) + bytes_each
        start = field(file, at, bytes_each, signed=True)
        if start >= 0:  # -1 shows nothing for a while.
            return start
    return 0


def _has_long_times(file: BinaryIO, box: Element) -> bool:
    """Return whether the times in a box have 64 bits, by its version."""
    return field(file, box.start, 1) == 1
