"""Prints to the terminal: messages on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import typer


def say(message: str) -> None:
    """Print one line to stderr."""
    typer.echo(message, err=True)


def show_error(message: str, hint: str = "") -> None:
    """Print an error and its hint to stderr."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")


def show_json(value: object) -> None:
    """Print ``value`` to stdout as indented JSON; values that JSON does not know (paths) as strings."""
    typer.echo(json.dumps(value, indent=2, default=str))


def show_table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table to stdout, as wide as the terminal, or 200 columns in a file or pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A file or a pipe has no width, and rich would assume 80 columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    table = Table(box=box.SIMPLE_HEAD if header else box.SIMPLE, show_header=bool(header))
    filled = [tuple(row) for row in rows]
    for column in header or ("",) * (len(filled[0]) if filled else 1):
        table.add_column(column, overflow="fold")
    for row in filled:
        # As Text, so that a path such as [red]clip.mp4 is not read as markup.
        table.add_row(*(Text(cell) for cell in row))
    if title:
        console.print(Text(title, "bold"))  # The title of a rich table would wrap at the width of the table.
    console.print(table)
