"""The menu bar: the table of actions, the recent clips and the themes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from videoinr_viewer.action_row import Menu
from videoinr_viewer.actions import TABLE
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.panels.model_menu import ModelMenu
from videoinr_viewer.style.language import tr
from videoinr_viewer.style.theme_choice import Theme

_THEME_TITLES = {Theme.SYSTEM: "&System", Theme.LIGHT: "&Light", Theme.DARK: "&Dark"}


class Menus(QObject):
    """Fills ``bar`` with the rows of the table in their order, and with the menus of recent clips and themes."""

    recent_wanted = Signal(object)
    """Path: the recent clip that the user chose."""
    theme_wanted = Signal(object)
    """Theme: the one that the user chose."""

    def __init__(self, bar: QMenuBar, actions: Mapping[str, QAction], theme: Theme, reading: ReadingChoice) -> None:
        super().__init__(bar)
        self.recent = QMenu(tr("Open &recent"), bar)
        self._themes = QActionGroup(self)
        menus = {menu: bar.addMenu(tr(menu.value)) for menu in Menu}
        for row in TABLE:
            menus[row.menu].addAction(actions[row.id])
            menus[row.menu].setToolTipsVisible(menus[row.menu].toolTipsVisible() or bool(row.tip))
            if row.group_ends:
                menus[row.menu].addSeparator()
        menus[Menu.FILE].insertMenu(actions["save-project"], self.recent)
        menus[Menu.FILE].insertSeparator(actions["export"])
        self.models = ModelMenu(QMenu(tr("Mo&del and device"), bar), reading)
        menus[Menu.FILE].insertMenu(actions["export"], self.models.menu)
        menus[Menu.VIEW].addSeparator()
        self._add_themes(menus[Menu.VIEW].addMenu(tr("&Theme")), theme)

    def set_recent(self, paths: list[Path]) -> None:
        """List ``paths``, newest first."""
        self.recent.clear()
        self.recent.setEnabled(bool(paths))
        # An entry that cannot be chosen: under a style sheet the title of a section is not drawn.
        self.recent.addAction(tr("Recent clips and projects")).setEnabled(False)
        for path in paths:
            action = self.recent.addAction(path.name.replace("&", "&&"))
            action.setToolTip(str(path))
            action.triggered.connect(lambda _checked=False, path=path: self.recent_wanted.emit(path))

    @Slot(object)
    def show_theme(self, theme: Theme) -> None:
        """Mark ``theme`` as the one that was chosen."""
        for action in self._themes.actions():
            action.setChecked(action.data() is theme)

    def _add_themes(self, menu: QMenu, chosen: Theme) -> None:
        for theme, title in _THEME_TITLES.items():
            action = menu.addAction(tr(title))
            action.setCheckable(True)
            action.setChecked(theme is chosen)
            action.setData(theme)
            action.triggered.connect(lambda _checked=False, theme=theme: self.theme_wanted.emit(theme))
            self._themes.addAction(action)
