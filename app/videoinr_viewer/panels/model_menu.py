"""The menu of models and devices. A choice opens the clip anew and keeps the view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from videoinr.render.messages import Opened
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.clip_access.second_model import shipped_names
from videoinr_viewer.style.language import tr


class ModelMenu(QObject):
    """Fills ``menu`` when it opens: the devices are known once the engine is loaded."""

    reading_wanted = Signal(object)
    """Reading: the present one with another model or device."""

    def __init__(self, menu: QMenu, choice: ReadingChoice) -> None:
        super().__init__(menu)
        self.menu = self._menu = menu
        self._choice = choice
        self._opened: Opened | None = None
        menu.aboutToShow.connect(self.fill)

    @Slot(object)
    def open(self, opened: Opened) -> None:
        """Take the newly opened clip, whose model and device are the present ones."""
        self._opened = opened

    @Slot()
    def close_clip(self) -> None:
        """Offer nothing: no clip is open."""
        self._opened = None

    @Slot()
    def fill(self) -> None:
        """List the models and the devices; the present ones are checked."""
        self._menu.clear()
        self._menu.addSection(tr("Model"))
        present = "" if self._opened is None else self._opened.model_name
        names = list(dict.fromkeys([*shipped_names(), *([present] if present else [])]))
        self._add(names, present, "model", {})
        self._menu.addSection(tr("Device"))
        self._add(self._devices(), self._choice.current.device or "", "device", {"": tr("the fastest")})

    def _devices(self) -> list[str]:
        if self._opened is None:
            return [""]
        # Imported here, when the menu is opened: the engine has loaded it by then.
        from videoinr.devices import available_devices

        return ["", *available_devices()]

    def _add(self, values: Iterable[str], present: str, field: str, titles: dict[str, str]) -> None:
        group = QActionGroup(self._menu)
        for value in values:
            action = QAction(titles.get(value, value).replace("&", "&&"), self._menu)
            action.setCheckable(True)
            action.setChecked(value == present)
            action.setEnabled(self._opened is not None)
            action.setObjectName(f"{field}-{value or 'fastest'}")
            action.triggered.connect(lambda _=False, value=value: self._want(field, value))
            group.addAction(action)
            self._menu.addAction(action)

    def _want(self, field: str, value: str) -> None:
        changed = {field: value or None}
        reading = replace(self._choice.current, **changed)  # type: ignore[arg-type]
        is_present = field == "model" and self._opened is not None and value == self._opened.model_name
        if reading != self._choice.current and not is_present:
            self.reading_wanted.emit(reading)
