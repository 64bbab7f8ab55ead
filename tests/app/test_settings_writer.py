"""Settings that several windows of the program share: none takes back what was changed in another."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from helpers.stage import PATIENCE_MSECS
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.start.settings_writer import SettingsWriter
from videoinr_viewer.style.theme_choice import Theme


class Window:
    """The settings of a window and their writer."""

    def __init__(self, path: Path) -> None:
        self.settings = Settings.load(path)
        self._writer = SettingsWriter(self.settings, path)

    def save(self) -> None:
        written = threading.Event()
        self._writer.save()
        self._writer._disk.submit(written.set)
        assert written.wait(PATIENCE_MSECS / 1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "viewer.toml"


def test_each_window_keeps_what_was_changed_in_the_other(path: Path) -> None:
    Settings(volume=70).save(path)
    first, second = Window(path), Window(path)
    first.settings.theme = Theme.LIGHT
    first.settings.add_recent(Path("/a.mp4"))
    first.save()
    second.settings.geometry = QByteArray(b"place")
    second.settings.add_recent(Path("/b.mp4"))
    second.save()
    first.settings.volume = 30
    first.save()
    kept = Settings.load(path)
    assert (kept.theme, kept.volume, kept.geometry) == (Theme.LIGHT, 30, QByteArray(b"place"))
    assert kept.recent == [Path("/b.mp4"), Path("/a.mp4")]


def test_a_clip_that_is_removed_from_the_list_stays_removed(path: Path) -> None:
    Settings(recent=[Path("/a.mp4"), Path("/b.mp4")]).save(path)
    first, second = Window(path), Window(path)
    second.settings.add_recent(Path("/c.mp4"))
    second.save()
    first.settings.remove_recent(Path("/a.mp4"))
    first.save()
    assert Settings.load(path).recent == [Path("/b.mp4"), Path("/c.mp4")]


def test_what_is_edited_in_the_file_meanwhile_stays(path: Path) -> None:
    window = Window(path)
    window.settings.muted = True
    window.save()
    path.write_text('later = "unknown"\n' + path.read_text().replace("volume = 100", "volume = 55"))
    window.settings.theme = Theme.DARK
    window.save()
    kept = Settings.load(path)
    assert (kept.volume, kept.theme, kept.muted, kept.unknown) == (55, Theme.DARK, True, {"later": "unknown"})


def test_a_file_that_cannot_be_read_gets_all_that_the_window_knows(path: Path) -> None:
    Settings(volume=70).save(path)
    window = Window(path)
    path.write_text("no toml [")
    window.settings.muted = True
    window.save()
    kept = Settings.load(path)
    assert (kept.volume, kept.muted) == (70, True)
    assert path.with_name("viewer.toml.damaged").exists()
