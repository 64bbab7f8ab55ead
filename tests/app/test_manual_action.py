"""F1 opens the manual from the disk; where it cannot, the window says why and where the manual is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from helpers.stage import Stage
from videoinr_viewer.dialogs import help as help_module


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The page that is found as the manual's first."""
    path = tmp_path / "index.html"
    monkeypatch.setattr(help_module, "resource_path", lambda _name: path)
    return path


def test_f1_opens_the_first_page(stage: Stage, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    action = stage.viewer.window.actions_by_id["manual"]
    assert [key.toString() for key in action.shortcuts()] == ["F1"]
    action.trigger()
    assert [Path(url.toLocalFile()) for url in opened] == [page]


def test_without_a_browser_the_path_is_told(stage: Stage, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    stage.viewer.window.actions_by_id["manual"].trigger()
    assert stage.viewer.window.messages.text.text() == f"No browser could be started. The manual is {page}."


def test_without_a_manual_the_window_says_how_to_build_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Path:
        raise FileNotFoundError(name)

    monkeypatch.setattr(help_module, "resource_path", find)
    stage.viewer.window.actions_by_id["manual"].trigger()
    assert "make manual" in stage.viewer.window.messages.text.text()
