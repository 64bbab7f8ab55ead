"""The line at the bottom: where we are, what is shown, how honest it is, and what renders it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget
from superqt import QElidingLabel

from videoinr.render.messages import Opened
from videoinr.render.view import scale_from_zoom
from videoinr.types import ExportProgress, Quality, RenderedRegion, ViewState
from videoinr_viewer.style.text import describe_scale, format_elapsed, format_instant, format_time, format_zoom
from videoinr_viewer.style.theme import ACCENT_WARM

BUSY_PATIENCE_MSECS = 300
"""Work that is done within this time is not mentioned."""
_QUALITY_WORDS = {Quality.SOURCE: "source", Quality.DRAFT: "draft", Quality.FULL: "full"}


class StatusLine(QFrame):
    """Time and frame, zoom and scale on the left; work, speed, model and device on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self._clip: Opened | None = None
        self._shown: Quality | None = None
        self._extrapolates = self._is_opening = False
        self.where, self.zoom, self.work, self.picture, self.export = (QLabel() for _ in range(5))
        self.scale, self.engine = QElidingLabel(), QLabel()
        self.where.setProperty("strong", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 3, 16, 4)
        row.setSpacing(18)
        for widget, stretch in (
            (self.where, 0), (self.zoom, 0), (self.scale, 1), (self.work, 0), (self.picture, 0),
            (self.export, 0), (self.engine, 0),
        ):  # fmt: skip
            row.addWidget(widget, stretch)
        self._patience = QTimer(self, singleShot=True, interval=BUSY_PATIENCE_MSECS)
        self._patience.timeout.connect(self._show_work)

    @Slot(object)
    def show_opening(self, _path: Path) -> None:
        """A clip is being opened; said only when it lasts."""
        self._is_opening = True
        self.set_busy(True)

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Another clip."""
        self._is_opening = False
        self.set_busy(False)
        self._clip, self._shown = opened, None
        self.engine.setText(f"{opened.model_name} · {opened.device_name}")
        self.picture.clear()

    @Slot()
    def close_clip(self) -> None:
        """No clip."""
        self._clip, self._is_opening = None, False
        self.set_busy(False)
        for label in (self.where, self.zoom, self.work, self.picture, self.scale, self.engine):
            label.setText("")

    @Slot(object)
    def look(self, view: ViewState) -> None:
        """Another view."""
        if self._clip is None:
            return
        instant = self._clip.timeline.instant_from_time(view.time_secs)
        self.where.setText(f"{format_time(view.time_secs)}   {format_instant(instant)}")
        self.zoom.setText(format_zoom(view.zoom))
        words, extrapolates = describe_scale(scale_from_zoom(view.zoom), self._clip.trained_scales)
        self.scale.setText(words)
        if extrapolates != self._extrapolates:
            self._extrapolates = extrapolates
            self.scale.setStyleSheet(f"color: {ACCENT_WARM.name()};" if extrapolates else "")

    @Slot(object)
    def show_region(self, region: RenderedRegion) -> None:
        """A picture arrived."""
        self._shown = region.quality
        self.picture.setText(f"{_QUALITY_WORDS[region.quality]} · {format_elapsed(region.elapsed_secs)}")
        if self.work.text():
            self._show_work()

    @Slot(bool)
    def set_busy(self, is_busy: bool) -> None:
        """Work goes on (said only when it lasts), or the picture is complete."""
        if not is_busy:
            self._patience.stop()
            self.work.clear()
        elif not self._patience.isActive() and not self.work.text():
            self._patience.start()

    @Slot(object)
    def show_export(self, progress: ExportProgress) -> None:
        """How far the export is."""
        self.export.setText(f"exporting {100 * progress.done // max(1, progress.total)} %")

    @Slot()
    def clear_export(self) -> None:
        """No export runs."""
        self.export.clear()

    @Slot()
    def _show_work(self) -> None:
        if self._is_opening:
            self.work.setText("opening…")
            return
        self.work.setText("refining…" if self._shown is Quality.DRAFT else "encoding…")
