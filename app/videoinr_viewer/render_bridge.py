"""Passes results from the render thread to the GUI thread as queued signals."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.render.messages import Failure, Opened
from videoinr.types import RenderedRegion
from videoinr_viewer.style.language import tr_engine


class RenderBridge(QObject):
    """A :class:`videoinr.render.renderer.RenderListener`.

    The object lives on the GUI thread, and the render thread calls its methods. Qt therefore queues each signal, and
    the receivers run on the GUI thread in the order of the calls. A region that ``is_late`` says to be late is dropped.
    """

    opened = Signal(object)
    """Opened."""
    region_ready = Signal(object)
    """RenderedRegion."""
    answered = Signal(object)
    """The answer to an inquiry, or to a step of one."""
    busy_changed = Signal(bool)
    """Whether the full picture of the newest request is still missing."""
    progress = Signal(str)
    """How far the encoding in progress is, in words; empty when there is nothing to say."""
    warning = Signal(str)
    """Sentences about what was met in reading the clip."""
    failure = Signal(object)
    """Failure."""
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_late: Callable[[RenderedRegion], bool] = lambda _region: False
        self._arrived.connect(self._pass_on)

    def clip_opened(self, opened: Opened) -> None:
        """Emit ``opened``; called on the render thread."""
        self.opened.emit(opened)

    def rendered(self, region: RenderedRegion) -> None:
        """Emit ``region_ready``; called on the render thread."""
        self._arrived.emit(region)

    @Slot(object)
    def _pass_on(self, region: RenderedRegion) -> None:
        if not self.is_late(region):
            self.region_ready.emit(region)

    def told(self, answer: object) -> None:
        """Emit ``answered``; called on the render thread."""
        self.answered.emit(answer)

    def busy(self, is_busy: bool) -> None:
        """Emit ``busy_changed``; called on the render thread."""
        self.busy_changed.emit(is_busy)

    def encoding(self, words: str) -> None:
        """Emit ``progress``; called on the render thread, or on that of the comparison."""
        self.progress.emit(words)

    def warned(self, sentences: tuple[str, ...]) -> None:
        """Emit ``warning``; called on the render thread."""
        self.warning.emit(" ".join(map(tr_engine, sentences)))

    def failed(self, failure: Failure) -> None:
        """Emit ``failure``; called on the render thread."""
        self.failure.emit(failure)
