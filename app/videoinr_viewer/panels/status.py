"""The status line: the time, the zoom and the scale of the view, the state of the work, and the model."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from videoinr.playing.plan import Shutter
from videoinr.render.messages import Opened
from videoinr.render.view import scale_from_zoom
from videoinr.types import ExportProgress, Quality, RenderedRegion, ViewState
from videoinr_viewer.panels.labels import ShortenedLabel, ShrinkingLabel
from videoinr_viewer.panels.pair_note import PairNote
from videoinr_viewer.picture.scoring import Score
from videoinr_viewer.style.language import decimal, tr, tr_engine
from videoinr_viewer.style.text import (
    describe_scale,
    describe_scale_briefly,
    format_device,
    format_elapsed,
    format_instant,
    format_progress,
    format_time,
    format_zoom,
)
from videoinr_viewer.style.theme import Tone, set_tone

BUSY_PATIENCE_MSECS = 300
"""Work that ends within this time is not shown."""


class StatusLine(QFrame):
    """Shows time, frame, zoom and scale on the left; work, speed, model and device on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self._clip: Opened | None = None
        self._shown: Quality | None = None
        self._is_opening = self._is_busy = False
        self.where, self.zoom = QLabel(), QLabel()
        # Never elided: it says where the model extrapolates.
        self.scale = ShortenedLabel()
        self.pair, self.play, self.picture, self.engine, self.shutter = (ShrinkingLabel() for _ in range(5))
        self.work, self.export, self.queue, self.score = (ShrinkingLabel() for _ in range(4))
        self._note = PairNote()
        self._progress = self._preparing = ""
        self.engine.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.where.setProperty("strong", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 12, 4)
        row.setSpacing(12)
        for widget, stretch in (
            (self.where, 0), (self.zoom, 0), (self.scale, 1), (self.shutter, 0), (self.pair, 0), (self.play, 0),
            (self.work, 0), (self.picture, 0), (self.score, 0), (self.export, 0), (self.queue, 0), (self.engine, 0),
        ):  # fmt: skip
            row.addWidget(widget, stretch)
        for label in (self.shutter, self.pair, self.play, self.work, self.export, self.queue, self.score):
            self._set_note(label, "")
        self._patience = QTimer(self, singleShot=True)
        self._patience.setInterval(BUSY_PATIENCE_MSECS)
        self._patience.timeout.connect(self._show_work)

    @Slot(object)
    def show_opening(self, _path: Path) -> None:
        """Show that a clip is being opened, if it takes long."""
        self._is_opening, self._preparing = True, ""
        self.set_busy(True)

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Show the model and the device of a newly opened clip."""
        self._is_opening = False
        self.set_busy(False)
        self._clip, self._shown = opened, None
        self.engine.setText(f"{opened.model_name} · {format_device(opened.device_name)}")
        self.picture.setText("")
        self._set_note(self.pair, self._note.clear())

    @Slot()
    def stop_opening(self) -> None:
        """Show the clip as before: another one could not be opened."""
        self._is_opening = False
        self.set_busy(False)

    @Slot()
    def close_clip(self) -> None:
        """Show nothing: no clip is open."""
        self._clip, self._is_opening = None, False
        self.set_busy(False)
        for label in (self.where, self.zoom, self.picture, self.engine):
            label.setText("")
        self.scale.set_texts("", "")
        self._set_note(self.pair, self._note.clear())

    @Slot(object)
    def look(self, view: ViewState) -> None:
        """Show the time, the zoom and the scale of ``view``."""
        if self._clip is None:
            return
        instant = self._clip.timeline.instant_from_time(view.time_secs)
        self.where.setText(f"{format_time(view.time_secs)}   {format_instant(instant)}")
        self._set_note(self.pair, self._note.look(instant.pair))
        self.zoom.setText(format_zoom(view.zoom))
        scale, trained = scale_from_zoom(view.zoom), self._clip.trained_scales
        text, extrapolates = describe_scale(scale, trained, zoom=view.zoom)
        self.scale.set_texts(text, describe_scale_briefly(scale, trained, zoom=view.zoom))
        set_tone(self.scale, Tone.WARM if extrapolates else Tone.PLAIN)

    @Slot(object)
    def show_region(self, region: RenderedRegion) -> None:
        """Show the quality of a rendered region, how long it took, and what is special about its pair."""
        if region.quality is Quality.SOURCE and self._shown is not None:
            return  # The picture lies above the source frame.
        self._shown = region.quality
        if region.quality is not Quality.MOTION:
            self._preparing = ""
        self._set_note(self.pair, self._note.show(region))
        self.picture.setText(_describe(region))
        if self.work.text():
            self._show_work()

    @Slot(bool)
    def set_busy(self, is_busy: bool) -> None:
        """Show that work goes on, if it takes long, or that the picture is complete."""
        self._is_busy = is_busy
        if not is_busy:
            self._progress = ""
            self._patience.stop()
            self._set_note(self.work, "")
        elif not self._patience.isActive() and not self.work.text():
            self._patience.start()

    @Slot(str)
    def show_progress(self, words: str) -> None:
        """Show how far the encoding in progress is; an empty text shows what is shown without.

        While a clip opens: what takes long; that is shown until a picture is decoded, which has to wait for more of it.
        Once the picture is complete, other pairs are encoded ahead: that says so, and leaves nothing at its end.
        """
        if self._is_opening:
            self._preparing = tr_engine(words)
            self._show_work()
            return
        self._progress = format_progress(words)
        if not self._is_busy:
            self._set_note(self.work, tr("ahead: {progress}", progress=self._progress) if words else "")
        elif words or self.work.text():
            self._show_work()

    @Slot(object)
    def show_shutter(self, shutter: Shutter) -> None:
        """Show the rolling shutter that is corrected, and that a region has a shutter of its own."""
        words = [] if shutter.inside is None else [tr("own shutter in a region")]
        if shutter.readout is not None:
            msecs = decimal(f"{abs(float(shutter.readout.secs)) * 1000:.4g}")
            words.append(tr("rolling shutter {msecs} ms", msecs=msecs))
        self._set_note(self.shutter, " · ".join(words))

    @Slot(str)
    def show_play(self, note: str) -> None:
        """Show what is playing; it stands in place of the quality of single pictures."""
        self._set_note(self.play, note)
        self.picture.setVisible(not note)

    @Slot(object)
    def show_score(self, score: Score | None) -> None:
        """Show how near the picture in view is to the reference; None: there is none, or it is being computed."""
        self._set_note(self.score, "" if score is None else describe_score(score))
        self.score.setToolTip("" if score is None else explain_score(score))
        set_tone(self.score, Tone.PLAIN if score is None or score.is_exact else Tone.WARM)

    @Slot(object)
    def show_export(self, progress: ExportProgress) -> None:
        """Show the progress of the export."""
        self._set_note(self.export, tr("exporting {percent}%", percent=100 * progress.done // max(1, progress.total)))

    @Slot()
    def clear_export(self) -> None:
        """Show no export."""
        self._set_note(self.export, "")

    @Slot(str)
    def show_queue(self, words: str) -> None:
        """Show a few words about the export queue."""
        self._set_note(self.queue, words)

    @Slot()
    def _show_work(self) -> None:
        decoding = tr("refining…") if self._shown is Quality.DRAFT else tr("encoding…")
        working = tr("opening…") if self._is_opening else decoding
        self._set_note(self.work, self._progress or self._preparing or working)

    @staticmethod
    def _set_note(label: QLabel, text: str) -> None:
        """Show ``text``; an empty one takes no room."""
        label.setText(text)
        label.setVisible(bool(text))


def _describe(region: RenderedRegion) -> str:
    name = quality_name(region.quality)
    return name if math.isnan(region.elapsed_secs) else f"{name} · {format_elapsed(region.elapsed_secs)}"


def quality_name(quality: Quality) -> str:
    """Return the name of ``quality`` for the user."""
    return {
        Quality.SOURCE: tr("source"),
        Quality.MOTION: tr("motion draft"),
        Quality.DRAFT: tr("draft"),
        Quality.FULL: tr("full"),
    }[quality]


def describe_score(score: Score) -> str:
    """Return ``31.24 dB · SSIM 0.921``; with the name of another model, or by how much a file's frame is too early."""
    psnr = "∞" if math.isinf(score.psnr_db) else decimal(f"{score.psnr_db:.2f}")
    text = f"{psnr} dB" if score.ssim is None else f"{psnr} dB · SSIM {decimal(f'{score.ssim:.3f}')}"
    if score.frame is None:
        return tr("{model}: {score}", model=score.name, score=text)
    return text if score.is_exact else tr("{score} (frame {msecs} ms early)", score=text, msecs=_early_msecs(score))


def explain_score(score: Score) -> str:
    """Return what was compared with what."""
    if score.frame is None:
        return tr("PSNR and SSIM of luma, of the part in view, between this model's picture and that of {name}",
                  name=score.name)  # fmt: skip
    when = tr("at this time") if score.is_exact else tr("which starts {msecs} ms earlier", msecs=_early_msecs(score))
    what = tr(
        "PSNR and SSIM of luma, of the part in view, against frame {frame} of {name}, {when}", frame=score.frame,
        name=score.name, when=when,
    )  # fmt: skip
    return tr("{what}; the reference was resampled to the pixels in view", what=what) if score.is_resampled else what


def _early_msecs(score: Score) -> str:
    return decimal(f"{float(score.early_secs) * 1000:.1f}")
