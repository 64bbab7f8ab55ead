"""The paint meter of the bench, with a stub session and a stub view."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from videoinr.geometry import Grid
from videoinr.types import Instant, Quality, RegionQuery, RenderedRegion
from videoinr_viewer.bench.meter import PaintMeter
from videoinr_viewer.viewer import Viewer

GRID = Grid(4, 3)


class Session(QObject):
    requested = Signal(object)
    last_query = None


class View(QObject):
    painted = Signal(tuple)


class Watched(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.session, self.view = Session(self), View(self)
        self.window = SimpleNamespace(frame_view=self.view)

    def paint(self, *regions: RenderedRegion) -> None:
        self.view.painted.emit(regions)
        QApplication.processEvents()


def region(quality: Quality, step: int) -> RenderedRegion:
    query = RegionQuery(Instant(0, Fraction(step, 97)), GRID, GRID.rect)
    return RenderedRegion(query, quality, np.zeros((3, 4, 4), np.uint8), 0.01)


@pytest.fixture
def watched(qtbot: QtBot) -> Watched:
    return Watched()


def test_full_pictures_while_the_view_moves_are_counted_once_each(watched: Watched) -> None:
    meter = PaintMeter(cast("Viewer", watched))
    first, second, halves = (
        region(Quality.FULL, 1),
        region(Quality.FULL, 2),
        [region(Quality.FULL, 3) for _ in range(2)],
    )
    with meter.moving():
        watched.paint(region(Quality.SOURCE, 0))
        watched.paint(region(Quality.DRAFT, 1))
        watched.paint(first)
        watched.paint(first)  # nothing new
        watched.paint(*halves)  # one picture in two regions
    watched.paint(second)  # at rest
    counts: Any = meter.take()
    assert counts.fulls_while_moving == 2
    assert counts.moving_secs > 0
    assert counts.shown == {Quality.SOURCE: 1, Quality.MOTION: 0, Quality.DRAFT: 1, Quality.FULL: 4}
    assert meter.take().fulls_while_moving == 0
