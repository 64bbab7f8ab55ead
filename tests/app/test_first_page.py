"""The page of an empty window: buttons, sentences and keys; and the frame while a file is dragged over the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton

from helpers.stage import Stage
from videoinr_resources import path as resource_path
from videoinr_viewer.panels.empty_state import EmptyState
from videoinr_viewer.start.settings import Settings


@pytest.fixture
def empty(stage_of: Callable[..., Stage]) -> Stage:
    return stage_of()


def test_the_page_has_three_buttons_three_sentences_and_five_keys(empty: Stage) -> None:
    page = empty.viewer.window.empty
    assert [button.text().replace("&", "") for button in page.buttons] == ["Open…", "Open folder…", "Try the demo"]
    assert page._sentences.text().count(".") == 3
    keys = [label.text() for label in page._keys.findChildren(QLabel) if label.objectName() == "emptyKey"]
    assert keys == ["Space", "Right", "Alt+Right", "C", "?"]
    assert page._sentences.isVisible()
    assert page._keys.isVisible()


def test_the_demo_opens_with_one_press(empty: Stage) -> None:
    empty.viewer.window.empty.buttons[2].click()
    empty.wait_for(lambda: empty.viewer.session.clip is not None)
    assert empty.made[-1].path == resource_path("demo/demo.mp4")


def test_a_folder_is_opened(empty: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/clips/shots")
    empty.viewer.window.empty.buttons[1].click()
    empty.wait_for(lambda: empty.viewer.session.clip is not None)
    assert empty.made[-1].path == Path("/clips/shots")


def test_the_recent_clips_have_a_heading(stage_of: Callable[..., Stage]) -> None:
    empty = stage_of(settings=Settings(recent=[Path("/clips/one.mp4"), Path("/clips/two.mp4")])).viewer.window.empty
    assert listed(empty) == ["Recent clips and projects", "one.mp4", "two.mp4"]
    empty.set_recent([])
    assert listed(empty) == []


def listed(empty: EmptyState) -> list[str]:
    widgets = [item.widget() for index in range(empty._recent.count()) if (item := empty._recent.itemAt(index))]
    return [widget.text() for widget in widgets if isinstance(widget, QLabel | QPushButton)]


def test_a_low_window_with_recent_clips_leaves_out_the_keys_but_not_the_buttons(stage_of: Callable[..., Stage]) -> None:
    empty = stage_of(settings=Settings(recent=[Path(f"/clips/{index}.mp4") for index in range(5)]))
    window = empty.viewer.window
    window.resize(window.minimumSize())
    empty.wait_for(lambda: not window.empty._keys.isVisible())
    assert all(button.isVisible() for button in window.empty.buttons)
    window.resize(1000, 800)
    empty.wait_for(window.empty._keys.isVisible)


def test_a_file_over_the_window_is_named_in_a_frame(stage: Stage, tmp_path: Path) -> None:
    window = stage.viewer.window
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "new clip.mp4"))])
    place = (QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    plain = window.grab().toImage()
    QApplication.sendEvent(window, QDragEnterEvent(*place))
    frame = window.drop.highlight
    assert frame.isVisible()
    assert frame.geometry() == window.rect()
    assert frame._text == "Drop to open new clip.mp4"
    assert window.grab().toImage() != plain
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not frame.isVisible()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("new clip.mp4", "b.mp4", "c.mp4")])
    QApplication.sendEvent(window, QDragEnterEvent(*place))
    assert "new clip.mp4, the first of 3" in frame._text
    QApplication.sendEvent(window, QDragLeaveEvent())
    QApplication.sendEvent(window, QDragEnterEvent(*place))
    QApplication.sendEvent(window, QDropEvent(*place))
    assert not frame.isVisible()
    stage.wait_for(lambda: stage.made[-1].path.name == "new clip.mp4")
