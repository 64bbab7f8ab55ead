"""A small window from which a file is dragged, in a process of its own: ``drag_source.py FILE X Y``.

It prints "ready" once it is on the screen, and what became of the drag: "copied", or "refused".
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

SIDE_PX = 50
LIFE_MSECS = 60_000


class Source(QWidget):
    """Begins to drag the file when the mouse moves with the button down."""

    def __init__(self, path: str) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._path = path
        self.setFixedSize(SIDE_PX, SIDE_PX)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, and tell how it ended."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            drag, data = QDrag(self), QMimeData()
            data.setUrls([QUrl.fromLocalFile(self._path)])
            drag.setMimeData(data)
            done = drag.exec(Qt.DropAction.CopyAction)
            # It goes on running: the other process may still ask for the data.
            print("copied" if done == Qt.DropAction.CopyAction else "refused", flush=True)


def main() -> None:
    app = QApplication([])
    source = Source(sys.argv[1])
    source.move(int(sys.argv[2]), int(sys.argv[3]))
    source.show()
    # An X server shows it only after this.
    QTimer.singleShot(100, source, lambda: print("ready", flush=True))
    QTimer.singleShot(LIFE_MSECS, app, app.quit)
    app.exec()


if __name__ == "__main__":
    main()
