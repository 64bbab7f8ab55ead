"""The form of the export dialog: its fields, and a summary of the export that they describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QStandardPaths, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from videoinr.errors import VideoInrError
from videoinr.exporting.codecs import Effort
from videoinr.exporting.companions import SourceStreams
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.outputs import companions_for, loss_notes
from videoinr.exporting.picture_names import counted_out
from videoinr.exporting.presets import PRESETS, Preset
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.geometry import Grid, Rect, rect_from_units
from videoinr.render.messages import Opened
from videoinr.render.output_area import grid_of
from videoinr.text import parsing
from videoinr.types import ClipInfo, Segment
from videoinr_viewer.clip_access.reading import Reading
from videoinr_viewer.dialogs.side_dialog import FormArea
from videoinr_viewer.export.formats import Offered, offered
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.panels.labels import ShrinkingLabel
from videoinr_viewer.style.language import decimal, tr, tr_engine, tr_error
from videoinr_viewer.style.text import describe_scale, format_frames, format_rate
from videoinr_viewer.style.theme import Tone, set_tone
from videoinr_viewer.timeline.annotations import NamedSegment
from videoinr_viewer.timeline.clock import Clock

_SIZES = ("×1", "×2", "×3", "×4", "×8")
_RATES = ("×1", "×2", "×4", "×8", "24", "25", "30", "50", "60", "120")
_SPEEDS = tuple(Fraction(1, 2**power) for power in range(5))
_SOUNDS = {
    SoundChoice.KEEP: "Copy it if all of it fits, else encode it",
    SoundChoice.ENCODE: "Always encode it",
    SoundChoice.NONE: "Leave it out",
}
_EFFORTS = {Effort.FAST: "Fast", Effort.MEDIUM: "Medium", Effort.SLOW: "Slow"}
_DEFAULT_SIZE, _DEFAULT_RATE = "×2", "×2"


@dataclass(frozen=True)
class ExportSource:
    """The state of the window that an export starts from.

    Attributes:
        clip: the open clip; ``clock`` writes its times.
        marked: the segment between the marks, seconds.
        visible: the region that the window shows, (left, top, right, bottom) in units of the full frame (0..1).
        reading: how the window reads and renders the clip.
        segments: the named segments of the clip.
        journey: the retime curve, the shutter and the camera path.
        now_secs: the time of the clip that the window shows.
    """

    clip: Opened
    clock: Clock
    marked: Segment
    visible: tuple[float, float, float, float]
    reading: Reading = field(default_factory=Reading)
    segments: tuple[NamedSegment, ...] = ()
    journey: Journey = field(default_factory=Journey)
    now_secs: Fraction = Fraction(0)


class ExportForm(QWidget):
    """Checks every change at once. It reads no file: what the clip's file holds is told by :meth:`take_streams`."""

    changed = Signal(bool)
    """Whether the fields describe a valid export."""
    streams_wanted = Signal(object)
    """ClipInfo: the form describes an export of another clip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: ExportSource | None = None
        self._streams: SourceStreams | None = None
        self._takes_preset = False
        self._area = FormArea(self)
        fields = self._area.form
        self.clip_name = ShrinkingLabel(Qt.TextElideMode.ElideMiddle, fields)
        self.segment, self.speed, self.codec, self.effort = (QComboBox(fields) for _ in range(4))
        self.sound, self.preset = QComboBox(fields), QComboBox(fields)
        self.rate, self.picture_size = (QComboBox(fields, editable=True) for _ in range(2))
        self.crop = QCheckBox(tr("Only what the window shows"), fields)
        self.crf = QSpinBox(fields)
        self.path = QLineEdit(fields)
        self.browse = QPushButton(tr("Choose…"), fields, autoDefault=False)
        self.summary = QLabel(self, wordWrap=True)
        self._fill()
        self._lay_out()
        self._connect()

    def _fill(self) -> None:
        self.rate.addItems(_RATES)
        self.rate.setCurrentText(_DEFAULT_RATE)
        self.picture_size.addItems(_SIZES)
        self.picture_size.setCurrentText(_DEFAULT_SIZE)
        for speed in _SPEEDS:
            self.speed.addItem(
                tr("Normal speed") if speed == 1 else tr("{speed} speed (slow motion)", speed=speed), speed
            )
        for form in offered():
            self.codec.addItem(form.title, form.name)
        self.preset.addItem(tr("My own choice"))
        for preset in PRESETS:
            self.preset.addItem(tr(preset.title), preset)
            self.preset.setItemData(self.preset.count() - 1, tr(preset.says), Qt.ItemDataRole.ToolTipRole)
        for effort, title in _EFFORTS.items():
            self.effort.addItem(tr(title), effort)
        self.effort.setCurrentIndex(self.effort.findData(Effort.MEDIUM))
        for choice, title in _SOUNDS.items():
            self.sound.addItem(tr(title), choice)
        self.rate.setToolTip(tr("Frames per second: 60, 24000/1001, or ×4 for four times the clip's"))
        self.picture_size.setToolTip(tr("×4 for four times the clip's size, or width x height"))
        self.crf.lineEdit().setTextMargins(6, 0, 0, 0)
        self.effort.setToolTip(
            tr("Fast ends sooner and makes a larger file, or a worse picture; slow the other way round")
        )
        self.crf.setToolTip(tr("The smallest number is best; higher numbers make smaller files"))

    def _lay_out(self) -> None:
        form = QFormLayout(self._area.form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(9)
        file_row = QHBoxLayout()
        file_row.setSpacing(8)
        file_row.addWidget(self.path, 1)
        file_row.addWidget(self.browse)
        for title, widget in (
            (tr("Clip"), self.clip_name), (tr("Se&gment"), self.segment), (tr("&Frame rate"), self.rate),
            (tr("Sp&eed"), self.speed),
            (tr("&Size"), self.picture_size), ("", self.crop), (tr("&Preset"), self.preset),
            (tr("&Codec"), self.codec),
            (tr("&Quality (CRF)"), self.crf), (tr("Effor&t"), self.effort),
            (tr("S&ound"), self.sound),
        ):  # fmt: skip
            form.addRow(title, widget)
        form.addRow(label := QLabel(tr("Fi&le"), self._area.form), file_row)
        label.setBuddy(self.path)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(9)
        column.addWidget(self._area, 1)
        self._area.show_form()
        # Apart, so that what is wrong with a field is seen wherever the fields are scrolled to.
        column.addWidget(self.summary)
        self.summary.setMinimumHeight(self.summary.fontMetrics().height() * 3)

    def _connect(self) -> None:
        for combo in (self.segment, self.speed, self.rate, self.picture_size):
            combo.currentTextChanged.connect(self._check)
        self.preset.currentIndexChanged.connect(self._take_preset)
        self.codec.currentIndexChanged.connect(self._take_codec)
        for combo in (self.sound, self.effort):
            combo.currentIndexChanged.connect(self._check)
        self.crop.toggled.connect(self._check)
        self.crf.valueChanged.connect(self._check)
        self.path.textEdited.connect(self._follow_name)
        self.path.textChanged.connect(self._check)
        self.browse.clicked.connect(self._browse)

    def set_source(self, source: ExportSource) -> None:
        """Describe an export of ``source``. Fields keep their values; the file name is new for another clip."""
        old, self._source = self._source, source
        is_new = old is None or old.clip.info.path != source.clip.info.path
        self.clip_name.setText(source.clip.info.path.name)
        self.clip_name.setToolTip(str(source.clip.info.path))
        if old is None or is_new or (old.marked, old.segments) != (source.marked, source.segments):
            self._offer_segments(source, keeps_choice=not is_new and old is not None and old.marked == source.marked)
        if is_new:
            self._streams = None
            self.streams_wanted.emit(source.clip.info)
            self.path.setText(
                str(_default_folder(source.clip.info.path) / f"{source.clip.info.path.stem}-videoinr.mp4")
            )
            self._take_codec()
        # A curve says itself which part of the clip is shown, and how fast.
        for combo in (self.segment, self.speed):
            combo.setEnabled(source.journey.curve is None)
        self.sound.setEnabled(bool(source.clip.info.audio))
        self.sound.setToolTip("" if source.clip.info.audio else tr("The clip has no sound"))
        self._check()

    @Slot(object, object)
    def take_streams(self, info: ClipInfo, streams: SourceStreams | None) -> None:
        """Say from now on what becomes of ``streams``, which the clip ``info`` has."""
        if self._source is not None and self._source.clip.info == info:
            self._streams = streams
            self._check()

    def _offer_segments(self, source: ExportSource, *, keeps_choice: bool) -> None:
        """List the marked segment first, if there is one, then the named ones, and the whole clip."""
        chosen = self.segment.currentData() if keeps_choice else None
        whole = Segment(Fraction(0), source.clip.timeline.duration_secs)
        with QSignalBlocker(self.segment):
            self.segment.clear()
            if source.marked != whole:
                marked = tr("Between the marks: {times}", times=_times(source, source.marked))
                self.segment.addItem(marked, source.marked)
            for named in source.segments:
                self.segment.addItem(f"{named.name}: {_times(source, named.segment)}", named.segment)
            self.segment.addItem(tr("The whole clip: {duration}", duration=source.clock.duration), whole)
            places = [index for index in range(self.segment.count()) if self.segment.itemData(index) == chosen]
            self.segment.setCurrentIndex(places[0] if places else 0)

    @property
    def job(self) -> ExportJob:
        """The export that the fields describe; it does not replace a file. Raises UsageError."""
        assert self._source is not None
        info, reading = self._source.clip.info, self._source.reading
        size, scale = parsing.size_or_factor(self.picture_size.currentText())
        grid = grid_of(info, size=size, scale=scale, default_scale=1)
        fps, time_scale = parsing.rate_or_factor(self.rate.currentText())
        segment: Segment = self.segment.currentData()
        journey = self._source.journey
        is_plain = journey.curve is None
        chosen = self._chosen
        job = job_for(
            info,
            counted_out(Path(self.path.text().strip()).expanduser()),
            start=segment.start_secs if is_plain else None,
            end=segment.end_secs if is_plain else None,
            fps=fps,
            time_scale=time_scale,
            speed=self.speed.currentData() if is_plain else None,
            curve=journey.curve,
            shutter=journey.shutter,
            camera=journey.camera,
            readout=journey.readout,
            shutter_region=journey.shutter_region,
            size=grid,
            crop=self._crop_on(grid) if self.crop.isChecked() else None,
            codec=chosen.name,
            crf=self.crf.value() if chosen.crf else None,
            effort=self.effort.currentData() if chosen.has_effort else Effort.MEDIUM,
            model=reading.model,
            device=reading.device,
            options=reading.options(),
            across_cuts=reading.across_cuts,
            sound=self.sound.currentData(),
        )
        job.check()
        return job

    def _crop_on(self, grid: Grid) -> Rect | None:
        assert self._source is not None
        rect = rect_from_units(*self._source.visible, grid)
        if rect is None:
            return None
        # Even sides, because many players show nothing else.
        return Rect(rect.x, rect.y, max(1, rect.width - rect.width % 2), max(1, rect.height - rect.height % 2))

    @Slot()
    def _check(self) -> None:
        if self._source is None or self.segment.currentData() is None:
            return
        self._note_own_choice()
        try:
            job = self.job
        except VideoInrError as error:
            self._say(tr_error(error), Tone.BAD)
            self.changed.emit(False)
            return
        words, extrapolates = self._words(job)
        self._say(words, Tone.WARM if extrapolates else Tone.PLAIN)
        self.changed.emit(True)

    def _words(self, job: ExportJob) -> tuple[str, bool]:
        assert self._source is not None
        width, height = job.size_px
        retiming = job.retiming
        facts = tr(
            "{frames}, {secs} s at {rate}, {width} × {height} pixels.",
            frames=format_frames(retiming.frame_count),
            secs=decimal(f"{float(retiming.duration_secs):.3f}"),
            rate=format_rate(job.fps),
            width=width,
            height=height,
        )
        scale = job.grid.width / self._source.clip.info.width
        scales, extrapolates = describe_scale(scale, self._source.clip.trained_scales)
        info, streams = self._source.clip.info, self._streams
        companions = None if streams is None else companions_for(job, info, streams)
        words = map(tr_engine, (*loss_notes(job, info), *(companions.sentences if companions else ())))
        said = (f"{facts}\n{tr('Scale {scale}.', scale=scales)}", *_words_for_journey(job), *words)
        return " ".join(said), extrapolates

    def _say(self, words: str, tone: Tone) -> None:
        set_tone(self.summary, tone)
        self.summary.setText(words)

    @property
    def now_secs(self) -> Fraction:
        """The time of the clip that the window shows."""
        return self._source.now_secs if self._source is not None else Fraction(0)

    @Slot()
    def _take_codec(self) -> None:
        chosen = self._chosen
        self.crf.setEnabled(chosen.crf is not None)
        self.effort.setEnabled(chosen.has_effort)
        if chosen.crf is not None:
            self.crf.setRange(chosen.crf.least, chosen.crf.most)
            self.crf.setValue(chosen.crf.default)
        path = Path(self.path.text())
        if path.name:
            self.path.setText(str(chosen.fitting(path)))
        self._check()

    @Slot(str)
    def _follow_name(self, name: str) -> None:
        """Choose the first codec whose files have the ending that was typed, if the present one has no such files."""
        path = Path(name.strip())
        if path.suffix and not self._chosen.fits(path) and (fitting := [one for one in offered() if one.fits(path)]):
            self.codec.setCurrentIndex(self.codec.findData(fitting[0].name))

    @property
    def _chosen(self) -> Offered:
        return next(form for form in offered() if form.name == self.codec.currentData())

    @Slot()
    def _take_preset(self) -> None:
        preset: Preset | None = self.preset.currentData()
        self.preset.setToolTip("" if preset is None else tr(preset.says))
        if preset is not None:
            self._takes_preset = True
            self.codec.setCurrentIndex(self.codec.findData(preset.codec))
            self.sound.setCurrentIndex(self.sound.findData(preset.sound))
            if preset.crf is not None:
                self.crf.setValue(preset.crf)
            self._takes_preset = False
            self._check()

    def _note_own_choice(self) -> None:
        """Choose no preset if the fields say something else than the chosen one."""
        preset: Preset | None = self.preset.currentData()
        if preset is None or self._takes_preset:
            return
        crf = self.crf.value() if self._chosen.crf is not None and preset.crf is not None else preset.crf
        if (self.codec.currentData(), crf, self.sound.currentData()) != (preset.codec, preset.crf, preset.sound):
            with QSignalBlocker(self.preset):
                self.preset.setCurrentIndex(0)

    @Slot()
    def _browse(self) -> None:
        chosen = self._chosen
        endings = " ".join(f"*{ending}" for ending in chosen.endings)
        name, _ = QFileDialog.getSaveFileName(
            self,
            tr("Export to"),
            self.path.text(),
            f"{tr('Folders')} (*)" if chosen.is_folder else f"{tr('Videos')} ({endings})",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.path.setText(name)


def _default_folder(clip: Path) -> Path:
    movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(movies) if movies and Path(movies).is_dir() else clip.absolute().parent


def _words_for_journey(job: ExportJob) -> list[str]:
    words = [tr("Along the retime curve.")] if job.curve is not None else []
    if job.shutter:
        words.append(tr("Shutter {angle}°.", angle=job.shutter))
    if job.shutter_region is not None:
        words.append(tr("Shutter of {angle}° in a region.", angle=job.shutter_region.degrees))
    if job.readout:
        words.append(tr("Rolling shutter of {msecs} ms corrected.", msecs=decimal(f"{float(job.readout) * 1000:.4g}")))
    if job.camera is not None:
        words.append(tr("Camera path, keyframes: {count}.", count=len(job.camera.keyframes)))
    return words


def _times(source: ExportSource, segment: Segment) -> str:
    start, end = source.clock.text(segment.start_secs), source.clock.end(segment.end_secs)
    return tr("{start} to {end}", start=start, end=end)
