"""The manual: its code runs, its commands exist, its pictures are current, its messages are the program's."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from helpers.clips import write_clip
from helpers.scripts import load_script
from videoinr.cli import app
from videoinr_viewer.start.arguments import parse

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "packaging" / "manual"
PAGES = sorted(MANUAL.glob("*.md"))
SHELL_WORDS = {"videoinr", "videoinr-viewer", "pip", "make", "python", "sbatch", "dask"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    lines = ((page.name, line) for page in PAGES for block in blocks(page, "sh") for line in block.splitlines())
    return [(name, line) for name, line in lines if line.strip()]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return load_script(ROOT / "packaging" / "make_pictures.py")


@pytest.fixture(scope="module")
def message_list() -> ModuleType:
    return load_script(MANUAL / "message_list.py")


def test_pictures_do_not_show_the_settings_of_whoever_makes_them(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[str] = []

    def run(command: list[str], *, env: dict[str, str], **_options: object) -> subprocess.CompletedProcess[str]:
        places.append(env["XDG_CONFIG_HOME"])
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/somebody/.config")
    monkeypatch.setattr(maker.subprocess, "run", run)
    with pytest.raises(SystemExit):
        maker.make(maker.PICTURES[0])
    assert len(places) == 1
    assert places != ["/home/somebody/.config"]


def test_every_code_block_is_of_a_kind_that_is_tested_here() -> None:
    kinds = {kind for page in PAGES for kind in re.findall(r"^```(\S+)$", page.read_text("utf-8"), re.MULTILINE)}
    assert kinds <= {"python", "sh", "{toctree}", "{eval-rst}"}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_the_python_of_a_page_runs_in_its_order(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for name in ("clip.mp4", "clips/one.mp4"):
        write_clip(tmp_path / name, 5)
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_has_these_options(page: str, line: str) -> None:
    first, *words = shlex.split(line, comments=True)
    assert first in SHELL_WORDS, page
    if first == "videoinr":
        understand(typer.main.get_command(app), words)
    elif first == "videoinr-viewer":
        parse(words)
    elif first == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def understand(command: Any, words: list[str], parent: Any = None) -> None:
    """Parse the words of a command as the command line does, without doing it."""
    context = command.make_context(command.name, list(words), parent=parent)
    if hasattr(command, "list_commands") and words:
        assert words[0] in command.list_commands(context)
        understand(command.get_command(context, words[0]), words[1:], context)


def test_the_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    text = (MANUAL / "install.md").read_text("utf-8").partition("## Extras")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert named
    assert set(named) <= set(extras)


def test_every_message_of_the_troubleshooting_is_one_of_the_program(message_list: ModuleType) -> None:
    sources = [one.text for one in message_list.messages()]
    # Messages that are put together elsewhere stand in the source as they are.
    sources += [file.read_text("utf-8") for root in ("app", "core") for file in (ROOT / root).rglob("*.py")]
    headings = re.findall(
        r"^### (?!\(no message\))(.*)$", (MANUAL / "troubleshooting.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(headings) > 20
    for heading in headings:
        parts = [part.strip(" .:“”") for part in heading.split("…")]
        parts = [part for part in parts if len(part) > 1]
        assert any(all(part in source for part in parts) for source in sources), heading


def test_every_kind_of_error_is_explained(message_list: ModuleType) -> None:
    text = (MANUAL / "troubleshooting.md").read_text("utf-8")
    headings = {_words(heading) for heading in re.findall(r"^### (.*)$", text, re.MULTILINE)}
    explained = {one.kind for one in message_list.messages() if any(_words(one.text)[:40] in head for head in headings)}
    assert message_list.kinds() - {"VideoInrError"} <= explained


def _words(text: str) -> str:
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


def test_every_message_is_found_with_its_advice(message_list: ModuleType) -> None:
    found = message_list.messages()
    assert len(found) > 200
    texts = {one.text: one for one in found}
    assert texts["There is no file “…”."].about == "Clips"
    assert texts["There is no device … here."].kind == "UnknownDeviceError"
    assert sum(1 for one in found if one.hint) > 100
    assert {one.about for one in found} == set(message_list.TITLES)


def test_every_picture_of_the_pages_is_there_and_none_is_left_over() -> None:
    shown = {name for page in PAGES for name in re.findall(r"\]\((pictures/[^)]+)\)", page.read_text("utf-8"))}
    files = {file.relative_to(MANUAL).as_posix() for file in (MANUAL / "pictures").iterdir()} - {
        "pictures/pictures.json"
    }
    assert shown == files


def test_no_picture_shows_what_has_changed_since(maker: ModuleType) -> None:
    stale = [picture.name for picture in maker.stale()]
    assert stale == [], "make pictures; look at them; commit them"


def test_a_picture_is_stale_once_what_it_shows_changes(
    maker: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = maker.Picture("export", ("export",), ("form.py",))
    monkeypatch.setattr(maker, "WINDOW", tmp_path)
    (tmp_path / "actions.py").write_text("class Menu:\n A = '&File'\nTABLE = (Row('export', Menu.A, '&Export…'),)\n")
    (tmp_path / "form.py").write_text("label = tr('Frame rate')\n")
    before = maker.fingerprint(picture)
    (tmp_path / "form.py").write_text("# A comment.\nlabel = tr('Frame rate')\n")
    assert maker.fingerprint(picture) == before
    (tmp_path / "form.py").write_text("label = tr('Frames a second')\n")
    changed = maker.fingerprint(picture)
    assert changed != before
    (tmp_path / "actions.py").write_text("class Menu:\n A = '&File'\nTABLE = (Row('export', Menu.A, '&Save…'),)\n")
    assert maker.fingerprint(picture) != changed


def test_the_pictures_are_small(maker: ModuleType) -> None:
    assert sum(maker.path_of(picture).stat().st_size for picture in maker.PICTURES) < 1_500_000
