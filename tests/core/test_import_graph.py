"""No file of the program imports, directly or through others, a file that imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"videoinr": ROOT / "core" / "videoinr", "videoinr_viewer": ROOT / "app" / "videoinr_viewer"}

Graph = dict[str, set[str]]
"""The modules that each module names in an import statement, at any depth of it."""


def module_name(file: Path, package: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def import_graph(package: Path) -> Graph:
    files = {module_name(file, package): file for file in package.rglob("*.py")}
    graph: Graph = {}
    for name, file in files.items():
        targets = {
            target if target in files else target.rpartition(".")[0]
            for target in imported_names(ast.parse(file.read_text()))
        }
        graph[name] = (targets & files.keys()) - {name}
    return graph


def find_circle(graph: Graph) -> list[str]:
    """The modules along one circle of imports, the first one repeated at the end; empty if there is none."""
    finished: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in finished:
            return []
        for target in sorted(graph[module]):
            if circle := walk(target, [*path, module]):
                return circle
        finished.add(module)
        return []

    return next((circle for module in sorted(graph) if (circle := walk(module, []))), [])


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES.keys())
def test_there_is_no_circle_of_imports(package: Path) -> None:
    graph = import_graph(package)
    assert len(graph) > 40
    assert find_circle(graph) == []


def test_a_circle_is_found() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]


def test_the_engine_has_at_most_14_files_at_its_root() -> None:
    files = [each.name for each in PACKAGES["videoinr"].iterdir() if each.is_file()]
    assert len(files) <= 14, sorted(files)
