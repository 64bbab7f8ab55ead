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


@pytest.mark.parametrize(
    "value", [r"@Variant(\0\0\0\x2\0\0\0\x5)", r"\x40Variant(\0)", r"\100Variant()", r"@Vari\x61nt()", "@DateTime(5)"]
)
@pytest.mark.parametrize("key", ["recent", "other"])
def test_a_file_with_serialised_objects_is_not_parsed(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "viewer.ini"
    path.write_text(f"[General]\nschema=1\ntheme=dark\n{key}={value}\n")
    assert Settings.load(path) == Settings()


def test_names_with_an_at_sign_are_kept_and_those_with_control_characters_left_out(tmp_path: Path) -> None:
    path = tmp_path / "viewer.ini"
    names = ["/me@home/@Videos/a.mp4", "C:\\100 clips\\@V.mp4", "@b.mp4", "/é@/ünï.mkv"]
    Settings(recent=[Path(name) for name in (*names, "/a\nb.mp4", "/\x1b[31m.mp4")]).save(path)
    assert Settings.load(path).recent == [Path(name) for name in names]


def test_a_file_of_many_megabytes_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "viewer.ini"
    path.write_text("[General]\nschema=1\ntheme=dark\n")
    with path.open("r+b") as file:
        file.truncate(1 << 32)
    assert Settings.load(path) == Settings()


def test_the_newest_clip_is_first_and_listed_once() -> None:
    settings = Settings()
    for index in range(MAX_RECENT + 5):
        settings.add_recent(Path(f"/clips/{index}.mp4"))
    settings.add_recent(Path("/clips/9.mp4"))
    assert len(settings.recent) == MAX_RECENT
    assert settings.recent[:2] == [Path("/clips/9.mp4"), Path("/clips/14.mp4")]
    settings.remove_recent(Path("/clips/9.mp4"))
    assert Path("/clips/9.mp4") not in settings.recent


def test_shortcuts_and_recent_actions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "viewer.ini"
    shortcuts = {"play": ["Ctrl+,", ";", "Space"], "open": []}
    Settings(shortcuts=shortcuts, recent_actions=["play", "zoom-in"]).save(path)
    loaded = Settings.load(path)
    assert (loaded.shortcuts, loaded.recent_actions) == (shortcuts, ["play", "zoom-in"])


@pytest.mark.parametrize(
    "value", ["7", "{", "[]", "{a:1}", '"{\\"play\\": [7]}"', '"{\\"pl ay\\": [\\"A\\"]}"', "[" * 9000]
)
def test_damaged_shortcuts_are_left_out(tmp_path: Path, value: str) -> None:
    path = tmp_path / "viewer.ini"
    path.write_text(f"[General]\nschema=1\ntheme=dark\nshortcuts={value}\n")
    loaded = Settings.load(path)
    assert (loaded.shortcuts, loaded.theme) == ({}, Theme.DARK)
