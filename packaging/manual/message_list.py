"""Finds the messages of the program's errors in its source, each with the advice that goes with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ERRORS = ROOT / "core" / "videoinr" / "errors.py"
GAP = "…"
"""Stands for a name or a number."""
ROOMS = {
    "clip": "Clips", "colour.py": "Clips", "model": "Models", "devices.py": "Devices and memory",
    "decode": "Devices and memory", "exporting": "Exports", "writing": "Exports", "journey": "Exports",
    "training": "Training", "evaluation": "Evaluation", "benchmark": "Evaluation",
}  # fmt: skip
"""Folders and files of the engine by what they are about; the rest is about the request itself."""
REQUESTS, WINDOW = "Requests", "The window"
TITLES = (*dict.fromkeys(ROOMS.values()), REQUESTS, WINDOW)


@dataclass(frozen=True, order=True)
class Message:
    """A message. ``kind``: the class of the error. ``about``: one of TITLES. ``hint``: what to do, or empty."""

    about: str
    text: str
    hint: str
    kind: str


def kinds() -> set[str]:
    """Return the classes of errors that are meant for a user."""
    tree = ast.parse(ERRORS.read_text("utf-8"))
    found = {"VideoInrError"}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id in found for base in node.bases
        ):
            found.add(node.name)
    return found


def messages() -> list[Message]:
    """Return all messages that are written where an error is made, sorted, and none that is put together elsewhere."""
    return sorted({message for root in ("core/videoinr", "app/videoinr_viewer") for message in _in(ROOT / root)})


def _in(folder: Path) -> Iterator[Message]:
    known = kinds()
    for file in sorted(folder.rglob("*.py")):
        about = _about(file.relative_to(folder)) if folder.name == "videoinr" else WINDOW
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known and node.args:
                hints = [_text(one.value) for one in node.keywords if one.arg == "hint"]
                text = _text(node.args[0])
                if text.strip(f" {GAP}."):
                    yield Message(about, text, hints[0] if hints and hints[0] != GAP else "", node.func.id)


def _about(file: Path) -> str:
    return ROOMS.get(file.parts[0], REQUESTS)


def _text(node: ast.expr) -> str:
    """Return what an expression says; what is only known at run time is a gap."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args:
        return _text(node.args[0])
    return GAP
