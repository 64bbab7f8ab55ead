"""The widget that shows the rendered picture and turns mouse gestures into intents."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QWidget

from videoinr.render.messages import Opened
from videoinr.types import RegionQuery, RenderedRegion, RenderRequest, ViewState
from videoinr_viewer.clip_access.side_reader import SideReader
from videoinr_viewer.picture.canvas import Canvas
from videoinr_viewer.picture.comparing import Compare
from videoinr_viewer.picture.comparison import Comparison
from videoinr_viewer.picture.navigation import FIT_MARGIN_PX, drawn
from videoinr_viewer.picture.overlays import Overlays
from videoinr_viewer.picture.picture_item import Layer
from videoinr_viewer.picture.surround import surround_brush
from videoinr_viewer.style.language import tr

WIPE_REACH_PX = 6
"""The mouse takes hold of the wipe within this distance, logical pixels."""


class MouseTool(Protocol):
    """Takes the left mouse button over the picture. Places are (x, y) in clip pixels; they may lie beside it."""

    def press(self, place: tuple[float, float]) -> None:
        """The button was pressed."""

    def drag(self, place: tuple[float, float]) -> None:
        """The mouse moved with the button down."""

    def release(self, place: tuple[float, float]) -> None:
        """The button was released."""

    def lose(self) -> None:
        """Another tool took the mouse."""


class FrameView(Canvas):
    """The picture's widget. Coordinates in its signals are physical pixels from the top left corner of a pane.

    There is one pane, as large as the widget; or two, side by side, which show the same view.
    """

    screen_changed = Signal(tuple, float)
    """(width, height) of a pane and the margin of a fitted picture, physical pixels."""
    zoom_wanted = Signal(float, tuple)
    """Factor, and the point (x, y) that stays fixed."""
    pan_wanted = Signal(tuple)
    """(x, y) in whole pixels."""
    centre_wanted = Signal(tuple)
    """(x, y) in clip pixels: what the middle of the view shall show."""
    shown = Signal(object)
    """RenderedRegion: it has just been added to the picture."""
    painted = Signal(tuple)
    """The RenderedRegions that a paint has just drawn, bottom to top."""

    def __init__(self, reader: SideReader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fit_margin_px, self._has_checkerboard = FIT_MARGIN_PX, False
        self._view: ViewState | None = None
        self.comparison = Comparison(self.item, reader, self)
        self._panned_px = (0, 0)
        self._holds_wipe = self._holds_tool = False
        self._tool: MouseTool | None = None
        self.overlays = Overlays(self, self.viewport(), self.item, self.comparison)
        self.setAccessibleName(tr("Picture"))
        self._paint_surround()
        self._connect()

    def _connect(self) -> None:
        self.zoomed.connect(self._zoom)
        self.panned.connect(self._pan)
        self.pan_ended.connect(self._show_plain_cursor)
        self.overlays.minimap.centre_wanted.connect(self.centre_wanted)
        self.overlays.minimap.released.connect(self.pan_ended)
        self.comparison.changed.connect(self._report_screen)

    # ---- what is shown ----

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Take the size of a newly opened clip and show nothing yet."""
        self.item.reset(opened.info.width, opened.info.height)
        self.overlays.open(opened)
        self.comparison.open(opened)

    @Slot(object)
    def look(self, view: ViewState) -> None:
        """Show the area of ``view`` at once, with the regions that there are."""
        self._view = view
        self.item.view, self.item.pane_px = drawn(view, self.screen_px), self.screen_px
        self.item.update()
        self.overlays.look()

    @Slot(object)
    def show_region(self, region: RenderedRegion) -> None:
        """Show a rendered region. The last one stays until this one covers it; a source frame lies below them all."""
        self.item.stack.add(region)
        self.item.update()
        self.comparison.update()
        self.overlays.show_region(region)
        self.shown.emit(region)

    @Slot(object)
    def expect(self, request: RenderRequest) -> None:
        """Show the full picture that ``request`` asks for at once, if it is there: it may lie below a zoomed one."""
        full = self.full_for(request.query)
        if full is not None and full is not self.item.newest():
            self.show_region(full)

    def full_for(self, query: RegionQuery | None) -> RenderedRegion | None:
        """Return the full picture of exactly ``query``, or None if there is none yet."""
        return self.item.stack.full_for(query)

    @Slot(bool)
    def set_source_only(self, source_only: bool) -> None:
        """Show the source frame alone, or the decoded picture again."""
        self.item.source_only = source_only
        self.item.update()
        self.overlays.update_badge()

    @property
    def needs_source(self) -> bool:
        """Whether the source frame is on the screen, alone or to compare with."""
        return self.item.source_only or self.compare is not Compare.OFF

    @property
    def compare(self) -> Compare:
        """How the source and the decoded picture are compared."""
        return self.comparison.mode

    @Slot(bool)
    def set_full_screen(self, is_full: bool) -> None:
        """Fit the picture with a margin, or on a whole screen without one."""
        self._fit_margin_px = 0 if is_full else FIT_MARGIN_PX
        self._report_screen()

    def set_grid(self, shown: bool) -> None:
        """Show lines between the source pixels, or none."""
        self.item.shows_grid = shown
        self.item.update()

    def set_checkerboard(self, shown: bool) -> None:
        """Show a checkerboard around the picture, or a plain surface."""
        self._has_checkerboard = shown
        self._paint_surround()

    def add_layer(self, layer: Layer) -> None:
        """Paint ``layer`` over the picture, above those that were added before."""
        self.item.layers.append(layer)

    @Slot()
    def repaint_layers(self) -> None:
        """Paint the layers again: one of them has something else to show."""
        self.item.update()

    def set_tool(self, tool: MouseTool | None) -> None:
        """Give the left mouse button to ``tool``; None: it pans again. The middle one always pans."""
        lost, self._tool, self._holds_tool = self._tool, tool, False
        if lost is not None and tool is not None and lost is not tool:
            lost.lose()
        self._show_cursor(on_wipe=False)

    # ---- the screen ----

    @property
    def screen_px(self) -> tuple[int, int]:
        """(width, height) of a pane, physical pixels."""
        ratio = self.devicePixelRatioF()
        width, height = round(self.viewport().width() * ratio), round(self.viewport().height() * ratio)
        return (width // 2 if self.item.compare is Compare.SIDE_BY_SIDE else width), height

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Report the new size."""
        super().resizeEvent(event)
        self._report_screen()

    def event(self, event: QEvent) -> bool:
        """Report the size in physical pixels when the window moves to a screen of another density."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            QTimer.singleShot(0, self, self._report_screen)
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Report the drawn regions."""
        super().paintEvent(event)
        self.painted.emit(self.item.drawn)

    def changeEvent(self, event: QEvent) -> None:
        """Set the background behind the picture when the theme changes."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._paint_surround()

    # ---- the mouse ----

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the wipe, if the mouse is on it, or begin with the tool."""
        if event.button() == Qt.MouseButton.LeftButton and self._is_on_wipe(event.position()):
            self._holds_wipe = True
            event.accept()
            return
        if event.button() == Qt.MouseButton.LeftButton and self._tool is not None:
            self._holds_tool = True
            self._tool.press(self.clip_point(event.position()))
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move a wipe that the mouse holds or that follows it, or the tool; show the values under the mouse."""
        if not event.buttons() & Qt.MouseButton.LeftButton:  # The release may have gone to a dialog.
            self._holds_wipe = self._holds_tool = False
        if self._holds_wipe or self.compare is Compare.WIPE_FOLLOWS:
            self.comparison.move_wipe(self.clip_point(event.position())[0])
        if self._holds_tool and self._tool is not None:
            self._tool.drag(self.clip_point(event.position()))
        elif not self._holds_wipe:
            super().mouseMoveEvent(event)
            if not event.buttons():
                self._show_cursor(on_wipe=self._is_on_wipe(event.position()))
        # The middle of the pixel under the mouse: its corner may lie on the edge of two pixels of the picture.
        middle = event.position() + QPointF(0.5, 0.5) / self.devicePixelRatioF()
        self.overlays.point_at(event.position().toPoint(), self.clip_point(middle))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the wipe or the tool."""
        if self._holds_wipe and event.button() == Qt.MouseButton.LeftButton:
            self._holds_wipe = False
            event.accept()
            return
        if self._holds_tool and event.button() == Qt.MouseButton.LeftButton:
            self._holds_tool = False
            if self._tool is not None:
                self._tool.release(self.clip_point(event.position()))
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Show no values: the mouse is elsewhere."""
        super().leaveEvent(event)
        self.overlays.point_at(None, (0.0, 0.0))

    def clip_point(self, at: QPointF) -> tuple[float, float]:
        """Return the clip's point that is drawn at ``at``, logical pixels of the widget."""
        panes = self.item.panes()
        if not panes:
            return -1.0, -1.0
        physical = at * self.devicePixelRatioF()
        pane = next((pane for pane in panes if pane.box.contains(physical)), panes[0])
        inverted, _ = pane.physical.inverted()
        point = inverted.map(physical)
        return point.x(), point.y()

    # ---- inside ----

    def _show_cursor(self, *, on_wipe: bool) -> None:
        plain = Qt.CursorShape.ArrowCursor if self._tool is None else Qt.CursorShape.CrossCursor
        self.setCursor(Qt.CursorShape.SplitHCursor if on_wipe else plain)

    def _is_on_wipe(self, at: QPointF) -> bool:
        x = self.item.wipe_px() if self.compare is Compare.WIPE else None
        return x is not None and abs(at.x() - x / self.devicePixelRatioF()) <= WIPE_REACH_PX

    @Slot()
    def _report_screen(self) -> None:
        self.screen_changed.emit(self.screen_px, self._fit_margin_px * self.devicePixelRatioF())
        if self._view is not None:
            self.look(self._view)

    def _paint_surround(self) -> None:
        self.set_background(surround_brush(self.palette().color(QPalette.ColorRole.Dark), self._has_checkerboard))

    @Slot(float, QPointF)
    def _zoom(self, factor: float, at: QPointF) -> None:
        ratio, (width, _) = self.devicePixelRatioF(), self.screen_px
        x = at.x() * ratio
        self.zoom_wanted.emit(factor, (x - width if self.compare is Compare.SIDE_BY_SIDE and x >= width else x,
                                       at.y() * ratio))  # fmt: skip

    @Slot(QPointF, bool)
    def _pan(self, moved: QPointF, begins: bool) -> None:
        if begins:
            self._panned_px = (0, 0)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        ratio, before = self.devicePixelRatioF(), self._panned_px
        self._panned_px = (round(moved.x() * ratio), round(moved.y() * ratio))
        self.pan_wanted.emit((self._panned_px[0] - before[0], self._panned_px[1] - before[1]))

    @Slot()
    def _show_plain_cursor(self) -> None:
        self._show_cursor(on_wipe=False)
