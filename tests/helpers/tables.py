"""Tables of the project's documents whose last column names the tests that show each row."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows(document: str, heading: str) -> list[list[str]]:
    """Return the cells of each row of the table under ``heading`` in a Markdown file of the project."""
    text = (ROOT / document).read_text("utf-8")
    table = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def faults_of(row: list[str]) -> list[str]:
    """Return what is wrong with a row: an empty cell, no test, or a test that does not exist."""
    named = re.findall(r"`(test_\w+)::(test_\w+)`", row[-1])
    found = [] if all(row) and named else [f"{row[0]}: a cell is empty, or no test is named"]
    for file, name in named:
        paths = list((ROOT / "tests").rglob(f"{file}.py"))
        if not any(f"def {name}(" in path.read_text("utf-8") for path in paths):
            found.append(f"{row[0]}: there is no {file}::{name}")
    return found
