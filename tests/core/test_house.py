"""The rules of the house that a machine can check: sizes, imports, pins, names that may not be written."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.uncounted

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("app", "core", "resources", "tests", "packaging")
PACKAGES = {"videoinr", "videoinr_viewer", "videoinr_resources"}
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt", "qtpy", "PyQt6", "pytestqt"}
OPTIONAL = {"cuda", "triton"}
"""What a machine with an NVIDIA GPU may have: code asks whether it is there before it imports it."""
OTHERWISE_NAMED = {"PySide6": ["PySide6-Essentials"], "shiboken6": ["PySide6-Essentials"]}
"""Distributions that bring a module of another name, installed or not: a machine for training has no Qt.
PySide6-Essentials needs shiboken6 of its own version, so only that distribution is declared."""
TEXTS = {".py", ".md", ".toml", ".txt", ".sh", ".yml", ".desktop", ".cfg", ".ini"}


def modules(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


@cache
def imports(file: Path) -> set[str]:
    """The top-level names of what ``file`` imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@cache
def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(table, dict)
    return table


def distribution(requirement: str) -> str:
    """The normalised name of what a requirement asks for."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


@cache
def providers() -> Mapping[str, list[str]]:
    """Which distributions bring a module along; looking through all that are installed takes a while."""
    return packages_distributions()


def declared(*extras: str) -> set[str]:
    """What the project itself and its ``extras`` declare that they need."""
    table = project()
    optional = table["optional-dependencies"]
    assert isinstance(optional, dict)
    lists = [table["dependencies"], *(optional[extra] for extra in extras)]
    return {distribution(requirement) for needs in lists for requirement in needs}


@pytest.mark.parametrize("file", modules(*SOURCE_ROOTS), ids=named)
def test_no_file_is_longer_than_400_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400


@pytest.mark.parametrize("file", modules("core", "resources", "tests/core"), ids=named)
def test_the_engine_and_its_tests_know_no_qt(file: Path) -> None:
    assert not imports(file) & QT


@pytest.mark.parametrize("file", modules("app", "core", "resources"), ids=named)
def test_what_is_imported_is_declared(file: Path) -> None:
    foreign = imports(file) - sys.stdlib_module_names - PACKAGES - OPTIONAL
    known = {**providers(), **OTHERWISE_NAMED}
    used = {name: {distribution(wheel) for wheel in known.get(name, [name])} for name in foreign}
    needed = declared()
    assert not {name for name, wheels in used.items() if not wheels & needed}


def test_importing_the_engine_loads_neither_qt_nor_a_media_library() -> None:
    names = sorted(QT | {"av"})
    script = f"import videoinr.types, sys; print(*[name for name in {names} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "core", capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_the_constraints_name_an_exact_version_of_everything_declared() -> None:
    lines = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", pin)] == []
    assert "torch==2.13.0" in pins
    assert declared("test", "lint", "demo", "dist") <= {distribution(pin) for pin in pins}


def test_no_package_registry_is_named() -> None:
    # Put together here, so that this file does not name them either.
    hosts = [".".join(parts) for parts in (("py" + "pi", "org"), ("pythonhosted", "org"), ("npm" + "js", "org"))]
    files = [*ROOT.glob("*.*"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    files += [file for folder in SOURCE_ROOTS for file in (ROOT / folder).rglob("*")]
    texts = [file for file in files if file.is_file() and (file.suffix in TEXTS or not file.suffix)]
    assert len(texts) > 20
    assert [named(file) for file in texts if any(host in file.read_text(errors="replace") for host in hosts)] == []


def test_packaging_is_no_package() -> None:
    # It would hide the library of that name from every tool that is run in this folder.
    assert not (ROOT / "packaging" / "__init__.py").exists()
