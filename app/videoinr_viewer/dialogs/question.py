"""A question before something is lost, whose default answer loses nothing."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget


def agrees(parent: QWidget, title: str, question: str, *, verb: str) -> bool:
    """Ask ``question`` and return whether the user chose the button ``verb``.

    Cancel is the default button: Return and Escape refuse.
    """
    box = QMessageBox(QMessageBox.Icon.Question, title, question, parent=parent)
    yes = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    return box.clickedButton() is yes
