"""The light and the dark palette, and the style sheet of both."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from videoinr_resources import path as resource_path
from videoinr_viewer.style.theme_choice import Theme

Role = QPalette.ColorRole
ACCENT_WARM = QColor("#c07b16")
"""The colour of warnings and of extrapolation. Readable on both themes."""
ACCENT_BAD = QColor("#d2554f")
"""The colour of errors. Readable on both themes."""


_DARK = {
    Role.Window: "#222327",
    Role.WindowText: "#e4e5e7",
    Role.Base: "#18191c",
    Role.AlternateBase: "#1f2024",
    Role.Text: "#e4e5e7",
    Role.Button: "#2e3035",
    Role.ButtonText: "#e4e5e7",
    Role.BrightText: "#ffffff",
    Role.Light: "#4b4e55",
    Role.Midlight: "#3a3c42",
    Role.Mid: "#44474e",
    Role.Dark: "#141517",
    Role.Shadow: "#0c0d0e",
    Role.Highlight: "#5b9ff0",
    Role.HighlightedText: "#0d1014",
    Role.Link: "#7db4f5",
    Role.LinkVisited: "#7db4f5",
    Role.PlaceholderText: "#9ea2aa",
    Role.ToolTipBase: "#34363c",
    Role.ToolTipText: "#e4e5e7",
    Role.Accent: "#5b9ff0",
}
_LIGHT = {
    Role.Window: "#f3f3f5",
    Role.WindowText: "#1e2024",
    Role.Base: "#ffffff",
    Role.AlternateBase: "#f7f7f9",
    Role.Text: "#1e2024",
    Role.Button: "#e8e9ec",
    Role.ButtonText: "#1e2024",
    Role.BrightText: "#000000",
    Role.Light: "#ffffff",
    Role.Midlight: "#e2e3e7",
    Role.Mid: "#c3c6cc",
    Role.Dark: "#d5d6da",
    Role.Shadow: "#9a9da4",
    Role.Highlight: "#2a6fcf",
    Role.HighlightedText: "#ffffff",
    Role.Link: "#2363ba",
    Role.LinkVisited: "#2363ba",
    Role.PlaceholderText: "#63676f",
    Role.ToolTipBase: "#ffffff",
    Role.ToolTipText: "#1e2024",
    Role.Accent: "#2a6fcf",
}
_DIM_ROLES = (Role.WindowText, Role.Text, Role.ButtonText, Role.Highlight)


class ThemeSwitch(QObject):
    """Applies a theme to the application. With Theme.SYSTEM it follows the system's colour scheme."""

    def __init__(self, app: QApplication, chosen: Theme) -> None:
        super().__init__(app)
        self._app = app
        self.chosen = chosen
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def choose(self, theme: Theme) -> None:
        """Use ``theme`` from now on."""
        self.chosen = theme
        self._apply()

    @property
    def is_dark(self) -> bool:
        """Whether the window is dark now."""
        if self.chosen is Theme.SYSTEM:
            return self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self.chosen is Theme.DARK

    @Slot()
    def _apply(self) -> None:
        self._app.setPalette(palette(is_dark=self.is_dark))
        # A style sheet reads the palette's roles only when it is set.
        self._app.setStyleSheet(style_sheet())


def palette(*, is_dark: bool) -> QPalette:
    """Return the dark or the light palette. Disabled text has less contrast."""
    made = QPalette()
    colours = _DARK if is_dark else _LIGHT
    for role, name in colours.items():
        made.setColor(role, QColor(name))
    for role in _DIM_ROLES:
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor("#6c7078" if is_dark else "#a0a4ab"))
    return made


def style_sheet() -> str:
    """Return the style sheet of the application, with the paths of its pictures filled in."""
    file = resource_path("style/viewer.qss")
    return file.read_text(encoding="utf-8").replace("STYLE", file.parent.as_posix())
