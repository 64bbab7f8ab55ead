"""From the render thread to the GUI thread: every call becomes a queued signal."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from videoinr.render.messages import Failure, Opened
from videoinr.types import RenderedRegion


class RenderBridge(QObject):
    """A :class:`videoinr.render.renderer.RenderListener`.

    It lives on the GUI thread and its methods are called on the render thread, so Qt queues each signal and the
    receivers run on the GUI thread, in the order of the calls.
    """

    opened = Signal(object)
    """Opened."""
    region_ready = Signal(object)
    """RenderedRegion."""
    busy_changed = Signal(bool)
    """Whether the newest request still waits for its full picture."""
    failure = Signal(object)
    """Failure."""

    def clip_opened(self, opened: Opened) -> None:
        """Called on the render thread."""
        self.opened.emit(opened)

    def rendered(self, region: RenderedRegion) -> None:
        """Called on the render thread."""
        self.region_ready.emit(region)

    def busy(self, is_busy: bool) -> None:
        """Called on the render thread."""
        self.busy_changed.emit(is_busy)

    def failed(self, failure: Failure) -> None:
        """Called on the render thread."""
        self.failure.emit(failure)
