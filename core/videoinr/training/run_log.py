"""A run's log: one JSON object a line, of the kinds ``train``, ``validation`` and ``rollback``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "log.jsonl"

Line = dict[str, Any]


def read_log(path: Path) -> list[Line]:
    """The lines that led to where the run stands: steps that a kill or a rollback undid are left out, and what is
    no whole line, too."""
    lines: list[Line] = []
    for text in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
            step = int(line["step"])
        except (ValueError, KeyError, TypeError):
            continue  # Cut off by a kill.
        if lines and lines[-1]["step"] >= step:
            lines = [
                each for each in lines if each["step"] < step or (each["step"] == step and not _repeats(line, each))
            ]
        lines.append(line)
    return lines


def _repeats(line: Line, earlier: Line) -> bool:
    """Of the same step: whether ``line`` tells anew what ``earlier`` told. Every rollback is one more."""
    return bool(line.get("kind") == earlier.get("kind") != "rollback")


class RunLog:
    """Appends to ``path``. What an earlier process wrote of steps after ``step`` is dropped: they come again."""

    def __init__(self, path: Path, *, step: int) -> None:
        self._path = path
        kept = [line for line in read_log(path) if line["step"] <= step]
        part = path.with_suffix(".part")
        part.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        os.replace(part, path)

    def write(self, line: Line) -> None:
        """Append one line; it is on its way to the disk when this returns."""
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, allow_nan=False) + "\n")

    def lines(self) -> list[Line]:
        """See :func:`read_log`."""
        return read_log(self._path)
