"""A project with something of everything, and what tests do with projects in a window."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from PySide6.QtWidgets import QApplication

from helpers.stage import Stage
from videoinr.geometry import Rect
from videoinr.journey.camera import CameraPath, Easing, Keyframe
from videoinr.journey.curve import curve_from_text
from videoinr.journey.shutter_region import ShutterRegion
from videoinr.types import AcrossCuts, Segment
from videoinr_viewer.clip_access.reading import Reading
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.media import Fingerprint, fingerprint
from videoinr_viewer.project.project_text import Look, Project, text_of_project
from videoinr_viewer.session import Marks
from videoinr_viewer.timeline.annotations import Bookmark, NamedSegment

DOCUMENT = Document(
    Marks(Fraction(1, 3), Fraction(5, 3)),
    (
        NamedSegment("Anfang ü", Segment(Fraction(0), Fraction(1, 2))),
        NamedSegment("b", Segment(Fraction(1), Fraction(2))),
    ),
    (Bookmark("jump", Fraction(1001, 24000)),),
    Reading("lite", None, 0, "#2060ff", "off", AcrossCuts.BLEND, "12,-40"),
    Journey(
        curve_from_text("0=0 1=1~1/3 3/2=4/3"), Fraction(90),
        CameraPath((Keyframe(Fraction(1, 3), Fraction(40), Fraction(61, 2), Fraction(5, 2), Easing.LINEAR),)),
        Fraction(-1, 60), ShutterRegion(Rect(3, 2, 20, 10), Fraction(45, 2)),
    ),
)  # fmt: skip
LOOK = Look(Fraction(7, 25), 3.7, (40.25, 30.5), Compare.DIFFERENCE, Reference.BICUBIC)


def full_project(clip: Path) -> Project:
    return Project(clip, fingerprint(clip) or Fingerprint(5, "0" * 64), DOCUMENT, LOOK)


def written(project: Project, path: Path) -> Path:
    path.write_text(text_of_project(project, path.parent), encoding="utf-8")
    return path


def open_file(stage: Stage, path: Path) -> None:
    before = stage.viewer.session.clip
    stage.viewer.window.projects.open_file(path)
    stage.wait_for(lambda: stage.viewer.session.clip is not before)


def trigger(stage: Stage, name: str) -> None:
    stage.viewer.window.actions_by_id[name].trigger()


def document(stage: Stage) -> Document:
    return stage.viewer.window.history.document


def idle(stage: Stage) -> None:
    """Wait until the thread of the files has done all so far, and the window knows it."""
    done: list[int] = []
    stage.viewer.window.projects.files.submit(lambda: done.append(1))
    stage.wait_for(lambda: bool(done))
    QApplication.processEvents()
