"""The window of the rolling shutter: how long the camera took to read a frame. The picture follows at once."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from videoinr.geometry import longest_readout_secs
from videoinr_viewer.dialogs.side_dialog import FormArea, SideDialog
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import decimal, tr

_STEPS = 10
"""Steps of the slider in a millisecond."""
_MOST_STEPS = 10_000_000


class ShutterDialog(SideDialog):
    """A window beside the main one. While the slider is dragged the view follows; letting it go is a step of undo."""

    def __init__(self, planner: JourneyPlanner, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._planner, self._session = planner, session
        self.setWindowTitle(tr("Rolling shutter"))
        self.words, self.reset = QLabel(wordWrap=True), QPushButton(tr("Re&set"), autoDefault=False)
        layout, area = QVBoxLayout(self), FormArea(self)
        layout.addWidget(area)
        layout.addWidget(self.close_box(self.reset))
        self._fill_form(QFormLayout(area.form))
        area.show_form()
        self.wanted_px = QSize(460, 250)
        self.slider.valueChanged.connect(self._slide)
        self.slider.sliderReleased.connect(self._take_slider)
        self.secs.valueChanged.connect(self._take_number)
        self.reset.clicked.connect(self._reset)
        planner.changed.connect(self.fill)
        session.opened.connect(self.fill)
        self.fill()

    def _fill_form(self, rows: QFormLayout) -> None:
        form = rows.parentWidget()
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
        self.secs.setAccessibleName(tr("Time to read a frame"))
        self.slider = QSlider(Qt.Orientation.Horizontal, form)
        self.slider.setSingleStep(_STEPS // 2)
        self.slider.setPageStep(5 * _STEPS)
        self.slider.setAccessibleName(tr("Time to read a frame"))
        rows.addRow(about)
        rows.addRow(tr("&Time to read a frame:"), self.secs)
        rows.addRow(self.slider)
        rows.addRow(self.words)
        self.words.setMinimumHeight(self.words.fontMetrics().lineSpacing() * 3)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)

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
        self.reset.setEnabled(bool(secs))
        self._tell(secs)

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
