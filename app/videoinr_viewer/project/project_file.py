"""Reads project files. They come from other people too: types, limits and the version are checked before anything else.

pydantic is imported here, so this module is imported on a thread, when a project is opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from videoinr.errors import InputError, UsageError
from videoinr.exporting.frame_queries import FULL_TURN
from videoinr.journey.arguments import as_camera, as_curve
from videoinr.journey.camera_file import Keyframes
from videoinr.journey.shutter_region import as_shutter_region
from videoinr.text.schemas import Line, Name, Strict, content_of, validated
from videoinr.types import AcrossCuts, Segment
from videoinr_viewer.clip_access.reading import Reading
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.navigation import MAX_ZOOM, MIN_ZOOM
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.media import Fingerprint
from videoinr_viewer.project.project_text import VERSION, Look, Project
from videoinr_viewer.session import Marks
from videoinr_viewer.timeline.annotations import Bookmark, NamedSegment

MOST_BYTES = 8 << 20
_MOST_NOTES = 20_000
_KEY = "videoinr_project"
_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda values: {**values, _KEY: 2},
    2: lambda values: {**values, _KEY: 3},
    3: lambda values: {**values, _KEY: 4},
}
"""From each older version, what makes its values those of the next one."""

_Path = Annotated[Line, Field(min_length=1)]
_Secs = Annotated[str, Field(pattern="^[0-9]{1,20}(/[1-9][0-9]{0,19})?$")]
"""Exact seconds, such as 7/25."""
_SignedSecs = Annotated[str, Field(pattern="^-?[0-9]{1,20}(/[1-9][0-9]{0,19})?$")]
_Side = Annotated[float, Field(ge=-1e6, le=1e6)]


_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Clip(Strict):
    path: _Path
    absolute: _Path | None = None
    bytes: Annotated[int, Field(ge=0, le=1 << 60)] | None = None
    sha256: _Sha256 | None = None


class _Reading(Strict):
    model: _Path | None = None
    stream: Annotated[int, Field(ge=0, le=10**6)] | None = None
    background: Name = "black"
    deinterlace: Literal["auto", "on", "off"] = "auto"
    across_cuts: Literal["hold", "blend", "decode"] = "hold"
    cuts: Annotated[str, Field(max_length=60_000)] = ""


class _Marks(Strict):
    start: _Secs | None = None
    end: _Secs | None = None


class _Segment(Strict):
    name: Name
    start: _Secs
    end: _Secs


class _Bookmark(Strict):
    name: Name
    time: _Secs


class _Journey(Strict):
    retime: Annotated[Line, Field(max_length=1 << 14)] | None = None
    shutter: _Secs = "0"
    camera: Keyframes | None = None
    readout: _SignedSecs = "0"
    shutter_region: Annotated[Line, Field(max_length=200)] | None = None


class _View(Strict):
    time: _Secs = "0"
    zoom: Annotated[float, Field(ge=MIN_ZOOM, le=MAX_ZOOM)] | None = None
    centre: Annotated[list[_Side], Field(min_length=2, max_length=2)] | None = None
    compare: Name = Compare.OFF.value
    against: Name = Reference.NEAREST.value
    file: _Path | None = None
    model: _Path | None = None


class ProjectFile(Strict):
    """What a project file holds. Only version and clip must be there."""

    videoinr_project: Literal[4]
    clip: _Clip
    reading: _Reading = Field(default_factory=_Reading)
    marks: _Marks = Field(default_factory=_Marks)
    segments: Annotated[list[_Segment], Field(max_length=_MOST_NOTES)] = Field(default_factory=list)
    bookmarks: Annotated[list[_Bookmark], Field(max_length=_MOST_NOTES)] = Field(default_factory=list)
    journey: _Journey = Field(default_factory=_Journey)
    view: _View = Field(default_factory=_View)
    origin: _Path | None = None
    origin_sha256: _Sha256 | None = None


@dataclass(frozen=True)
class Read:
    """A project that was read, and where its media should be: as seen from the file, and where it was at last."""

    project: Project
    places: tuple[Path, ...]


def read_project(path: Path) -> Read:
    """Read the project file at ``path``.

    Raises:
        InputError: it cannot be read, is no project, is damaged, or was made by a newer version of the program. The
            message names the first value that is wrong.
    """
    content = content_of(path, most_bytes=MOST_BYTES, name=f"The project {path}")
    try:
        if len(content) > MOST_BYTES:
            raise ValueError("it is too long")
        values = _upgraded(_parsed(content), path)
        return _built(validated(ProjectFile, values), path.absolute().parent)
    except (ValueError, RecursionError, UsageError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no project, or it is damaged: {error}.", hint="Choose another file.") from None


def _parsed(content: bytes) -> dict[str, Any]:
    values = json.loads(content)
    if not isinstance(values, dict) or not isinstance(values.get(_KEY), int):
        raise ValueError(f"it does not say {_KEY}")
    return values


def _upgraded(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the values as the present version has them."""
    version: int = values[_KEY]
    if version > VERSION:
        raise InputError(
            f"{path} was saved by a newer version of this program (project version {version}; this one reads {VERSION} "
            "and older ones).",
            hint="Install the newer version to open it. The file was left as it is.",
        )
    while (upgrade := _UPGRADES.get(version)) is not None:
        values = upgrade(values)
        version += 1
    return values


