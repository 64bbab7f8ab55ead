"""Write and read a run's log: one JSON object per line, of the kinds ``train``, ``validation`` and ``rollback``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from videoinr.writing.whole_files import write_file
from videoinr.writing.words import write_errors

Line = dict[str, Any]


def read_log(path: Path) -> list[Line]:
    """Return the lines that led to the run's present state.

    Lines about steps that a kill or a rollback undid are left out, and so are incomplete lines.
    """
    lines: list[Line] = []
    for text in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
            step = int(line["step"])
        except (ValueError, KeyError, TypeError):
            continue  # A kill cut the line off.
        if lines and lines[-1]["step"] >= step:
            lines = [
                each for each in lines if each["step"] < step or (each["step"] == step and not _repeats(line, each))
            ]
        lines.append(line)
    return lines


def _repeats(line: Line, earlier: Line) -> bool:
    """Whether ``line`` replaces the ``earlier`` line about the same step. Rollbacks never replace each other."""
    return bool(line.get("kind") == earlier.get("kind") != "rollback")


class RunLog:
    """Appends to the log at ``path``. First drops lines about steps after ``step``, which will be repeated."""

    def __init__(self, path: Path, *, step: int) -> None:
        self._path = path
        kept = [line for line in read_log(path) if line["step"] <= step]
        write_file(path, "".join(json.dumps(line) + "\n" for line in kept), replace=True)

    def write(self, line: Line) -> None:
        """Append one line. The file is closed afterwards, so a kill of the process does not lose the line."""
        with write_errors(self._path), self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, allow_nan=False) + "\n")

    def lines(self) -> list[Line]:
        """See :func:`read_log`."""
        return read_log(self._path)
