"""The dialog of the settings: its fields and their signals. A change takes effect at once, except for the language."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from videoinr_viewer.dialogs.side_dialog import FormArea, SideDialog
from videoinr_viewer.start.qt_import import pysides_import
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.theme_choice import Theme
from videoinr_viewer.style.time_form import TimeForm

with pysides_import():
    from superqt.sliders import QLabeledSlider

MEMORY_MIB = (0, 512, 1024, 2048, 4096, 8192, 16384)
"""The budgets that are offered; a file of settings may name others."""


class SettingsDialog(SideDialog):
    """Shows ``settings``. ``devices``: the names of those that there are. ``shortcuts``: opens the page of the keys."""

    theme_wanted = Signal(object)
    """Theme."""
    language_wanted = Signal(object)
    """The name of a language, or None for the system's."""
    times_wanted = Signal(object)
    """TimeForm."""
    device_wanted = Signal(object)
    """The name of a device, or None for the fastest."""
    memory_wanted = Signal(int)
    """The budget of the engine's caches, MiB; 0: chosen by the device."""
    motion_wanted = Signal(bool)
    """Whether the window shall move little."""
    sound_wanted = Signal(bool, int)
    """Whether the sound is muted, and its volume, percent."""

    def __init__(self, settings: Settings, devices: Iterable[str], shortcuts: QAction, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self._area = FormArea(self)
        fields = self._area.form
        self.theme, self.language, self.times, self.device, self.memory = (QComboBox(fields) for _ in range(5))
        self.mute = QCheckBox(tr("M&ute"), fields)
        self.calm = QCheckBox(tr("&Reduced motion: zoom at once"), fields)
        self.volume = QLabeledSlider(Qt.Orientation.Horizontal, fields)
        self.volume.setRange(0, 100)
        self.volume.setPageStep(10)
        self.keys = QPushButton(tr("&Change shortcuts…"), fields, autoDefault=False)
        self.keys.clicked.connect(shortcuts.trigger)
        self._lay_out()
        self.show_values(settings, devices)
        self._connect()

    def _lay_out(self) -> None:
        form = QFormLayout(self._area.form)
        form.setContentsMargins(0, 0, 0, 0)
        for title, widget in (
            (tr("&Theme"), self.theme), ("", self.calm), (tr("&Language"), self.language),
            (tr("T&imes"), self.times), (tr("&Device"), self.device), (tr("&Memory for decoding"), self.memory),
            (tr("&Volume"), self.volume), ("", self.mute), (tr("Shortcuts"), self.keys),
        ):  # fmt: skip
            form.addRow(title, widget)
            if title:
                widget.setAccessibleName(title.replace("&", ""))
                for part in widget.findChildren(QSlider):
                    part.setAccessibleName(widget.accessibleName())
                    widget.setFocusProxy(part)
        note = QLabel(
            tr("The language changes at the next start. Device and memory open the clip anew."), self, wordWrap=True
        )
        note.setProperty("class", "quiet")
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addWidget(self._area, 1)
        layout.addWidget(note)
        layout.addWidget(self.close_box())
        self._area.show_form()
        self.setMinimumWidth(420)

    def show_values(self, settings: Settings, devices: Iterable[str]) -> None:
        """Show ``settings`` as they are now."""
        _fill(self.theme, (
            (tr("System"), Theme.SYSTEM), (tr("Light"), Theme.LIGHT), (tr("Dark"), Theme.DARK)), settings.theme,
        )  # fmt: skip
        _fill(self.language, ((tr("System"), None), ("English", "en"), ("Deutsch", "de")), settings.language)
        _fill(self.times, (
            (tr("Seconds"), TimeForm.SECONDS), (tr("Timecode"), TimeForm.TIMECODE),
            (tr("Timecode from zero"), TimeForm.COUNTED), (tr("Frames"), TimeForm.FRAMES)), settings.times,
        )  # fmt: skip
        _fill(self.device, _choices_of_device(list(devices), settings.device), settings.device)
        sizes = sorted({*MEMORY_MIB, settings.memory_mib})
        _fill(self.memory, ((_words_for(size), size) for size in sizes), settings.memory_mib)
        self.volume.setValue(settings.volume)
        self.mute.setChecked(settings.muted)
        self.calm.setChecked(settings.reduced_motion)

    def _connect(self) -> None:
        self.theme.activated.connect(lambda _: self.theme_wanted.emit(self.theme.currentData()))
        self.language.activated.connect(lambda _: self.language_wanted.emit(self.language.currentData()))
        self.times.activated.connect(lambda _: self.times_wanted.emit(self.times.currentData()))
        self.device.activated.connect(lambda _: self.device_wanted.emit(self.device.currentData()))
        self.memory.activated.connect(lambda _: self.memory_wanted.emit(self.memory.currentData()))
        self.mute.clicked.connect(self._want_sound)
        self.calm.clicked.connect(self.motion_wanted)
        self.volume.valueChanged.connect(self._want_sound)

    @Slot()
    def _want_sound(self) -> None:
        self.sound_wanted.emit(self.mute.isChecked(), self.volume.value())


def _fill(box: QComboBox, choices: Iterable[tuple[str, object]], chosen: object) -> None:
    box.clear()
    for title, value in choices:
        box.addItem(title, value)
        if value == chosen:
            box.setCurrentIndex(box.count() - 1)


def _choices_of_device(there: list[str], saved: str | None) -> list[tuple[str, str | None]]:
    """Return titles and names. ``there``: the devices that there are; empty while they are not known."""
    choices: list[tuple[str, str | None]] = [(tr("the fastest"), None), *((name, name) for name in there)]
    if saved is not None and saved not in there:
        choices.append((tr("{name} (not there)", name=saved) if there else saved, saved))
    return choices


def _words_for(mib: int) -> str:
    if not mib:
        return tr("automatic")
    return f"{mib // 1024} GiB" if mib % 1024 == 0 else f"{mib} MiB"
