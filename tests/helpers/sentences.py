"""Finds the sentences that the engine says to a user without an error, such as warnings, in its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import videoinr

GAP = "…"
"""Stands for a name or a number."""
ROOT = Path(videoinr.__file__).parent
_LEAST_WORDS = 3


def sentences(*, but_not_of: tuple[str, ...]) -> dict[str, str]:
    """Return the sentences of the engine's source, each with its file, but for files that start with ``but_not_of``.

    Arguments of errors, of the log and of the command line's options are none, and neither are docstrings.
    """
    found: dict[str, str] = {}
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if not name.startswith(but_not_of):
            found |= dict.fromkeys(filter(_is_sentence, _texts(ast.parse(file.read_text("utf-8")))), name)
    return found


def phrases(*names: str) -> set[str]:
    """Return what the files ``names`` of the engine say in parts of sentences, of two words and more."""
    texts = (text for name in names for text in _texts(ast.parse((ROOT / name).read_text("utf-8"))))
    return {text for text in texts if re.match(rf"[a-z]+ .*[a-z{GAP})]$", text)}


def _is_sentence(text: str) -> bool:
    return re.search(rf"[\w){GAP}]\.\s*$", text) is not None and len(re.findall(r"[A-Za-z]{2,}", text)) >= _LEAST_WORDS


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else ()
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
    elif not _is_told_otherwise(node):
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _is_told_otherwise(node: ast.AST) -> bool:
    """Return whether the texts in ``node`` are docstrings or those of an error, the log or an option."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Raise)
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    owner = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
    return name.endswith("Error") or name == "unforeseen" or owner in ("log", "typer")
