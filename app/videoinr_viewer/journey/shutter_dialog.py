"""The window of the rolling shutter and of the region with a shutter of its own. The picture follows at once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from videoinr.geometry import longest_readout_secs
from videoinr.journey.shutter_region import ShutterRegion
from videoinr_viewer.dialogs.side_dialog import FormArea, SideDialog
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.journey.readout_slider import ReadoutSlider
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import decimal, tr

_STEPS = 10
"""Steps of the slider in a millisecond."""
_MOST_STEPS = 10_000_000
_TEXT_PX = 400


class ShutterDialog(SideDialog):
    """A window beside the main one. While the slider is dragged the view follows; letting it go is a step of undo."""

    stands_aside = True

    def __init__(self, planner: JourneyPlanner, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._planner, self._session = planner, session
        self.setWindowTitle(tr("Shutter"))
        self.words, self.reset = QLabel(wordWrap=True), QPushButton(tr("Re&set"), autoDefault=False)
        layout, area = QVBoxLayout(self), FormArea(self)
        self._area = area
        layout.addWidget(area)
        layout.addWidget(self.close_box())
        self._fill_form(QFormLayout(area.form), area.form)
        for label in area.form.findChildren(QLabel):
            if label.wordWrap():
                # A layout thinks that a label which wraps might have to be narrow and high.
                label.setMinimumWidth(_TEXT_PX)
        area.show_form()
        self.wanted_px = QSize(500, 430)
        self.slider.valueChanged.connect(self._slide)
        self.slider.sliderReleased.connect(self._take_slider)
        self.secs.valueChanged.connect(self._take_number)
        self.reset.clicked.connect(self._reset)
        self.degrees.valueChanged.connect(self._take_degrees)
        self.take.clicked.connect(planner.take_region)
        self.remove.clicked.connect(self._remove)
        planner.changed.connect(self.fill)
        session.opened.connect(self.fill)
        self.fill()

    def _fill_form(self, rows: QFormLayout, form: QWidget) -> None:
        about = QLabel(
            tr(
                "Most cameras read a frame row by row, so what moves sideways leans. Drag until upright lines stand "
                "upright while the camera pans."
            ),
            form,
            wordWrap=True,
        )
        self.secs = QDoubleSpinBox(form, decimals=3, singleStep=0.5)
        self.secs.setKeyboardTracking(False)
        self.secs.setSuffix(tr(" ms"))
        self.secs.lineEdit().setTextMargins(6, 0, 0, 0)
        self.secs.setAccessibleName(tr("Time to read a frame"))
        self.slider = ReadoutSlider(tr("Time to read a frame"), form)
        self.slider.setSingleStep(_STEPS // 2)
        self.slider.setPageStep(5 * _STEPS)
        rows.setVerticalSpacing(9)
        rows.addRow(_title(tr("Rolling shutter"), form))
        rows.addRow(about)
        number = QHBoxLayout()
        number.setSpacing(8)
        number.addWidget(self.secs, 1)
        number.addWidget(self.reset)
        rows.addRow(tr("&Time to read a frame:"), number)
        label = rows.labelForField(number)
        assert isinstance(label, QLabel)
        label.setBuddy(self.secs)
        rows.addRow(self.slider)
        rows.addRow(self.words)
        self.words.setMinimumHeight(self.words.fontMetrics().lineSpacing() * 3)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._fill_region(rows, form)

    def _fill_region(self, rows: QFormLayout, form: QWidget) -> None:
        about = QLabel(
            tr("A part of the picture can have a shutter of its own: zoom until the window shows it, and take it."),
            form,
            wordWrap=True,
        )
        self.degrees = QDoubleSpinBox(form, minimum=0, maximum=360, decimals=1, singleStep=15)
        self.degrees.setKeyboardTracking(False)
        self.degrees.setSuffix("°")
        self.degrees.lineEdit().setTextMargins(6, 0, 0, 0)
        self.degrees.setAccessibleName(tr("Shutter in the region"))
        self.take, self.remove = (
            QPushButton(text, form, autoDefault=False) for text in (tr("Ta&ke what is in view"), tr("Re&move"))
        )
        self.region = QLabel(form, wordWrap=True)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.take)
        buttons.addWidget(self.remove)
        buttons.addStretch()
        rows.addRow(_title(tr("Region with a shutter of its own"), form))
        rows.addRow(about)
        rows.addRow(tr("Shutter &in the region:"), self.degrees)
        rows.addRow(self.region)
        rows.addRow(buttons)

    def turn_to(self, field: QWidget) -> None:
        """Give ``field`` the focus, and scroll to it where there is no room for all fields."""
        field.setFocus()
        self._area.ensureWidgetVisible(field)

    def setVisible(self, visible: bool) -> None:
        """Show the dialog, and with it the outline of the region in the picture; or hide both."""
        super().setVisible(visible)
        self._planner.show_region(shown=visible)

    @Slot()
    def fill(self) -> None:
        """Show the present readout, and what is possible for the clip."""
        clip = self._session.clip
        if clip is None:
            return
        most, secs = longest_readout_secs(clip.info.fps), self._planner.journey.readout
        msecs = float(1000 * secs)
        with QSignalBlocker(self.secs), QSignalBlocker(self.slider):
            self.secs.setRange(-float(1000 * most), float(1000 * most))
            self.secs.setValue(msecs)
            steps = min(int(1000 * most * _STEPS), _MOST_STEPS)
            self.slider.setRange(-steps, steps)
            self.slider.setValue(round(msecs * _STEPS))
        self.slider.forget_backdrop()  # The signals that would repaint it are blocked.
        self.reset.setEnabled(bool(secs))
        self._tell(secs)
        self._show_region(self._planner.journey.shutter_region)

    def _show_region(self, region: ShutterRegion | None) -> None:
        self.degrees.setEnabled(region is not None)
        self.remove.setEnabled(region is not None)
        with QSignalBlocker(self.degrees):
            self.degrees.setValue(0 if region is None else float(region.degrees))
        if region is None:
            self.region.setText(tr("No region has one."))
            return
        rect = region.rect
        self.region.setText(tr("{width} × {height} pixels of the clip, from {x}, {y}.", width=rect.width,
                               height=rect.height, x=rect.x, y=rect.y))  # fmt: skip

    def _tell(self, secs: Fraction) -> None:
        if not secs:
            self.words.setText(tr("Nothing is corrected."))
            return
        half = decimal(f"{abs(float(secs)) * 500:.4g}")
        first = tr("The last row was read first.") if secs < 0 else tr("The first row was read first.")
        self.words.setText(tr("{first} Rows are decoded up to {msecs} ms before and after the picture.", first=first,
                              msecs=half))  # fmt: skip

    @Slot(int)
    def _slide(self, steps: int) -> None:
        secs = Fraction(steps, 1000 * _STEPS)
        if self.slider.isSliderDown():
            self._planner.try_readout(secs)
            with QSignalBlocker(self.secs):
                self.secs.setValue(steps / _STEPS)
            self._tell(secs)
        else:
            self._planner.set_readout(secs)

    @Slot()
    def _take_slider(self) -> None:
        self._planner.set_readout(Fraction(self.slider.value(), 1000 * _STEPS))

    @Slot(float)
    def _take_number(self, msecs: float) -> None:
        self._planner.set_readout(Fraction(round(msecs * 1000), 1_000_000))

    @Slot()
    def _reset(self) -> None:
        self._planner.set_readout(Fraction(0))

    @Slot(float)
    def _take_degrees(self, degrees: float) -> None:
        if (region := self._planner.journey.shutter_region) is not None:
            self._planner.set_shutter_region(replace(region, degrees=Fraction(round(10 * degrees), 10)))

    @Slot()
    def _remove(self) -> None:
        self._planner.set_shutter_region(None)


def _title(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("strong", True)
    return label
