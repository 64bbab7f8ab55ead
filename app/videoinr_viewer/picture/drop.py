"""Files dropped on the window, and the frame that says where they may be dropped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from videoinr_viewer.style.fonts import from_system
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.painting import painting


class FileDrop(QObject):
    """Makes ``target`` accept dropped files and folders; of several, it takes the first."""

    dropped = Signal(object)
    """Path of the dropped file or folder."""

    def __init__(self, target: QWidget) -> None:
        super().__init__(target)
        self.highlight = DropHighlight(target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept drags with a local file, and show the frame meanwhile; ignore all others."""
        if isinstance(event, QDragEnterEvent | QDropEvent) and (paths := _paths(event)):
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.highlight.hide()
                self.dropped.emit(paths[0])
            elif event.type() == QEvent.Type.DragEnter:
                self.highlight.show_for(paths)
            return True
        # A drop without a file comes from a program that ended meanwhile.
        if event.type() in (QEvent.Type.DragLeave, QEvent.Type.Drop):
            self.highlight.hide()
        return super().eventFilter(watched, event)


class DropHighlight(QWidget):
    """A frame over the whole of ``parent`` that names the file under the mouse, or the first of several."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent, self._text = parent, ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_for(self, paths: Sequence[Path]) -> None:
        """Show the frame: the first of ``paths`` is opened if they are dropped here."""
        name, count = paths[0].name, len(paths)
        self._text = tr("Drop to open {name}", name=name)
        if count > 1:
            self._text = tr(
                "Drop to open {name}, the first of {count}: one clip is open at a time", name=name, count=count
            )
        self.setGeometry(self._parent.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a veil, a dashed frame and the text."""
        with painting(QPainter(self)) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            veil = self.palette().color(QPalette.ColorRole.Window)
            veil.setAlpha(200)
            painter.fillRect(self.rect(), veil)
            box = QRectF(self.rect()).adjusted(14, 14, -14, -14)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 3, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(box, 10, 10)
            font = painter.font()
            font.setPixelSize(from_system(21))
            painter.setFont(font)
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            flags, room = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, box.adjusted(20, 20, -20, -20)
            # A plate, so that nothing below shines through the text.
            plate = painter.boundingRect(room, flags, self._text).adjusted(-14, -8, 14, 8)
            painter.fillRect(plate, self.palette().color(QPalette.ColorRole.Window))
            painter.drawText(room, flags, self._text)


def _paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
