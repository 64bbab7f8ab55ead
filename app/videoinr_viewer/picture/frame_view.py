"""The widget that shows the rendered picture and turns mouse gestures into intents."""

from __future__ import annotations

from enum import Enum

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from videoinr.render.messages import Opened
from videoinr.types import Quality, RegionQuery, RenderedRegion, ViewState
from videoinr_viewer.picture.canvas import CanvasBox, PictureItem
from videoinr_viewer.picture.navigation import FIT_MARGIN_PX, drawn

SOURCE_PATIENCE_MSECS = 80
"""How long a source frame waits for the decoded picture before it replaces the last one.

Without this wait, playback would flash the blurred source frame at each frame of the clip.
"""


class Compare(Enum):
    """The ways to compare the source with the decoded picture."""

    OFF = "off"
    WIPE = "wipe"
    WIPE_FOLLOWS = "wipe that follows the mouse"


class FrameView(pg.GraphicsView):  # type: ignore[misc]
    """The picture's widget. Coordinates in its signals are physical pixels from its top left corner."""

    screen_changed = Signal(tuple, float)
    """(width, height) and the margin of a fitted picture, physical pixels."""
    zoom_wanted = Signal(float, tuple)
    """Factor, and the point (x, y) that stays fixed."""
    pan_wanted = Signal(tuple)
    """(x, y) in whole pixels."""
    pan_ended = Signal()
    scrub_wanted = Signal(int)
    """Sixteenths of a frame."""
    shown = Signal(object)
    """RenderedRegion: it has just been added to the picture."""
    painted = Signal(tuple)
    """The RenderedRegions that a paint has just drawn, bottom to top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        # Set before pyqtgraph's own __init__, which resizes the widget.
        self._fit_margin_px = FIT_MARGIN_PX
        super().__init__(parent, background=None)
        self.compare = Compare.OFF
        self._panned_px = (0, 0)
        self._late_source: RenderedRegion | None = None
        self._patience = QTimer(self, singleShot=True)
        self._patience.setInterval(SOURCE_PATIENCE_MSECS)
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
        """Take the size of a newly opened clip and show nothing yet."""
        self._forget_late_source()
        self._item.reset(opened.info.width, opened.info.height)

    @Slot(object)
    def look(self, view: ViewState) -> None:
        """Show the area of ``view`` at once, with the regions that there are."""
        view = drawn(view, self.screen_px)
        width, height = (side / view.zoom for side in self.screen_px)
        self._box.setRange(QRectF(view.centre[0] - width / 2, view.centre[1] - height / 2, width, height), padding=0)

    @Slot(object)
    def show_region(self, region: RenderedRegion) -> None:
        """Show a rendered region. The last one stays until this one covers it."""
        if region.quality is Quality.SOURCE and self._item.stack.regions:
            self._late_source = region
            if not self._patience.isActive():
                self._patience.start()
            return
        self._show_late_source()
        self._add(region)

    def full_for(self, query: RegionQuery | None) -> RenderedRegion | None:
        """Return the full picture of exactly ``query``, or None if there is none yet."""
        return self._item.stack.full_for(query)

    @Slot(bool)
    def set_source_only(self, source_only: bool) -> None:
        """Show the source frame alone, or the decoded picture again."""
        if source_only:
            self._show_late_source()
        self._item.source_only = source_only
        self._update_badge()

    @Slot(bool)
    def set_full_screen(self, is_full: bool) -> None:
        """Fit the picture with a margin, or on a whole screen without one."""
        self._fit_margin_px = 0 if is_full else FIT_MARGIN_PX
        self._report_screen()

    def set_compare(self, compare: Compare) -> None:
        """Set how the source and the decoded picture are compared."""
        self.compare = compare
        self._item.wipe = None if compare is Compare.OFF else 0.5
        self._update_badge()

    # ---- the screen ----

    @property
    def screen_px(self) -> tuple[int, int]:
        """(width, height) of the widget, physical pixels."""
        ratio = self.devicePixelRatioF()
        return round(self.viewport().width() * ratio), round(self.viewport().height() * ratio)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Report the new size."""
        super().resizeEvent(event)
        self._report_screen()

    def event(self, event: QEvent) -> bool:
        """Report the size in physical pixels when the window moves to a screen of another density."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            QTimer.singleShot(0, self, self._report_screen)
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Report the drawn regions."""
        super().paintEvent(event)
        self.painted.emit(self._item.drawn)

    def changeEvent(self, event: QEvent) -> None:
        """Set the background behind the picture when the theme changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.setBackground(self.palette().color(QPalette.ColorRole.Dark))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move a wipe that follows the mouse."""
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
    def _report_screen(self) -> None:
        self.screen_changed.emit(self.screen_px, self._fit_margin_px * self.devicePixelRatioF())

    def _update_badge(self) -> None:
        is_wipe = self.compare is not Compare.OFF
        text = "Source" if self._item.source_only else "Source  |  VideoINR" if is_wipe else ""
        self._badge.setText(text)
        self._badge.adjustSize()
        self._badge.setVisible(bool(text))
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
