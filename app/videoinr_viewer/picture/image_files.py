"""Writes images to files, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from videoinr_viewer.style.language import tr, tr_engine


def write_image(image: QImage, path: Path) -> str:
    """Write ``image`` to ``path``, in the format that its ending names, and replace an existing file.

    Returns:
        Why it could not be written; empty if it was.
    """
    # Imported here: the start of the program does without it.
    from videoinr.errors import ExportError
    from videoinr.writing.whole_files import write_file

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not path.suffix or not image.save(buffer, path.suffix[1:].upper()):  # type: ignore[call-overload]
        return tr("{path} can't be written.", path=path)
    try:
        write_file(path, bytes(buffer.data().data()), replace=True)
    except ExportError as error:
        return tr_engine(str(error))
    return ""
