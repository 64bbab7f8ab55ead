"""What packaging/ decides by rules: what is frozen, which versions are tried, which hashes and parts are listed."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

import videoinr_resources
from helpers.scripts import load_script
from videoinr.commands.window_libraries import QT_LIBRARIES, X11_LIBRARIES

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
LEFT_TO_THE_USER = {"torch", "triton"}


def loaded(name: str) -> ModuleType:
    """The script ``name`` of packaging/, as a module."""
    return load_script(PACKAGING / name)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (PACKAGING / "constraints.txt").read_text("utf-8").splitlines()
    return {canonical(name): version for name, _, version in (one.partition("==") for one in lines if one[:1] != "#")}


# ---- the frozen program ----


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("-P -m videoinr.cli export a.mp4 -o b.mp4", ("videoinr.cli", ["export", "a.mp4", "-o", "b.mp4"])),
        ("-m videoinr_viewer.main", ("videoinr_viewer.main", [])),
        ("-I -X utf8 -m videoinr.cli --version", ("videoinr.cli", ["--version"])),
        ("-m http.server", None),
        ("-m videoinrs.cli", None),
        ("-m", None),
        ("export -m videoinr.cli", None),
        ("--model -m videoinr.cli", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_frozen_program_runs_the_modules_that_it_asks_itself_for(
    words: str, asked: tuple[str, list[str]] | None
) -> None:
    assert loaded("frozen/start.py").module_to_run(words.split()) == asked


def test_every_process_that_the_program_starts_of_itself_is_one_that_a_frozen_program_understands() -> None:
    sources = [file.read_text("utf-8") for root in ("app", "core") for file in (ROOT / root).rglob("*.py")]
    started = [(words, source) for source in sources for words in re.findall(r"sys\.executable, ([^\])]*)", source)]
    assert started
    for words, source in started:
        names = dict(re.findall(r'^([A-Z]+) = "([^"]*)"$', source, re.MULTILINE))
        literal = [text or names.get(name, name) for text, name in re.findall(r'"([^"]*)"|([A-Z]+)', words)]
        if "-c" in literal:
            assert 'if getattr(sys, "frozen", False):' in source, words
        else:
            assert loaded("frozen/start.py").module_to_run(literal) is not None, words


@pytest.mark.parametrize(
    ("destination", "source", "wanted"),
    [
        ("torch/lib/libtorch_cpu.so", "ENV/torch/lib/libtorch_cpu.so", True),
        ("torch/include/ATen/ATen.h", "ENV/torch/include/ATen/ATen.h", False),
        ("PySide6/Qt/lib/libQt6Qml.so.6", "ENV/PySide6/Qt/lib/libQt6Qml.so.6", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "ENV/PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("libxcb-cursor.so.0", "/usr/lib/x86_64-linux-gnu/libxcb-cursor.so.0", False),
        ("libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", False),
        ("libffi.so.8", "/usr/lib/x86_64-linux-gnu/libffi.so.8", True),
        ("videoinr/model/native/native.so", "/build/native.so", True),
        ("videoinr_resources/demo/demo.mp4", "/elsewhere/demo.mp4", True),
    ],
)
def test_what_goes_into_a_frozen_program(destination: str, source: str, wanted: bool, tmp_path: Path) -> None:
    contents = loaded("frozen/contents.py")
    assert contents.is_wanted(destination, source.replace("ENV", str(tmp_path)), tmp_path) is wanted


def test_the_modules_of_the_python_that_an_environment_was_made_from_are_frozen(tmp_path: Path) -> None:
    wanted = loaded("frozen/contents.py").is_wanted
    modules = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    own = [path for path in modules if path.parent.name == "lib-dynload"]
    assert all(wanted(f"python3/lib-dynload/{path.name}", str(path), tmp_path) for path in own)


def test_the_libraries_that_the_program_asks_for_are_left_to_the_system(tmp_path: Path) -> None:
    contents = loaded("frozen/contents.py")
    for name in {**QT_LIBRARIES, **X11_LIBRARIES}:
        assert not contents.is_wanted(name, f"/usr/lib/x86_64-linux-gnu/{name}", tmp_path)


def test_what_the_window_says_of_missing_libraries_is_understood_by_the_check_of_a_bare_root() -> None:
    from videoinr.commands.window_libraries import in_words

    found = loaded("check_bare_root.py").NAMED.search(in_words({"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1"}))
    assert found is not None
    assert found[1].split() == ["libegl1", "libgl1"]


# ---- versions ----


def test_every_dependency_has_a_lowest_version_that_can_be_tried() -> None:
    matrix = loaded("matrix.py")
    lowest = matrix.bounds(matrix.declared(), "lowest")
    assert [line.partition("==")[0] for line in lowest] == [re.split(r"[<>=!~]", line)[0] for line in matrix.declared()]
    assert matrix.bounds(["a>=1.2,!=1.3,<2"], "lowest") == ["a==1.2"]
    assert matrix.bounds(["a-b>=1.2", "c>=2"], "newest", ["a_b==1.3"]) == ["a_b==1.3", "c>=2"]
    with pytest.raises(SystemExit, match="has no lower bound"):
        matrix.bounds(["a"], "lowest")
    assert all((ROOT / "tests" / name).is_file() for name in matrix.FAST_TESTS)


def test_no_dependency_is_pinned_outside_of_what_is_allowed() -> None:
    matrix, pinned = loaded("matrix.py"), pins()

    def parts(version: str) -> list[int]:
        return [int(one) for one in re.findall(r"\d+", version)]

    for line in matrix.bounds(matrix.declared(), "lowest"):
        name, _, version = line.partition("==")
        assert parts(pinned[canonical(name)]) >= parts(version), line


def test_what_the_pinned_distributions_need_is_pinned_too() -> None:
    needed_by = loaded("third_party.py").directly_needed_by
    pinned = pins()  # Other versions, and other builds of torch, need other distributions.
    installed = {
        canonical(one.name) for one in metadata.distributions() if pinned.get(canonical(one.name)) == one.version
    }
    missing = {name: sorted(needed_by(name) - pins().keys()) for name in installed}
    assert {name: names for name, names in missing.items() if names} == {}


# ---- hashes, bill of materials ----


def test_every_pin_but_torch_has_its_hashes() -> None:
    text = (PACKAGING / "hashes.txt").read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    listed = {canonical(name): version for name, version, _ in found}
    wanted = {name: version for name, version in pins().items() if name not in LEFT_TO_THE_USER}
    assert listed == wanted, "run make hashes"
    assert "://" not in text


def test_the_bill_of_materials_is_that_of_the_pins_and_of_the_files() -> None:
    bill = json.loads((PACKAGING / "sbom.cdx.json").read_text("utf-8"))
    parts = {part["name"]: part for part in bill["components"]}
    libraries = {name: part["version"] for name, part in parts.items() if part["type"] == "library"}
    assert libraries.items() <= pins().items(), "run make third-party"
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    direct = {canonical(re.split(r"[<>=!~]", line)[0]) for line in needed}
    assert direct <= libraries.keys()
    (own,) = [one for one in bill["dependencies"] if one["ref"] == "videoinr-viewer"]
    assert {one.split("/")[1].partition("@")[0] for one in own["dependsOn"]} == direct
    for path in videoinr_resources.path("models").glob("*.json"):
        card = json.loads(path.read_text("utf-8"))
        assert parts[f"{path.stem}.safetensors"]["hashes"][0]["content"] == card["sha256"]
    references = {part["bom-ref"] for part in bill["components"]} | {"videoinr-viewer"}
    assert {one for entry in bill["dependencies"] for one in [entry["ref"], *entry["dependsOn"]]} <= references
    assert "://" not in json.dumps(bill).replace("http://cyclonedx.org", "")
    assert "timestamp" not in bill["metadata"]
