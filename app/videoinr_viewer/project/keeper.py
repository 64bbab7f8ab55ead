"""Saves the work on the open clip as a project file, and opens such files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from videoinr.errors import VideoInrError
from videoinr.render.messages import Opened
from videoinr.text.clip_time import ClipTime
from videoinr.text.hidden_names import hidden_names
from videoinr.writing.whole_files import write_file
from videoinr_resources import path as resource_path
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.dialogs import relink
from videoinr_viewer.dialogs.question import agrees
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.project.history import History
from videoinr_viewer.project.media import Located, fingerprint, locate, places_of
from videoinr_viewer.project.project_text import SUFFIX, Look, Project, text_of_project
from videoinr_viewer.project.seen_files import SeenFiles, digest_of
from videoinr_viewer.project.unsaved import LeftBehind
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr
from videoinr_viewer.threads.in_turn import InTurn


@dataclass(frozen=True)
class Wanted:
    """A project that is being opened.

    Attributes:
        file: the file that is read.
        start: what the command line wants to be shown.
        left: the state that another window left behind, if ``file`` is one.
        project: what the file holds, once it is read; its clip is where the media is now.
        digest: of the project file, before it was read.
    """

    file: Path
    start: StartView
    left: LeftBehind | None = None
    project: Project | None = None
    digest: str = ""

    @property
    def name(self) -> Path | None:
        """The project file that is open afterwards; None for unsaved work that never had one."""
        return self.file if self.left is None else (self.project.origin if self.project is not None else None)


class ProjectKeeper(QObject):
    """The open project: its file's name, saving and opening. A thread of its own reads and writes files.

    ``asks`` is False where nobody is there to say where the media is.
    """

    named = Signal()
    """The project has another name, or none, or is modified, or no longer so."""
    saved = Signal(object)
    """Path of the project file."""
    opened = Signal(object)
    """Wanted: this project is open."""
    failed = Signal(str, str)
    """What happened, and what the user can do."""
    vanished = Signal(object)
    """Path of a project file that cannot be opened."""
    _read = Signal(object, object)
    _written = Signal(object, int)
    _found_changed = Signal(object, object, int)

    def __init__(
        self, session: Session, history: History, view: FrameView, reading: ReadingChoice, window: QWidget, *,
        asks: bool, recent_folders: Callable[[], Iterable[Path]] = tuple,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._session, self._history, self._view, self._reading = session, history, view, reading
        self._window, self._asks, self.recent_folders = window, asks, recent_folders
        self.path: Path | None = None
        self._wanted: Wanted | None = None
        self.files = InTurn("videoinr-projects")
        self.seen = SeenFiles()
        self._is_asking = False
        self._read.connect(self._take_read)
        self._written.connect(self._take_written)
        self._found_changed.connect(self._ask_to_replace)
        session.open_wanted.connect(self._note_opening)
        session.taken.connect(self._take_clip)
        session.open_failed.connect(self._give_up)
        session.closed.connect(self._give_up)
        history.stack.cleanChanged.connect(self.named)

    # ---- what is open ----

    @property
    def is_modified(self) -> bool:
        """Whether the document differs from the project file; without one, from the clip as it was opened."""
        return not self._history.stack.isClean()

    @property
    def has_unsaved_work(self) -> bool:
        """Whether something would be lost that the user made: a change of a project, segments or bookmarks."""
        document = self._history.document
        has_work = self.path is not None or bool(document.segments or document.bookmarks)
        has_work = has_work or document.journey != Journey()
        return self._session.clip is not None and self.is_modified and has_work

    @property
    def opens_project(self) -> bool:
        """Whether the clip that is being opened belongs to a project."""
        return self._wanted is not None

    def present(self) -> Project | None:
        """Return the work on the open clip, without a fingerprint; None without a clip."""
        session, comparison = self._session, self._view.comparison
        if session.clip is None:
            return None
        file = comparison.file_path if comparison.kind is Reference.FILE else None
        model = comparison.model_name or None
        look = Look(session.view.time_secs, None, None, self._view.compare, comparison.kind, file, model)
        if not session.is_fitted:
            look = replace(look, zoom=session.view.zoom, centre=session.view.centre)
        return Project(session.clip.info.path.absolute(), None, self._history.document, look)

    # ---- saving ----

    def save(self) -> None:
        """Save the project; the first time, ask for a name."""
        if self.path is None:
            self.save_as()
        elif (project := self.present()) is not None:
            self.files.submit(partial(self._write_unless_changed, self.path, project, self._history.stack.index()))

    def save_as(self) -> None:
        """Ask for a name and save the project under it."""
        if (project := self.present()) is None:
            return
        ships = project.clip.is_relative_to(resource_path("demo"))
        proposal = self.path or (Path.home() if ships else project.clip.parent) / f"{project.clip.stem}{SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save the project"), str(proposal), f"{tr('Projects')} (*{SUFFIX})"
        )
        if not name:
            return
        path = Path(name)
        if path.suffix != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
            question = tr("{name} already exists. Replace it?", name=path.name)
            if path.exists() and not agrees(self._window, tr("Save the project"), question, verb=tr("Replace")):
                return
        self.files.submit(partial(self._write, path, project, self._history.stack.index()))

    def _write_unless_changed(self, path: Path, project: Project, index: int) -> None:
        # On the thread.
        if self.seen.is_changed(path):
            self._found_changed.emit(path, project, index)
        else:
            self._write(path, project, index)

    @Slot(object, object, int)
    def _ask_to_replace(self, path: Path, project: Project, index: int) -> None:
        if self.files.is_closed or self._is_asking:
            return  # The window was closed at once: the next start offers the work. Or it was saved twice in a row.
        question = tr(
            "{name} was changed elsewhere after this window read it. Replace it? To keep both, cancel, and save under "
            "another name.",
            name=path.name,
        )
        self._is_asking = True
        is_agreed = agrees(self._window, tr("Save the project"), question, verb=tr("Replace"))
        self._is_asking = False
        if is_agreed:
            self.files.submit(partial(self._write, path, project, index))

    def _write(self, path: Path, project: Project, index: int) -> None:
        # On the thread.
        try:
            text = text_of_project(replace(project, fingerprint=fingerprint(project.clip)), path.absolute().parent)
            write_file(path, text, replace=True)
        except VideoInrError as error:
            self.failed.emit(str(error), error.hint)
        else:
            self.seen.note(path, digest_of(path))
            self._written.emit(path, index)

    @Slot(object, int)
    def _take_written(self, path: Path, index: int) -> None:
        self.path = path
        if self._history.stack.index() == index:
            self._history.stack.setClean()
        self.named.emit()
        self.saved.emit(path)

    # ---- opening ----

    @Slot(object)
    def open_file(self, path: Path, start: StartView | None = None) -> None:
        """Open a clip, a folder of pictures or a project."""
        hidden_names.remember(path)
        if path.suffix.lower() == SUFFIX and not path.is_dir():
            self.files.submit(partial(self._read_file, Wanted(path.absolute(), start or StartView())))
        else:
            self._session.open(path, start)

    def restore(self, left: LeftBehind) -> None:
        """Open the state that a window left behind."""
        self.files.submit(partial(self._read_file, Wanted(left.path, StartView(), left)))

    def _read_file(self, wanted: Wanted, chosen: Path | None = None) -> None:
        # On the thread. ``chosen``: where the user says that the media is.
        from videoinr_viewer.project.project_file import read_project

        # Before it is read: what comes in between is found when it is saved.
        digest = digest_of(wanted.file)
        try:
            read = read_project(wanted.file)
        except VideoInrError as error:
            self.vanished.emit(wanted.file)
            self.failed.emit(str(error), error.hint)
            return
        project = read.project
        if wanted.left is not None and project.origin is not None:
            # The state holds nothing of what others have saved since its window read the project.
            digest = project.origin_sha256 or digest_of(project.origin)
        folders = (wanted.file.parent, *self.recent_folders())
        places = (*read.places, *places_of(project.clip.name, folders)) if chosen is None else (chosen,)
        self._read.emit(replace(wanted, project=project, digest=digest), locate(places, project.fingerprint))

    @Slot(object, object)
    def _take_read(self, wanted: Wanted, located: Located | None) -> None:
        assert wanted.project is not None
        name = wanted.project.clip.name
        if located is not None and located.is_same:
            self._open(wanted, located.path)
            return
        if not self._asks:
            self.failed.emit(*relink.words(name, located))
            return
        answer = relink.ask(self._window, name, located, wanted.file.parent)
        if answer is None:
            return
        if located is not None and answer == located.path:
            self._open(wanted, answer)
        else:
            self.files.submit(partial(self._read_file, wanted, answer))

    def _open(self, wanted: Wanted, clip: Path) -> None:
        project = wanted.project
        assert project is not None
        self._wanted = replace(wanted, project=replace(project, clip=clip))
        reading = replace(project.document.reading, device=self._reading.current.device)
        self._reading.choose(reading, is_remembered=True)
        look, start = project.look, wanted.start
        time = start.time or ClipTime(look.time_secs)
        self._session.open(clip, StartView(time, start.zoom or look.zoom, start.centre or look.centre))

    @Slot(object)
    def _note_opening(self, path: Path) -> None:
        if self._wanted is not None and (self._wanted.project is None or self._wanted.project.clip != path):
            # The user opens another clip meanwhile.
            self._wanted = None
            self._reading.revert()

    @Slot(object)
    def _take_clip(self, opened: Opened) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None and wanted.project is not None:
            self._show(wanted, wanted.project, opened)
        elif not self._session.keeps_notes:
            self.path = None
            self.named.emit()

    def _show(self, wanted: Wanted, project: Project, opened: Opened) -> None:
        document = project.document.within(opened.timeline.duration_secs)
        self._history.load(document, is_saved=wanted.left is None)
        self._show_comparison(project.look, opened.model_name)
        if project.look.zoom is None and wanted.start == StartView():
            self._session.fit()
        self.path = wanted.name
        if self.path is not None:
            self.files.submit(partial(self.seen.note, self.path, wanted.digest))
        self.named.emit()
        self.opened.emit(wanted)

    def _show_comparison(self, look: Look, present_model: str) -> None:
        comparison = self._view.comparison
        is_file, is_model = look.reference is Reference.FILE, look.reference is Reference.MODEL
        comparison.set_kind(Reference.NEAREST if is_file or is_model else look.reference)
        comparison.set_mode(look.compare)
        if is_model and look.compare is not Compare.OFF:
            if look.model is None or look.model == present_model:
                comparison.next_model()
            else:
                comparison.set_model(look.model)
        if is_file and look.file is not None and look.compare is not Compare.OFF:
            comparison.set_file(look.file)

    @Slot()
    def _give_up(self) -> None:
        self._wanted = None

    def close(self) -> None:
        """Wait until all is written, and end the thread."""
        self.files.close()
