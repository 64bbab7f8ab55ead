"""The window under a Turkish locale, where the upper case of i is not I, and errors while the window is built."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import videoinr_viewer
from helpers.slow_renderer import opener
from videoinr_viewer.start import program
from videoinr_viewer.start.arguments import Arguments

PACKAGE = Path(videoinr_viewer.__file__).parent


def calls_with_qt_properties_in_i(source: str) -> list[int]:
    """Return the lines with ``QName(..., i...=...)``. In a Turkish locale, PySide6 does not find such a property."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id.startswith("Q")
        for keyword in call.keywords
        if (keyword.arg or "").startswith("i")
    ]


def test_the_search_finds_such_a_property() -> None:
    assert calls_with_qt_properties_in_i("a = 1\nQTimer(self, singleShot=True, interval=5)") == [2]
    assert calls_with_qt_properties_in_i("QTimer(self, singleShot=True)\nexport(interval=5)") == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_qt_object_gets_a_property_whose_name_begins_with_i(path: Path) -> None:
    assert calls_with_qt_properties_in_i(path.read_text("utf-8")) == []


@pytest.mark.skipif(shutil.which("localedef") is None, reason="compiles a locale")
def test_the_window_opens_in_a_turkish_locale(tmp_path: Path) -> None:
    made = subprocess.run(
        ["localedef", "-i", "tr_TR", "-f", "UTF-8", tmp_path / "tr_TR.UTF-8"], capture_output=True, check=False
    )
    if not (tmp_path / "tr_TR.UTF-8").is_dir():
        pytest.skip(f"localedef has no sources for tr_TR: {made.stderr!r}")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LOCPATH": str(tmp_path),
        "LC_ALL": "tr_TR.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_STATE_HOME": str(tmp_path),
    }
    out = tmp_path / "window.png"
    code = (
        "import locale, sys; from videoinr_viewer.main import main; code = main(['--screenshot', sys.argv[1]])\n"
        "print(locale.setlocale(locale.LC_CTYPE)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, out], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "tr_TR.UTF-8"
    assert out.exists()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("arguments", [Arguments(), Arguments(screenshot=Path("out.png"))])
def test_an_error_while_the_window_is_built_is_printed(
    arguments: Arguments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise AttributeError("'interval' is not a Qt property")

    monkeypatch.setattr(program, "Viewer", fail)
    code = program.run(
        arguments, open_renderer=opener([]), settings_path=tmp_path / "viewer.toml", log_folder=tmp_path / "log"
    )
    assert code == 1
    printed = capsys.readouterr().err
    assert "videoinr-viewer: The window could not be built. AttributeError: 'interval' is not a Qt property" in printed
    assert str(tmp_path / "log" / "viewer.log") in printed
    assert "AttributeError" in (tmp_path / "log" / "viewer.log").read_text()
    assert sys.excepthook is sys.__excepthook__
