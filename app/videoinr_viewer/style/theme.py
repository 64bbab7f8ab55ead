"""The light and the dark palette, and the style sheet of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from videoinr_resources import path as resource_path
from videoinr_viewer.style.theme_choice import Theme

Role = QPalette.ColorRole
ACCENT_WARM = QColor("#c07b16")
"""The colour of warnings and of extrapolation in graphics, on both themes. Text has a tone: see :func:`set_tone`."""
ACCENT_BAD = QColor("#d2554f")
"""The colour of errors in graphics, on both themes."""


class Tone(Enum):
    """What the colour of a text says. The value is that of the style sheet's property ``tone``."""

    PLAIN = ""
    WARM = "warm"
    BAD = "bad"


@dataclass(frozen=True)
class TextColours:
    """The colours of texts that no role of a palette stands for, by the words of the style sheet."""

    DISABLED: str
    WARM: str
    BAD: str


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
    Role.Link: "#1d5299",
    Role.LinkVisited: "#1d5299",
    Role.PlaceholderText: "#565a62",
    Role.ToolTipBase: "#ffffff",
    Role.ToolTipText: "#1e2024",
    Role.Accent: "#2a6fcf",
}
DARK_TEXTS = TextColours(DISABLED="#898e97", WARM="#d9962f", BAD="#ee817b")
LIGHT_TEXTS = TextColours(DISABLED="#777c84", WARM="#8a5600", BAD="#b3342f")
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
        was_dark, self.chosen = self.is_dark, theme
        if self.is_dark != was_dark:
            self._apply()

    @property
    def is_dark(self) -> bool:
        """Whether the window is dark now."""
        if self.chosen is Theme.SYSTEM:
            return self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self.chosen is Theme.DARK

    @Slot()
    def _apply(self) -> None:
        # Without a sheet each widget is styled once for the new one: Qt styles it anew for the palette, and again for a
        # sheet that takes the place of another, which takes twice as long.
        self._app.setStyleSheet("")
        self._app.setPalette(palette(is_dark=self.is_dark))
        # A style sheet reads the palette's roles only when it is set.
        self._app.setStyleSheet(style_sheet(is_dark=self.is_dark))


def palette(*, is_dark: bool) -> QPalette:
    """Return the dark or the light palette. Disabled text has less contrast, but 3 : 1 at least."""
    made = QPalette()
    colours = _DARK if is_dark else _LIGHT
    for role, name in colours.items():
        made.setColor(role, QColor(name))
    for role in _DIM_ROLES:
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(_texts(is_dark=is_dark).DISABLED))
    return made


def style_sheet(*, is_dark: bool) -> str:
    """Return the style sheet of the application, with the paths of its pictures and the colours of texts filled in."""
    file = resource_path("style/viewer.qss")
    sheet = file.read_text(encoding="utf-8").replace("STYLE", file.parent.as_posix())
    for word, colour in asdict(_texts(is_dark=is_dark)).items():
        sheet = sheet.replace(word, colour)
    return sheet


def set_tone(label: QWidget, tone: Tone) -> None:
    """Give the text of ``label`` the colour of ``tone``, in every theme."""
    if label.property("tone") != tone.value:
        label.setProperty("tone", tone.value)
        # A style sheet looks at a property only when the widget is polished.
        label.style().unpolish(label)
        label.style().polish(label)


def _texts(*, is_dark: bool) -> TextColours:
    return DARK_TEXTS if is_dark else LIGHT_TEXTS
