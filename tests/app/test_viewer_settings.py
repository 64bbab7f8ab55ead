"""The settings file: saving, loading, and damaged files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from videoinr_viewer.start.settings import MAX_RECENT, Settings
from videoinr_viewer.style.theme_choice import Theme


@pytest.mark.parametrize("names", [[], ["/a/one.mp4"], ["/a/b, c;d.mp4", "/a/ümlaut %20.mkv"]])
def test_saved_settings_are_loaded(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "folder" / "viewer.ini"
    paths = [Path(name) for name in names]
    Settings(recent=paths, theme=Theme.DARK, geometry=QByteArray(b"\x00\x01where")).save(path)
    loaded = Settings.load(path)
    assert loaded.recent == paths
    assert loaded.theme is Theme.DARK
    assert loaded.geometry == QByteArray(b"\x00\x01where")


@pytest.mark.parametrize(
    "text", ["", "\x00\xff garbage", "[General]\nschema=99\ntheme=dark", "[General]\nschema=1\ntheme=pink\nrecent=7"]
)
def test_a_foreign_file_reads_as_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "viewer.ini"
    path.write_text(text)
    loaded = Settings.load(path)
    assert loaded.theme is Theme.SYSTEM
    assert loaded.geometry is None


def test_the_newest_clip_is_first_and_listed_once() -> None:
    settings = Settings()
    for index in range(MAX_RECENT + 5):
        settings.add_recent(Path(f"/clips/{index}.mp4"))
    settings.add_recent(Path("/clips/9.mp4"))
    assert len(settings.recent) == MAX_RECENT
    assert settings.recent[:2] == [Path("/clips/9.mp4"), Path("/clips/14.mp4")]
    settings.remove_recent(Path("/clips/9.mp4"))
    assert Path("/clips/9.mp4") not in settings.recent
