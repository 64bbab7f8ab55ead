"""The picture's window: shows what was rendered where the view says, and turns the mouse into intents."""

from __future__ import annotations

from enum import Enum

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from videoinr.render.messages import Opened
from videoinr.types import Quality, RegionQuery, RenderedRegion, ViewState
from videoinr_viewer.picture.canvas import CanvasBox, PictureItem
from videoinr_viewer.picture.navigation import FIT_MARGIN_PX

SOURCE_PATIENCE_MSECS = 80
"""How long a decoded picture may stay for the next one before the plain source frame takes its place.

Without it, playing across source frames would flash a blurred picture at each of them.
"""


class Compare(Enum):
    """How the source and the representation are compared."""

    OFF = "off"
    WIPE = "wipe"
    WIPE_FOLLOWS = "wipe that follows the mouse"


class FrameView(pg.GraphicsView):  # type: ignore[misc]
    """Coordinates in its signals are physical pixels from its top left corner."""

    screen_changed = Signal(tuple, float)
    """(width, height) in physical pixels, and the margin that fit leaves."""
    zoom_wanted = Signal(float, tuple)
    """Factor, and the (x, y) that stays."""
    pan_wanted = Signal(tuple)
    """(x, y) whole pixels."""
    pan_ended = Signal()
    scrub_wanted = Signal(int)
    """Sixteenths of a frame."""
    shown = Signal(object)
    """RenderedRegion: it is on the screen's stack now."""
    painted = Signal(tuple)
    """Of RenderedRegion: a paint has just shown them, bottom to top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.compare = Compare.OFF
        self._panned_px = (0, 0)
        self._late_source: RenderedRegion | None = None
        self._patience = QTimer(self, singleShot=True, interval=SOURCE_PATIENCE_MSECS)
        self._patience.timeout.connect(self._show_late_source)
        self._box, self._item = CanvasBox(), PictureItem()
        self._box.addItem(self._item, ignoreBounds=True)
        self.setCentralItem(self._box)
        self._badge = QLabel(self)
        self._badge.setObjectName("badge")
        self._badge.hide()
        self._badge.move(12, 12)
        self.setAcceptDrops(False)
        self.setAccessibleName("Picture")
        self._connect()

    def _connect(self) -> None:
        self._box.zoom_wanted.connect(self._zoom)
        self._box.pan_wanted.connect(self._pan)
        self._box.pan_ended.connect(self._end_pan)
        self._box.scrub_wanted.connect(self.scrub_wanted)

    # ---- what is shown ----

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Another clip: its size, and nothing to show yet."""
        self._forget_late_source()
        self._item.reset(opened.info.width, opened.info.height)

    @Slot(object)
    def look(self, view: ViewState) -> None:
        """Show the part of the picture that ``view`` says, at once, with what is there."""
        width, height = (side / view.zoom for side in self.screen_px)
        self._box.setRange(QRectF(view.centre[0] - width / 2, view.centre[1] - height / 2, width, height), padding=0)

    @Slot(object)
    def show_region(self, region: RenderedRegion) -> None:
        """Take in a picture that was rendered; the last one stays until this one covers it."""
        if region.quality is Quality.SOURCE and self._item.stack.regions:
            self._late_source = region
            if not self._patience.isActive():
                self._patience.start()
            return
        self._show_late_source()
        self._add(region)

    def full_for(self, query: RegionQuery | None) -> RenderedRegion | None:
        """The full picture that answers exactly ``query``, if it has come."""
        return self._item.stack.full_for(query)

    @Slot(bool)
    def set_source_only(self, source_only: bool) -> None:
        """Show the plain source frame, without the representation, or go back."""
        if source_only:
            self._show_late_source()
        self._item.source_only = source_only
        self._update_badge()

    def set_compare(self, compare: Compare) -> None:
        """Choose how the source and the representation are compared."""
        self.compare = compare
        self._item.wipe = None if compare is Compare.OFF else 0.5
        self._update_badge()

    # ---- the screen ----

    @property
    def screen_px(self) -> tuple[int, int]:
        """(width, height) of the view, physical pixels."""
        ratio = self.devicePixelRatioF()
        return round(self.viewport().width() * ratio), round(self.viewport().height() * ratio)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell the new size."""
        super().resizeEvent(event)
        self._tell_screen()

    def event(self, event: QEvent) -> bool:
        """A window that moves to a screen of another density has another size in physical pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            QTimer.singleShot(0, self, self._tell_screen)
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell what was shown."""
        super().paintEvent(event)
        self.painted.emit(self._item.drawn)

    def changeEvent(self, event: QEvent) -> None:
        """Another theme: another ground behind the picture."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.setBackground(self.palette().color(QPalette.ColorRole.Dark))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A wipe may follow the mouse."""
        super().mouseMoveEvent(event)
        if self.compare is Compare.WIPE_FOLLOWS:
            self._item.wipe = min(max(event.position().x() / max(1, self.width()), 0.0), 1.0)
            self._item.update()

    # ---- inside ----

    def _add(self, region: RenderedRegion) -> None:
        self._item.stack.add(region)
        self._item.update()
        self.shown.emit(region)

    @Slot()
    def _show_late_source(self) -> None:
        if (source := self._forget_late_source()) is not None:
            self._add(source)

    def _forget_late_source(self) -> RenderedRegion | None:
        self._patience.stop()
        source, self._late_source = self._late_source, None
        return source

    @Slot()
    def _tell_screen(self) -> None:
        self.screen_changed.emit(self.screen_px, FIT_MARGIN_PX * self.devicePixelRatioF())

    def _update_badge(self) -> None:
        is_wipe = self.compare is not Compare.OFF
        words = "Source" if self._item.source_only else "Source  |  VideoINR" if is_wipe else ""
        self._badge.setText(words)
        self._badge.adjustSize()
        self._badge.setVisible(bool(words))
        self._item.update()

    @Slot(float, QPointF)
    def _zoom(self, factor: float, at: QPointF) -> None:
        ratio = self.devicePixelRatioF()
        self.zoom_wanted.emit(factor, (at.x() * ratio, at.y() * ratio))

    @Slot(QPointF, bool)
    def _pan(self, moved: QPointF, begins: bool) -> None:
        if begins:
            self._panned_px = (0, 0)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        ratio, before = self.devicePixelRatioF(), self._panned_px
        self._panned_px = (round(moved.x() * ratio), round(moved.y() * ratio))
        self.pan_wanted.emit((self._panned_px[0] - before[0], self._panned_px[1] - before[1]))

    @Slot()
    def _end_pan(self) -> None:
        self.unsetCursor()
        self.pan_ended.emit()
