"""The plot of a retime curve, whose points are dragged: output time to the right, clip time upwards."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from videoinr.journey.curve import CurvePoint, RetimeCurve
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.plot_axis import PlotAxis

STEPS_PER_SEC = 1000
"""Points that are dragged lie on whole thousandths of a second."""
_SAMPLES = 200
_POINT_PX = 12


class CurvePlot(pg.PlotWidget):  # type: ignore[misc]
    """Draws a curve and handles for its points."""

    dragged = Signal(int, object, object, bool)
    """Number of the point, output and clip seconds where it is dragged to, and whether the drag has ended."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False, axisItems={side: PlotAxis(side) for side in ("bottom", "left")})
        self.setAccessibleName(tr("Retime curve"))
        self.hideButtons()
        self.setLabel("bottom", tr("output, seconds"))
        self.setLabel("left", tr("clip, seconds"))
        self.showGrid(x=True, y=True, alpha=0.25)
        self.curve = self.plot([], [], antialias=True)
        self.handles: list[pg.TargetItem] = []
        self._paint()

    def sizeHint(self) -> QSize:
        """Return the wanted size, logical pixels."""
        return QSize(560, 300)

    def show_points(self, curve: RetimeCurve) -> None:
        """Show ``curve``, with a handle at each of its points."""
        # A handle that is being dragged tells of its end: it must not be removed meanwhile.
        while len(self.handles) > len(curve.points):
            self.removeItem(self.handles.pop())
        for number, point in enumerate(curve.points):
            if number == len(self.handles):
                self.handles.append(self._handle(number, point))
            with QSignalBlocker(self.handles[number]):
                self.handles[number].setPos(float(point.out_secs), float(point.clip_secs))
        self.draw(curve)
        self._frame(curve.points)

    def draw(self, curve: RetimeCurve) -> None:
        """Draw ``curve`` below the handles, which stay."""
        # In floats, all places at once: exact times of 200 places took half the time of opening the window.
        starts, clips, speeds, bends = np.array(
            [(one.out_secs, one.clip_secs, one.speed, one.bend) for one in curve.pieces], np.float64
        ).T
        # np.union1d would import numpy.ma here, which takes longer than all the rest.
        outs = np.sort(np.concatenate((np.linspace(0, float(curve.duration_secs), _SAMPLES + 1), starts)))
        piece = np.searchsorted(starts, outs, side="right") - 1
        into = outs - starts[piece]
        self.curve.setData(outs, clips[piece] + into * (speeds[piece] + bends[piece] * into))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "curve"):
            self._paint()

    def _handle(self, number: int, point: CurvePoint) -> pg.TargetItem:
        highlight = self.palette().color(QPalette.ColorRole.Highlight)
        at = (float(point.out_secs), float(point.clip_secs))
        handle = pg.TargetItem(at, size=_POINT_PX, symbol="o", pen=pg.mkPen(highlight, width=2), movable=True)
        handle.sigPositionChanged.connect(lambda item: self._tell(number, item, has_ended=False))
        handle.sigPositionChangeFinished.connect(lambda item: self._tell(number, item, has_ended=True))
        self.addItem(handle)
        return handle

    def _tell(self, number: int, item: Any, *, has_ended: bool) -> None:
        out, clip = (max(Fraction(0), Fraction(round(at * STEPS_PER_SEC), STEPS_PER_SEC)) for at in item.pos())
        self.dragged.emit(number, out, clip, has_ended)

    def _frame(self, points: Sequence[CurvePoint]) -> None:
        clips = [float(point.clip_secs) for point in points]
        self.setRange(xRange=(0, float(points[-1].out_secs)), yRange=(min(clips), max(clips)), padding=0.08)

    def _paint(self) -> None:
        palette = self.palette()
        ink = palette.color(QPalette.ColorRole.WindowText)
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("bottom", "left"):
            self.getAxis(side).setPen(ink)
            self.getAxis(side).setTextPen(ink)
        self.curve.setPen(pg.mkPen(ink, width=2))
