"""The dialogs that ask for a file: a clip to open, or where to save the picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from videoinr.render.view import scale_from_zoom
from videoinr.types import ViewState
from videoinr_resources import path as resource_path
from videoinr_viewer.picture.picture_taker import PictureTaker
from videoinr_viewer.player import Player
from videoinr_viewer.project.project_text import SUFFIX
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr


class FileDialogs(QObject):
    """Modal file dialogs above ``parent``. They start in the open clip's folder, or else in the home folder.

    ``open_file`` opens a clip or a project.
    """

    def __init__(
        self, session: Session, player: Player, taker: PictureTaker, open_file: Callable[[Path], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._open_file = open_file
        self._session, self._player, self._taker, self._parent = session, player, taker, parent

    def open_clip(self) -> None:
        """Ask for a clip or a project and open it."""
        name, _ = QFileDialog.getOpenFileName(self._parent, tr("Open a clip"), str(self._folder()), open_filter())
        if name:
            self._open_file(Path(name))

    def open_folder(self) -> None:
        """Ask for a folder of pictures and open it as a clip."""
        name = QFileDialog.getExistingDirectory(self._parent, tr("Open a folder of pictures"), str(self._folder()))
        if name:
            self._session.open(Path(name))

    def choose_reference(self) -> Path | None:
        """Ask for a clip to compare with; return None if the user chooses none."""
        title = tr("Compare with a clip of the same scene and time")
        name, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._folder()), open_filter())
        return Path(name) if name else None

    def open_demo(self) -> None:
        """Open the demo clip that ships with the program."""
        self._session.open(resource_path("demo/demo.mp4"))

    def save_picture(self) -> None:
        """Ask for a file and save the visible region in it at full quality. Playback pauses first."""
        if (clip := self._session.clip) is None:
            return
        self._player.pause()
        proposal = self._folder() / f"{clip.info.path.stem}{_view_suffix(self._session.view)}.png"
        name, _ = QFileDialog.getSaveFileName(self._parent, tr("Save the picture"), str(proposal), save_filter())
        if name:
            path = Path(name)
            self._taker.save(path if path.suffix else path.with_suffix(".png"))

    def _folder(self) -> Path:
        clip = self._session.clip
        return clip.info.path.absolute().parent if clip is not None else Path.home()


def save_filter() -> str:
    """Return the filter of the dialog that saves a picture."""
    return tr("Pictures") + " (*.png *.jpg)"


def open_filter() -> str:
    """Return the filter of the open dialog: videos, pictures, projects, all files."""
    # Imported here: the start of the program does without the readers.
    from videoinr.clip.suffixes import PICTURE_SUFFIXES, VIDEO_SUFFIXES

    videos, pictures = (" ".join(f"*{suffix}" for suffix in group) for group in (VIDEO_SUFFIXES, PICTURE_SUFFIXES))
    return ";;".join(
        (
            f"{tr('Videos and animations')} ({videos})",
            f"{tr('Pictures')} ({pictures})",
            f"{tr('Projects')} (*{SUFFIX})",
            f"{tr('All files')} (*)",
        )
    )


def _view_suffix(view: ViewState) -> str:
    return f"-{float(view.time_secs):.3f}s-x{scale_from_zoom(view.zoom):.3g}"
