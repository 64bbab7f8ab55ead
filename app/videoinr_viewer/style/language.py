"""The language of the window: the texts in the program are English; a file of the resources translates them."""

from __future__ import annotations

import json
from functools import cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from videoinr.errors import VideoInrError
from videoinr_resources import path as resource_path
from videoinr_viewer.style.engine_words import EngineWords, engine_words

LANGUAGES = ("en", "de")
_CONTEXT, _ENGINE = "viewer", "engine"


def tr(text: str, **values: object) -> str:
    """Return ``text`` in the language of the window, with ``values`` filled into its {fields}."""
    words = QCoreApplication.translate(_CONTEXT, text)
    return words.format(**values) if values else words


def tr_engine(text: str) -> str:
    """Return a message or a hint of the engine in the language of the window, as far as it is translated.

    Those that name options of the command line name the place in the window instead.
    """
    words = QCoreApplication.translate(_ENGINE, text) if text else ""
    return (_window_words().translate(words) or words) if "--" in words else words


@cache
def _window_words() -> EngineWords:
    return engine_words(LANGUAGES[0])


def tr_error(error: VideoInrError) -> str:
    """Return the message and the hint of ``error`` on one line, in the language of the window."""
    return f"{tr_engine(str(error))} {tr_engine(error.hint)}".strip()


def decimal(number: str) -> str:
    """Return a formatted number, such as ``1.25``, with the decimal point or comma of the language."""
    return number.replace(".", QLocale().decimalPoint())


def system_language() -> str:
    """Return the language of the system if the window speaks it, or else English."""
    name = QLocale.system().name()[:2]
    return name if name in LANGUAGES else LANGUAGES[0]


def use_language(app: QCoreApplication, name: str) -> None:
    """Let ``app`` speak the language ``name``, one of LANGUAGES. To be called before the window is made."""
    QLocale.setDefault(QLocale(name))
    if name == LANGUAGES[0]:
        return
    # Qt's own texts, such as Cancel.
    of_qt = QTranslator(app)
    if of_qt.load(f"qtbase_{name}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(of_qt)
    app.installTranslator(_Words(translations(name), engine_words(name), app))


def translations(name: str) -> dict[str, str]:
    """Return the translations of the language ``name``, by the English text; none for English."""
    if name == LANGUAGES[0]:
        return {}
    words: dict[str, str] = json.loads(resource_path(f"languages/{name}.json").read_text(encoding="utf-8"))
    return words


class _Words(QTranslator):
    """Translates the window's texts by a dictionary, and the engine's messages."""

    def __init__(self, words: dict[str, str], of_engine: EngineWords, parent: QCoreApplication) -> None:
        super().__init__(parent)
        self._words, self._of_engine = words, of_engine

    def isEmpty(self) -> bool:
        """Qt asks an empty translator nothing."""
        return not self._words

    def translate(self, context: str, text: str, _disambiguation: str | None = None, _n: int = -1) -> str | None:
        """Return the translation, or None where there is none: Qt then asks the next translator."""
        if context == _ENGINE:
            return self._of_engine.translate(text)
        return self._words.get(text) if context == _CONTEXT else None
