"""The panel with the x-t slice: time to the right, the line downwards; a click goes to its time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QDockWidget, QWidget

from videoinr.playing.plan import Shutter
from videoinr.render.slicing import SliceColumn, SlicePlan
from videoinr_viewer.inspection.slice_overlay import END, START
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.plot_axis import PlotAxis

HEIGHT_PX, LEAST_HEIGHT_PX = 210, 100
LINE_ENDS_PX = 6
"""Width of the marks that tell which end of the picture's line is where, pixels."""


class _Plot(pg.GraphicsView):  # type: ignore[misc]
    """A box and a time axis below it. PlotWidget would take 30 ms more to make, for its menus."""

    def __init__(self) -> None:
        super().__init__()
        layout = pg.GraphicsLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.box = layout.addViewBox(row=0, col=0, enableMenu=False, invertY=True)
        self.axis = PlotAxis("bottom", linkView=self.box)
        self.axis.setLabel(tr("source frame"))
        layout.addItem(self.axis, row=1, col=0)
        self.setCentralItem(layout)

    def sizeHint(self) -> QSize:
        """Return the wanted size, logical pixels: the window's height is the picture's."""
        return QSize(super().sizeHint().width(), HEIGHT_PX)


class SliceDock(QDockWidget):
    """Shows the columns of one slice as they come; those that are missing are dark."""

    position_wanted = Signal(object)
    """Fraction: the position in source frames that was clicked."""
    closed = Signal()
    """The user closed the panel."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("x-t slice"), parent)
        self.setObjectName("slice")
        self.setAllowedAreas(Qt.DockWidgetArea.BottomDockWidgetArea | Qt.DockWidgetArea.TopDockWidgetArea)
        self._plan: SlicePlan | None = None
        self._left, self._is_corrected = 0, False
        self._rows: NDArray[np.uint8] = np.zeros((1, 1, 3), np.uint8)
        self.plot = _Plot()
        self.plot.setAccessibleName(tr("x-t slice: the pixels of the line over time"))
        self.plot.setMinimumHeight(LEAST_HEIGHT_PX)
        # In the order of Qt's images: otherwise pyqtgraph copies all pixels after each column.
        self.image = pg.ImageItem(levels=None, axisOrder="row-major")
        self.now = pg.InfiniteLine(angle=90)
        self.plot.box.addItem(self.image)
        self.plot.box.addItem(self.now)
        self._ends = [pg.PlotCurveItem(pen=pg.mkPen(colour, width=LINE_ENDS_PX)) for colour in (START, END)]
        for end in self._ends:
            self.plot.box.addItem(end)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.setWidget(self.plot)
        self._paint()
        self.hide()

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The columns: uint8 [columns, height, 3]."""
        return self._rows.transpose(1, 0, 2)

    def show_plan(self, plan: SlicePlan, height: int) -> None:
        """Begin a slice of ``height`` pixels with no column."""
        self._plan = plan
        self._rows = np.full((height, plan.columns, 3), 40, np.uint8)
        self._draw()
        half, first, last = 0.5 / plan.steps, plan.first, plan.last + 1
        self.plot.box.setLimits(xMin=first - 1, xMax=last + 1, yMin=-0.1 * height, yMax=1.1 * height)
        self.plot.box.setRange(xRange=(first - half, last + half), yRange=(0, height), padding=0.02)
        for end, y in zip(self._ends, (0, height), strict=True):
            end.setData([first - half, last + half], [y, y])
        self._tell(plan.columns)

    def add(self, answer: SliceColumn) -> None:
        """Show a column of the present slice; others are dropped."""
        if answer.plan is self._plan or answer.plan == self._plan:
            self.pixels[answer.column] = answer.rgb
            self._draw()
            self._tell(answer.left)

    @Slot(object)
    def show_shutter(self, shutter: Shutter) -> None:
        """Say in the title when the picture's rolling shutter is corrected, which the slice's is not."""
        self._is_corrected = shutter.readout is not None
        if self._plan is not None:
            self._tell(self._left)

    def show_position(self, position: Fraction) -> None:
        """Mark the time in view, in source frames."""
        self.now.setValue(float(position))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def closeEvent(self, event: Any) -> None:
        """Tell that the user closed the panel."""
        super().closeEvent(event)
        self.closed.emit()

    def _draw(self) -> None:
        assert self._plan is not None
        half = 0.5 / self._plan.steps
        self.image.setImage(self._rows, autoLevels=False, levels=None)
        columns, height = self.pixels.shape[:2]
        self.image.setRect(QRectF(self._plan.first - half, 0, columns / self._plan.steps, height))

    def _tell(self, left: int) -> None:
        plan, self._left = self._plan, left
        assert plan is not None
        (x0, y0), (x1, y1) = plan.line
        text = tr(
            "x-t slice, ({a}, {b}) to ({c}, {d}), {count} instants a frame",
            a=round(x0), b=round(y0), c=round(x1), d=round(y1), count=plan.steps,
        )  # fmt: skip
        if self._is_corrected:
            text = tr("{name}, rolling shutter not corrected", name=text)
        done = 100 * (plan.columns - left) // plan.columns
        self.setWindowTitle(f"{text} · {done} %" if left else text)

    def _paint(self) -> None:
        palette = self.palette()
        ink = palette.color(QPalette.ColorRole.WindowText)
        self.plot.setBackground(palette.color(QPalette.ColorRole.Base))
        axis = self.plot.axis
        axis.setPen(QColor(ink))
        axis.setTextPen(QColor(ink))
        self.now.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=2))

    @Slot(object)
    def _click(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._plan is not None:
            x = self.plot.box.mapSceneToView(event.scenePos()).x()
            plan = self._plan
            column = min(max(round((x - plan.first) * plan.steps), 0), plan.columns - 1)
            self.position_wanted.emit(plan.instant(column).position)
