"""Shows the dialog of the settings, applies what the user chooses there, and keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.picture.smooth_zoom import SmoothZoom
from videoinr_viewer.playing.sound import Sound
from videoinr_viewer.session import Session
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.style.time_form import TimeForm

if TYPE_CHECKING:
    # Imported when it is first shown: the start of the program does without it.
    from videoinr_viewer.dialogs.settings_dialog import SettingsDialog


class SettingsPage(QObject):
    """The page over ``window``. ``settings``: those of the program, once known; ``shortcuts_of``: see the page."""

    theme_wanted = Signal(object)
    """Theme."""
    times_changed = Signal(object)
    """TimeForm: how times are to be shown."""
    reading_wanted = Signal(object)
    """Reading: the present one with another device."""
    changed = Signal()
    """The settings are to be saved."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        sound: Sound,
        reading: ReadingChoice,
        shortcuts_of: Callable[[], QAction],
        zoom: SmoothZoom,
    ) -> None:
        super().__init__(window)
        self._zoom = zoom
        self._window, self._session, self._sound, self._reading = window, session, sound, reading
        self._shortcuts_of = shortcuts_of
        self.settings = Settings()
        self.dialog: SettingsDialog | None = None

    def use(self, settings: Settings) -> None:
        """Show and change ``settings`` from now on; the sound is as they say."""
        self.settings = settings
        self._sound.set_level(is_muted=settings.muted, volume=settings.volume)
        self._zoom.is_on = not settings.reduced_motion
        self.times_changed.emit(settings.times)
        self._sound.changed.connect(self._keep_sound)

    def show(self) -> None:
        """Show the page."""
        if self.dialog is None:
            from videoinr_viewer.dialogs.settings_dialog import SettingsDialog

            dialog = self.dialog = SettingsDialog(self.settings, (), self._shortcuts_of(), self._window)
            dialog.theme_wanted.connect(self.theme_wanted)
            dialog.language_wanted.connect(self._choose_language)
            dialog.times_wanted.connect(self.choose_times)
            dialog.device_wanted.connect(self._choose_device)
            dialog.memory_wanted.connect(self._choose_memory)
            dialog.sound_wanted.connect(self._choose_sound)
            dialog.motion_wanted.connect(self._choose_motion)
        self.dialog.show_values(self.settings, self._devices())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def hide(self) -> None:
        """Hide the page."""
        if self.dialog is not None:
            self.dialog.hide()

    def _devices(self) -> list[str]:
        if self._session.clip is None:
            return []
        # Imported here: the engine has loaded it by the time a clip is open.
        from videoinr.devices import available_devices

        return list(available_devices())

    @Slot(object)
    def _choose_language(self, language: str | None) -> None:
        self.settings.language = language
        self.changed.emit()

    @Slot(object)
    def choose_times(self, form: TimeForm) -> None:
        """Show times so, and keep that."""
        self.settings.times = form
        self.times_changed.emit(form)
        self.changed.emit()

    @Slot(object)
    def _choose_device(self, device: str | None) -> None:
        self.settings.device = device
        self.changed.emit()
        reading = replace(self._reading.current, device=device)
        if self._session.clip is not None:
            self.reading_wanted.emit(reading)
        else:
            self._reading.choose(reading)
            self._reading.prove()

    @Slot(int)
    def _choose_memory(self, mib: int) -> None:
        self.settings.memory_mib = mib
        self._reading.memory_bytes = mib << 20 or None
        self.changed.emit()
        self._session.reopen()

    @Slot(bool)
    def _choose_motion(self, is_reduced: bool) -> None:
        self.settings.reduced_motion = is_reduced
        self._zoom.is_on = not is_reduced
        self.changed.emit()

    @Slot(bool, int)
    def _choose_sound(self, is_muted: bool, volume: int) -> None:
        self._sound.set_level(is_muted=is_muted, volume=volume)

    @Slot()
    def _keep_sound(self) -> None:
        level = (self._sound.is_muted, self._sound.volume)
        if level != (self.settings.muted, self.settings.volume):
            self.settings.muted, self.settings.volume = level
            self.changed.emit()
