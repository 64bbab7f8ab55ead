"""The languages of the window: every text is translated, with its fields; numbers take the comma."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

import videoinr_viewer
from videoinr.exporting.picture_formats import PICTURES
from videoinr.exporting.presets import PRESETS
from videoinr_viewer.action_row import Menu
from videoinr_viewer.actions import TABLE
from videoinr_viewer.export.form import _EFFORTS, _SOUNDS
from videoinr_viewer.panels.menus import _THEME_TITLES
from videoinr_viewer.panels.pair_note import BEYOND_REACH
from videoinr_viewer.style.language import LANGUAGES, decimal, tr, translations

PACKAGE = Path(videoinr_viewer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
SHOWING = {
    "setText", "setToolTip", "setWindowTitle", "setAccessibleName", "setTitle", "addRow", "QLabel", "QPushButton",
    "QCheckBox", "QGroupBox", "addAction", "addMenu", "addSection", "setHeaderLabels", "setStatusTip",
}  # fmt: skip
UNTRANSLATED = ("bench",)
"""The room whose texts are English: it prints figures."""


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def texts_in(source: str) -> Iterator[str]:
    """Yield the texts that a file asks to be translated."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) == "tr" and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def shown_literals(source: str) -> list[str]:
    """Return the texts with words that a file shows as they are."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) in SHOWING:
            found += [one for argument in node.args for one in _words_of(argument)]
    return found


def _words_of(argument: ast.expr) -> list[str]:
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return [text for text in texts if re.search("[a-z]{3}", text)]


def all_texts() -> set[str]:
    texts = {text for file in FILES for text in texts_in(file.read_text("utf-8"))}
    tables = (
        [BEYOND_REACH],
        [row.text for row in TABLE],
        [row.tip for row in TABLE if row.tip],
        [menu.value for menu in Menu],
        _THEME_TITLES.values(),
        _SOUNDS.values(),
        _EFFORTS.values(),
        [each.title for each in PICTURES if each.is_offered],
        [words for preset in PRESETS for words in (preset.title, preset.says)],
    )
    return texts.union(*tables)


def test_the_search_finds_both_kinds_of_texts() -> None:
    source = "label.setText(tr('Open {x}', x=1)); label.setToolTip('Closes it'); QLabel(f'abc {x}'); a.setText('×')"
    assert list(texts_in(source)) == ["Open {x}"]
    assert shown_literals(source) == ["Closes it", "abc "]


@pytest.mark.parametrize("name", LANGUAGES[1:])
def test_every_text_is_translated_and_keeps_its_fields(name: str) -> None:
    words = translations(name)
    texts = all_texts()
    assert texts - words.keys() == set()
    assert words.keys() - texts == set(), "a translation of a text that is no longer there"
    for text, translation in words.items():
        assert translation.strip()
        assert sorted(re.findall("{[a-z]*}", text)) == sorted(re.findall("{[a-z]*}", translation)), text
        assert text.count("…") == translation.count("…"), text
        assert name != "de" or " …" in translation or "…" not in translation, "German has a space before the dots"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_no_text_is_shown_untranslated(file: Path) -> None:
    if file.relative_to(PACKAGE).parts[0] not in UNTRANSLATED:
        literals = shown_literals(file.read_text("utf-8"))
        assert [text for text in literals if text != "VideoINR Viewer"] == []


@pytest.mark.usefixtures("qapp")
def test_without_a_translation_a_text_stays_english() -> None:
    assert tr("Open {name} now", name="it") == "Open it now"
    assert decimal("1.25") == "1.25"
    assert isinstance(QApplication.instance(), QApplication)


def test_the_window_speaks_german() -> None:
    code = (
        "from PySide6.QtWidgets import QApplication, QDialogButtonBox\n"
        "from fractions import Fraction\n"
        "from videoinr.text.clip_time import clip_time\n"
        "from videoinr.timeline import Timeline\n"
        "from videoinr.types import Instant\n"
        "from videoinr_viewer.style.language import tr, use_language\n"
        "from videoinr_viewer.style.text import describe_scale, format_instant, format_time, format_zoom\n"
        "app = QApplication([]); use_language(app, 'de')\n"
        "instant = Instant(12, Fraction(1, 4)); print(format_instant(instant)); print(format_time(Fraction(5, 4)))\n"
        "timeline = Timeline.constant(50, Fraction(25))\n"
        "print(clip_time(format_instant(instant)).time_on(timeline, None) == timeline.time_from_instant(instant))\n"
        "print(describe_scale(4.5, (1.0, 4.0))[0]); print(tr('&File')); print(format_zoom(0.083), format_zoom(4))\n"
        "from videoinr_viewer.clip_access.reading import Reading, ReadingChoice\n"
        "from videoinr_viewer.dialogs.clip_window import ClipWindow, in_words\n"
        "print(in_words({'matrix': 'bt709', 'range': 'tv'}))\n"
        "clip = ClipWindow(ReadingChoice(Reading(background='grey')), None); clip.background.setCurrentText('Weiß')\n"
        "print([clip.background.itemText(row) for row in range(4)], clip.reading.background)\n"
        "clip.show_choice(); print(clip.background.currentText(), clip.reading.background)\n"
        "box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel); print(box.buttons()[0].text())\n"
    )
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("utf-8").splitlines() == [
        "Bild 12 + 0,250", "0:01,250", "True", "×4,5 (vergrößert aus ×4)", "&Datei", "8,3 % 400 %",
        "Matrix bt709, Bereich tv", "['schwarz', 'grau', 'weiß', 'Schachbrett'] white", "grau grey", "Abbrechen",
    ]  # fmt: skip
