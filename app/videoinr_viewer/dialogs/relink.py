"""Asks where the media of a project is, when it moved or another file has its name."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from videoinr_viewer.project.media import Located
from videoinr_viewer.style.language import tr


def words(name: str, located: Located | None) -> tuple[str, str]:
    """Return what is wrong with the media ``name``, and what to do."""
    if located is None:
        return tr("The project's clip {name} is missing.", name=name), tr("Say where it is now.")
    return (
        tr("{path} is not the clip that the project was made with.", path=located.path),
        tr("Choose the right one, or use it all the same: marks and segments may then not fit."),
    )


def ask(parent: QWidget, name: str, located: Located | None, folder: Path) -> Path | None:
    """Return the file that the user wants to use as the media ``name``; None to open nothing.

    Args:
        parent: the window.
        name: the media's name in the project.
        located: a file with that name and other contents, if there is one.
        folder: where the search begins.
    """
    box = QMessageBox(QMessageBox.Icon.Question, tr("Open the project"), " ".join(words(name, located)), parent=parent)
    choose = box.addButton(tr("Choose a file…"), QMessageBox.ButtonRole.AcceptRole)
    folder_button = box.addButton(tr("Choose a folder…"), QMessageBox.ButtonRole.AcceptRole)
    use = None if located is None else box.addButton(tr("Use it"), QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(choose)
    box.setEscapeButton(cancel)
    box.exec()
    clicked = box.clickedButton()
    if located is not None and clicked is use:
        return located.path
    if clicked is choose:
        chosen, _ = QFileDialog.getOpenFileName(parent, tr("Where is {name}?", name=name), str(folder / name))
    elif clicked is folder_button:
        chosen = QFileDialog.getExistingDirectory(parent, tr("Where is {name}?", name=name), str(folder))
    else:
        chosen = ""
    return Path(chosen) if chosen else None