def _built(read: ProjectFile, folder: Path) -> Read:
    document = Document(
        _marks(read.marks),
        tuple(NamedSegment(one.name, _segment(one)) for one in read.segments),
        tuple(Bookmark(one.name, Fraction(one.time)) for one in read.bookmarks),
        _reading(read.reading, folder),
        _journey(read.journey),
    )
    clip = read.clip
    known = clip.bytes is not None and clip.sha256 is not None
    mark = Fingerprint(clip.bytes or 0, clip.sha256 or "") if known else None
    places = [folder / clip.path] + ([Path(clip.absolute)] if clip.absolute is not None else [])
    origin = None if read.origin is None else Path(read.origin)
    project = Project(places[0], mark, document, _look(read.view, folder), origin, read.origin_sha256 or "")
    return Read(project, tuple(dict.fromkeys(places)))


def _marks(read: _Marks) -> Marks:
    start, end = (None if text is None else Fraction(text) for text in (read.start, read.end))
    if end is not None and end <= (start or 0):
        raise ValueError("marks: the end must be after the start")
    return Marks(start, end)


def _segment(read: _Segment) -> Segment:
    start, end = Fraction(read.start), Fraction(read.end)
    if start >= end:
        raise ValueError("segments: each must end after it starts")
    return Segment(start, end)


def _journey(read: _Journey) -> Journey:
    shutter, region = Fraction(read.shutter), as_shutter_region(read.shutter_region)
    if max(shutter, 0 if region is None else region.degrees) > FULL_TURN or (region and region.degrees < 0):
        raise ValueError("journey: a shutter has up to 360 degrees")
    keyframes = None if read.camera is None else [one.model_dump() for one in read.camera]
    return Journey(as_curve(read.retime), shutter, as_camera(keyframes), Fraction(read.readout), region)


def _reading(read: _Reading, folder: Path) -> Reading:
    model = read.model
    if model is not None and ("/" in model or model.endswith(".safetensors")):
        model = str(_path_from(folder, model))
    reading = Reading(
        model, None, read.stream, read.background, read.deinterlace, AcrossCuts(read.across_cuts), read.cuts
    )
    # Refuses a background, or cuts, that make no sense.
    reading.options()
    return reading


def _path_from(folder: Path, relative: str) -> Path:
    # Without “..”, as it was before it was written: the same file has one path, whichever folder names it.
    return Path(os.path.normpath(folder / relative))


def _look(read: _View, folder: Path) -> Look:
    modes, references = {one.value: one for one in Compare}, {one.value: one for one in Reference}
    if read.compare not in modes or read.against not in references:
        raise ValueError("view: this comparison is unknown")
    centre = None if read.centre is None else (read.centre[0], read.centre[1])
    file = None if read.file is None else _path_from(folder, read.file)
    compare, against = modes[read.compare], references[read.against]
    return Look(Fraction(read.time), read.zoom, centre, compare, against, file, read.model)
