"""The strip of frames of the timeline."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from PySide6.QtCore import QObject, QRectF, QSize
from PySide6.QtGui import QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from helpers.slow_frames import SlowFrames
from videoinr.timeline import Timeline
from videoinr_viewer.clip_access.side_reader import SideReader
from videoinr_viewer.style.painting import painting
from videoinr_viewer.timeline.overview_painter import STRIP_PX, OverviewPainter
from videoinr_viewer.timeline.thumbnails import Thumbnails


def test_the_frames_of_the_strip_are_those_of_exact_times(qapp: QApplication) -> None:
    ticks = np.cumsum([0, 3, 1, 7, 2, 2, 9, 4])
    timeline = Timeline(ticks.astype(np.int64), Fraction(1, 90), int(ticks[-1]) + 5)
    pixmap, images = QPixmap(600, 80), Thumbnails(SideReader(SlowFrames), QObject())
    shown = (Fraction(1, 45), timeline.duration_secs)
    with painting(QPainter(pixmap)) as painter:
        paint = OverviewPainter(painter, QPalette(), timeline, QRectF(9, 0, 582, 80), shown)
        frames = paint.thumbnails(images, QSize(20, STRIP_PX), 0.0)
    count = 582 // 20
    middles = [shown[0] + (shown[1] - shown[0]) * Fraction(2 * index + 1, 2 * count) for index in range(count)]
    assert frames == [timeline.frame_at(time) for time in middles], "and the nearest first"
