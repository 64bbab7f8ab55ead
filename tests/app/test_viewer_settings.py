"""The settings file: saving, loading, the file of earlier builds, and files that are damaged, foreign or edited."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QSettings

from videoinr_viewer.start.setting_values import MAX_RECENT
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.start.toml_text import toml_text
from videoinr_viewer.style.theme_choice import Theme

SCALARS = (
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False) | st.dates()
    | st.datetimes() | st.times()
)  # fmt: skip
KEYS = st.text(max_size=8)
TABLES = st.dictionaries(KEYS, SCALARS, max_size=2)
VALUES = st.dictionaries(
    KEYS, SCALARS | st.lists(SCALARS | TABLES, max_size=3) | st.dictionaries(KEYS, SCALARS | TABLES, max_size=3),
    max_size=4,
)  # fmt: skip


@given(VALUES)
def test_what_is_written_is_read_again(values: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(values)) == values


@pytest.mark.parametrize(
    "names", [[], ["/a/one.mp4"], ["/a/b, c;d.mp4", "/a/ümlaut %20.mkv", 'C:\\x"\\y.mp4', "@b.mp4"]]
)
def test_saved_settings_are_loaded(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "folder" / "viewer.toml"
    saved = Settings(
        recent=[Path(name) for name in names], theme=Theme.DARK, geometry=QByteArray(b"\x00\x01where"),
        recent_actions=["play", "zoom-in"], shortcuts={"play": ["Ctrl+,", ";", "Space"], "open": []}, language="de",
        device="cuda:1", memory_mib=512, muted=True, volume=30,
        reduced_motion=True,
    )  # fmt: skip
    saved.save(path)
    assert Settings.load(path) == saved
    assert not [other for other in path.parent.iterdir() if other != path]


def test_names_with_control_characters_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    Settings(recent=[Path("/a\nb.mp4"), Path("/\x1b[31m.mp4"), Path("/a.mp4")]).save(path)
    assert Settings.load(path).recent == [Path("/a.mp4")]


@pytest.mark.parametrize(
    "text",
    ["", "\x00\xff garbage", "version = 99\ntheme = 'dark'",
     "theme = 'pink'\nrecent = 7\nvolume = true\nmemory_mib = -5",
     "geometry = 'no base64!'", "shortcuts = [[1]]", "language = 'xx'\ndevice = \"a\\u0007\"", "a = " + "[" * 5000],
)  # fmt: skip
def test_what_makes_no_sense_reads_as_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text(text)
    loaded = Settings.load(path)
    loaded.unknown.clear()
    assert loaded == Settings()


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text('theme = "dark"\nmine = 1979-05-27\n[tool]\nsize = [1, 2.5]\n')
    settings = Settings.load(path)
    settings.theme = Theme.LIGHT
    settings.save(path)
    values = tomllib.loads(path.read_text("utf-8"))
    assert values["theme"] == "light"
    assert str(values["mine"]) == "1979-05-27"
    assert values["tool"] == {"size": [1, 2.5]}


def test_a_file_of_a_newer_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text("version = 2\ntheme = 'dark'\n")
    settings = Settings.load(path)
    assert settings == Settings()
    settings.save(path)
    assert path.read_text() == "version = 2\ntheme = 'dark'\n"


def test_a_file_with_a_slip_is_put_aside_before_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text("theme = dark\n")
    settings = Settings.load(path)
    settings.save(path)
    assert path.with_name("viewer.toml.damaged").read_text() == "theme = dark\n"
    assert Settings.load(path) == settings


def test_a_folder_that_cannot_be_written_loses_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    Settings().save(tmp_path / "file" / "viewer.toml")
    assert "cannot be saved" in caplog.text


def test_a_file_of_many_megabytes_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "viewer.toml"
    path.write_text("theme = 'dark'\n")
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


# ---- the ini file of earlier builds ----


def test_the_settings_of_earlier_builds_are_read_once(tmp_path: Path) -> None:
    store = QSettings(str(tmp_path / "viewer.ini"), QSettings.Format.IniFormat)
    for key, value in (
        ("schema", 1), ("recent", ["/me@home/@Videos/a.mp4", "/b, c.mp4"]), ("recent_actions", ["play"]),
        ("shortcuts", json.dumps({"play": ["Ctrl+,"]})), ("theme", "dark"), ("geometry", QByteArray(b"\x00where")),
    ):  # fmt: skip
        store.setValue(key, value)
    store.sync()
    path = tmp_path / "viewer.toml"
    settings = Settings.load(path)
    assert settings == Settings(
        recent=[Path("/me@home/@Videos/a.mp4"), Path("/b, c.mp4")], theme=Theme.DARK,
        geometry=QByteArray(b"\x00where"), recent_actions=["play"], shortcuts={"play": ["Ctrl+,"]},
    )  # fmt: skip
    settings.theme = Theme.LIGHT
    settings.save(path)
    assert Settings.load(path).theme is Theme.LIGHT


@pytest.mark.parametrize(
    "line",
    [
        "",
        "theme=pink\nrecent=\n",
        *(f"shortcuts={text}" for text in ("7", "{", "[]", '"{\\"play\\": [7]}"', "[" * 9000)),
    ],
)
def test_damaged_values_of_the_ini_file_are_left_out(tmp_path: Path, line: str) -> None:
    (tmp_path / "viewer.ini").write_text(f"[General]\nschema=1\n{line}\n")
    assert Settings.load(tmp_path / "viewer.toml") == Settings()


@pytest.mark.parametrize(
    "value", [r"@Variant(\0\0\0\x2\0\0\0\x5)", r"\x40Variant(\0)", r"\100Variant()", r"@Vari\x61nt()", "@DateTime(5)"]
)
@pytest.mark.parametrize("key", ["recent", "other"])
def test_an_ini_file_with_serialised_objects_is_not_parsed(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "viewer.ini").write_text(f"[General]\nschema=1\ntheme=dark\n{key}={value}\n")
    assert Settings.load(tmp_path / "viewer.toml") == Settings()
