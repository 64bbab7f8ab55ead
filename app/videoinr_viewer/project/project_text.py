"""Project: the work on a clip as it is kept in a file; and the text of that file. Reading it: :mod:`project_file`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videoinr.errors import UsageError
from videoinr.text.plain import is_plain_line, printable
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.navigation import Point
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.media import Fingerprint

VERSION = 4
SUFFIX = ".vinr"


@dataclass(frozen=True)
class Look:
    """What the window showed. ``zoom`` and ``centre`` are None if the picture was fitted to the window.

    ``file``: the clip that the picture was compared with, if it was one; ``model``: the name of the other model.
    """

    time_secs: Fraction = Fraction(0)
    zoom: float | None = None
    centre: Point | None = None
    compare: Compare = Compare.OFF
    reference: Reference = Reference.NEAREST
    file: Path | None = None
    model: str | None = None


@dataclass(frozen=True)
class Project:
    """The work on a clip. The device is not part of it: it belongs to the machine.

    Attributes:
        clip: the media, an absolute path.
        fingerprint: the media's, if it could be read.
        document: what the user made of it.
        look: what the window showed.
        origin: of a state that was saved by itself: the project file that it is a newer state of.
        origin_sha256: of that file as the window knew it; empty if the window could not read it.
    """

    clip: Path
    fingerprint: Fingerprint | None
    document: Document
    look: Look
    origin: Path | None = None
    origin_sha256: str = ""


def text_of_project(project: Project, folder: Path) -> str:
    """Return the content of the project file for ``project`` in ``folder``; paths are relative to that folder.

    Raises:
        UsageError: the media's name holds characters that the file cannot.
    """
    document, look, mark = project.document, project.look, project.fingerprint
    named = (project.clip, folder, look.file or folder)
    if wrong := [path for path in named if not is_plain_line(str(path))]:
        name = printable(wrong[0].name)
        raise UsageError(f"No project file can name {name}: its path has control characters.", hint="Rename it first.")
    reading, marks, journey = document.reading, document.marks, document.journey
    is_file = reading.model is not None and _is_path(reading.model)
    values = {
        "videoinr_project": VERSION,
        "clip": {
            "path": _relative(project.clip, folder),
            "absolute": str(project.clip),
            "bytes": None if mark is None else mark.size_bytes,
            "sha256": None if mark is None else mark.sha256,
        },
        "reading": {
            "model": _relative(Path(reading.model or ""), folder) if is_file else reading.model,
            "stream": reading.stream,
            "background": reading.background,
            "deinterlace": reading.deinterlace,
            "across_cuts": reading.across_cuts.value,
            "cuts": reading.cuts,
        },
        "marks": {"start": _secs(marks.in_secs), "end": _secs(marks.out_secs)},
        "segments": [
            {"name": one.name, "start": _secs(one.segment.start_secs), "end": _secs(one.segment.end_secs)}
            for one in document.segments
        ],
        "bookmarks": [{"name": one.name, "time": _secs(one.time_secs)} for one in document.bookmarks],
        "journey": {
            "retime": None if journey.curve is None else str(journey.curve),
            "shutter": str(journey.shutter),
            "camera": None if journey.camera is None else journey.camera.values,
            "readout": str(journey.readout),
            "shutter_region": None if journey.shutter_region is None else str(journey.shutter_region),
        },
        "view": {
            "time": _secs(look.time_secs),
            "zoom": look.zoom,
            "centre": None if look.centre is None else list(look.centre),
            "compare": look.compare.value,
            "against": look.reference.value,
            "file": None if look.file is None else _relative(look.file, folder),
            "model": look.model,
        },
        "origin": None if project.origin is None else str(project.origin),
        **({"origin_sha256": project.origin_sha256} if project.origin_sha256 else {}),
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def _is_path(model: str) -> bool:
    # As in job files: a model is a name, or a path.
    return "/" in model or os.sep in model or model.endswith(".safetensors")


def _relative(path: Path, folder: Path) -> str:
    """Return ``path`` as seen from ``folder``, with slashes; absolute where no way leads there (another drive)."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def _secs(time_secs: Fraction | None) -> str | None:
    return None if time_secs is None else str(time_secs)
