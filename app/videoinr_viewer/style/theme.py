"""The light and the dark palette, and the style sheet of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import cast

from PySide6.QtCore import QChildEvent, QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from shiboken6 import isValid

from videoinr_resources import path as resource_path
from videoinr_viewer.style.fonts import with_system_sizes
from videoinr_viewer.style.screen_room import room_on_screen
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
_SHEET = "themeSheet"
"""The property of a dressed window that holds the style sheet of its parts."""
_DIM_ROLES = (Role.WindowText, Role.Text, Role.ButtonText, Role.Highlight)


class ThemeSwitch(QObject):
    """Applies a theme to the application. With Theme.SYSTEM it follows the system's colour scheme.

    Each part of the window and each of its dialogs has the style sheet of its own: one of the application would style
    all of them in one go, which takes 0.1 s with nine dialogs open.
    """

    def __init__(self, app: QApplication, chosen: Theme) -> None:
        super().__init__(app)
        self._app = app
        self.chosen = chosen
        self._window: QWidget | None = None
        self._waiting: list[QWidget] = []
        self._next_turn = QTimer(self, singleShot=True)
        self._next_turn.timeout.connect(self._dress_next)
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

    @property
    def is_changing(self) -> bool:
        """Whether parts of the window or dialogs still have the theme before."""
        return bool(self._waiting)

    def dress(self, window: QWidget) -> None:
        """Give the style sheet to the parts of ``window``, and to its later ones when they are made or first shown."""
        self._window = window
        window.installEventFilter(self)
        window.setProperty(_SHEET, self._sheet)
        for part in _parts(window):
            part.setStyleSheet(self._sheet)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the style sheet to a new part of the window ``watched`` that has none (:func:`dress_for`).

        Until it is polished, it may be half made.
        """
        if event.type() == QEvent.Type.ChildPolished:
            part = cast(QChildEvent, event).child()
            if isinstance(part, QWidget) and not part.styleSheet():
                part.setStyleSheet(self._sheet)
                if isinstance(part, QMessageBox):
                    _remove_icons(part)
                if isinstance(part, QFileDialog):
                    # It asks for the height of thirty files, which many screens have not.
                    part.setMaximumSize(room_on_screen(part))
        return False

    @Slot()
    def _apply(self) -> None:
        """Style one part of the window or one dialog in each turn of the event loop, those in sight first."""
        # A style sheet reads the palette's roles only when it is set.
        self._app.setPalette(palette(is_dark=self.is_dark))
        self._sheet = style_sheet(is_dark=self.is_dark)
        if self._window is None or not isValid(self._window):
            return
        self._window.setProperty(_SHEET, self._sheet)
        self._waiting = sorted(_parts(self._window), key=lambda part: (not part.isVisible(), part.isWindow()))
        for part in self._waiting:
            # Each changes in one go, once it is styled.
            part.setUpdatesEnabled(False)
        self._dress_next()

    @Slot()
    def _dress_next(self) -> None:
        part = self._waiting.pop(0)
        if isValid(part):
            self._restyle(part)
            part.setUpdatesEnabled(True)
        if self._waiting:
            self._next_turn.start()

    def _restyle(self, part: QWidget) -> None:
        # A sheet that takes the place of another has each widget styled several times.
        part.setStyleSheet("")
        part.setStyleSheet(self._sheet)


def _remove_icons(box: QMessageBox) -> None:
    """Take the icons of the system's theme from the buttons, which were made without the style sheet."""
    for button in box.buttons():
        button.setIcon(QIcon())


def dress_for(parent: QWidget | None, dialog: QWidget) -> None:
    """Give ``dialog``, whose fields are not made yet, the style sheet of its ``parent``, if that is a dressed window.

    What is made under a style sheet has its size at once, and is not styled anew when it is shown.
    """
    if parent is not None and (sheet := parent.property(_SHEET)):
        dialog.setStyleSheet(sheet)


def _parts(window: QWidget) -> list[QWidget]:
    return [child for child in window.children() if isinstance(child, QWidget)]


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
    """Return the style sheet of the application: the paths of its pictures and the colours of texts are filled in.

    Its sizes of fonts follow that of the system.
    """
    file = resource_path("style/viewer.qss")
    sheet = file.read_text(encoding="utf-8").replace("STYLE", file.parent.as_posix())
    for word, colour in asdict(_texts(is_dark=is_dark)).items():
        sheet = sheet.replace(word, colour)
    return with_system_sizes(sheet)


def set_tone(label: QWidget, tone: Tone) -> None:
    """Give the text of ``label`` the colour of ``tone``, in every theme."""
    if label.property("tone") != tone.value:
        label.setProperty("tone", tone.value)
        # A style sheet looks at a property only when the widget is polished.
        label.style().unpolish(label)
        label.style().polish(label)


def _texts(*, is_dark: bool) -> TextColours:
    return DARK_TEXTS if is_dark else LIGHT_TEXTS
