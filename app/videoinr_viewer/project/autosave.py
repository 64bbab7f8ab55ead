"""Saves the state of the window by itself, and offers what a killed window left behind."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from videoinr.errors import VideoInrError
from videoinr_viewer.project.document import Document
from videoinr_viewer.project.history import History
from videoinr_viewer.project.keeper import ProjectKeeper, Wanted
from videoinr_viewer.project.media import Fingerprint, fingerprint
from videoinr_viewer.project.project_text import Project, text_of_project
from videoinr_viewer.project.unsaved import LeftBehind, UnsavedWork
from videoinr_viewer.session import Session

log = logging.getLogger(__name__)

WORK_RESTS_MSECS = 1000
VIEW_RESTS_MSECS = 3000
"""The state is saved so long after the first change of the work, or of the view."""
LOOK_AROUND_MSECS = 1000
"""What was left behind is looked for so long after the start, which has other things to do."""


@dataclass(frozen=True)
class Offer:
    """A state that can be restored.

    Attributes:
        left: its file.
        clip: the clip's name.
        segments, bookmarks: how many there are.
        is_work: whether something in it is nowhere else. Otherwise a window that was killed showed the clip, or a
            project that is as it was saved.
    """

    left: LeftBehind
    clip: str
    segments: int
    bookmarks: int
    is_work: bool = True


class Autosave(QObject):
    """Keeps the last state of the window in ``folder``; does nothing where that is None.

    The window removes its state when it is closed, unless there is unsaved work. Files are read and written on the
    thread of ``keeper``, in the order in which that is asked.
    """

    offered = Signal(object)
    """A tuple of Offer, the newest first: all that was left behind."""

    def __init__(
        self, keeper: ProjectKeeper, history: History, session: Session, folder: Path | None, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._keeper, self._session = keeper, session
        self._unsaved = None if folder is None else UnsavedWork(folder)
        self._known: dict[Path, Fingerprint | None] = {}
        self._leaves = False
        self._rests = QTimer(self, singleShot=True)
        self._rests.timeout.connect(self.write)
        self._looks = QTimer(self, singleShot=True)
        self._looks.setInterval(LOOK_AROUND_MSECS)
        self._looks.timeout.connect(self.look_around)
        if self._unsaved is None:
            return
        history.changed.connect(self._note_work)
        keeper.named.connect(self._note_work)
        keeper.opened.connect(self._adopt)
        session.view_changed.connect(self._note_view)
        session.open_wanted.connect(self._note_opening)
        session.opened.connect(self._take_clip)
        self._looks.start()

    # ---- saving ----

    @Slot()
    def write(self) -> None:
        """Write the present state."""
        self._rests.stop()
        project = self._keeper.present()
        if project is not None:
            project = replace(project, origin=self._keeper.path)
            self._do(lambda unsaved: unsaved.write(self._text(project, unsaved.folder)))

    def close(self) -> None:
        """Leave unsaved work behind for the next start, or remove the state. The keeper's thread still runs."""
        self._rests.stop()
        self._looks.stop()
        if self._keeper.has_unsaved_work:
            self.write()
            self._do(UnsavedWork.leave)
        else:
            self._do(UnsavedWork.remove)

    @Slot()
    def _note_work(self) -> None:
        if not self._rests.isActive() or self._rests.remainingTime() > WORK_RESTS_MSECS:
            self._rests.start(WORK_RESTS_MSECS)

    @Slot()
    def _note_view(self) -> None:
        if not self._rests.isActive():
            self._rests.start(VIEW_RESTS_MSECS)

    @Slot()
    def _note_opening(self) -> None:
        """Another clip is about to be opened: what is unsaved is left behind, if it opens."""
        self._leaves = not self._session.keeps_notes and self._keeper.has_unsaved_work
        if self._leaves:
            self.write()

    @Slot()
    def _take_clip(self) -> None:
        if self._leaves and not self._session.keeps_notes:
            self._do(UnsavedWork.leave)
            self.look_around()
        self._leaves = False
        self._note_work()

    def _text(self, project: Project, folder: Path) -> str:
        # On the thread.
        if project.clip not in self._known:
            self._known = {project.clip: fingerprint(project.clip)}
        digest = "" if project.origin is None else self._keeper.seen.digest(project.origin)
        return text_of_project(replace(project, fingerprint=self._known[project.clip], origin_sha256=digest), folder)

    # ---- restoring ----

    @Slot()
    def look_around(self) -> None:
        """Offer what was left behind."""
        self._do(lambda unsaved: self.offered.emit(_offers(unsaved)))

    def discard(self, offer: Offer) -> None:
        """Remove what was offered, and offer the rest."""
        self._do(lambda unsaved: unsaved.discard(offer.left))
        self.look_around()

    @Slot(object)
    def _adopt(self, wanted: Wanted) -> None:
        """A state that was left behind is open in this window: keep it as this window's own, and offer the rest."""
        if (left := wanted.left) is not None:
            self.write()
            self._do(lambda unsaved: unsaved.discard(left))
            self.look_around()

    def _do(self, act: Callable[[UnsavedWork], None]) -> None:
        if (unsaved := self._unsaved) is not None:
            self._keeper.files.submit(partial(_kept, act, unsaved))


def _kept(act: Callable[[UnsavedWork], None], unsaved: UnsavedWork) -> None:
    try:
        act(unsaved)
    except (VideoInrError, OSError) as error:
        # A full disk must not hinder the user's work; saving under a name tells it.
        log.warning("the state of the window could not be kept: %s", error)


def _offers(unsaved: UnsavedWork) -> tuple[Offer, ...]:
    left_behind = unsaved.left_behind()
    if not left_behind:
        return ()
    # Imported here: most starts find nothing.
    from videoinr_viewer.project.project_file import read_project

    offers = []
    for left in left_behind:
        try:
            project = read_project(left.path).project
        except VideoInrError as error:
            log.info("%s", error)
            continue
        document = project.document
        # How a clip is read comes from the settings, too; only the cuts are always the user's own.
        saved = Document(reading=replace(document.reading, cuts=""))
        if project.origin is not None:
            with contextlib.suppress(VideoInrError):
                saved = read_project(project.origin).project.document
        counts = len(document.segments), len(document.bookmarks)
        offers.append(Offer(left, project.clip.name, *counts, is_work=document != saved))
    return tuple(offers)
