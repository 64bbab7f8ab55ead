"""How large a window may be on its screen."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

FRAME_PX = QSize(10, 40)
"""Room for the frame and the title of a window; the system says how large they are only once the window is shown."""


def room_on_screen(widget: QWidget) -> QSize:
    """Return the largest size of a window on the screen of ``widget``, without its frame."""
    return widget.screen().availableSize() - FRAME_PX
