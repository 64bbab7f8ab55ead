"""What SECURITY.md promises: its table names tests, and nothing reads pickles or opens connections."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.tables import ROOT, faults_of, rows
from videoinr.text.plain import is_plain_line, printable

pytestmark = pytest.mark.uncounted

FORBIDDEN = {
    *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"),
    *("ssl", "http", "ftplib", "smtplib", "requests", "aiohttp", "xmlrpc"),
}
"""Modules that run code from a file, or open a connection."""
NETWORK = {"urllib.request", "PySide6.QtNetwork", "PySide6.QtWebEngineCore", "PySide6.QtWebSockets"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("core", "app", "resources"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT), ast.parse(file.read_text("utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_the_table_names_tests_that_exist() -> None:
    table = rows("SECURITY.md", "What is not trusted")
    assert len(table) >= 7
    assert [fault for row in table for fault in faults_of(row)] == []


def test_nothing_reads_pickles_or_opens_connections() -> None:
    for file, tree in modules():
        names = set(imported(tree))
        assert not {name.split(".")[0] for name in names} & FORBIDDEN, file
        assert not names & NETWORK, file
        sockets = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        # A pair of sockets of the process itself wakes the thread that waits for a signal.
        assert {each for each in sockets if each.startswith("socket.")} <= {"socket.socketpair"}, file


def test_torch_and_numpy_read_no_objects_and_nothing_is_evaluated() -> None:
    loads = 0
    for file, tree in modules():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            options = {each.arg: each.value for each in call.keywords}
            assert "allow_pickle" not in options, file
            assert not (isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec", "__import__")), file
            if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "torch.load":
                loads += 1
                only = options.get("weights_only")
                assert isinstance(only, ast.Constant), f"{file}:{call.lineno}"
                assert only.value is True, f"{file}:{call.lineno}"
    assert loads, "the search finds calls"


@pytest.mark.parametrize("text", ["\x1b[31mred", "two\nlines", "\u202ereversed", "bell\a", "\x9b2J", "\u2028"])
def test_text_from_outside_cannot_steer_a_terminal(text: str) -> None:
    assert not is_plain_line(text)
    assert is_plain_line(printable(text))
    assert len(printable("x" * 10_000)) < 300
