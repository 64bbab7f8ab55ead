"""What a person reads: messages on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import typer


def say(message: str) -> None:
    """One line to stderr."""
    typer.echo(message, err=True)


def show_error(message: str, hint: str = "") -> None:
    """An error, and what to do about it, to stderr."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")


def show_json(value: object) -> None:
    """``value`` as indented JSON to stdout; what JSON has no form for (a path) as a string."""
    typer.echo(json.dumps(value, indent=2, default=str))


def show_table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A table to stdout, as wide as its words where no terminal limits it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A file or a pipe has no width of its own; rich would take 80 columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    table = Table(box=box.SIMPLE_HEAD if header else box.SIMPLE, show_header=bool(header))
    filled = [tuple(row) for row in rows]
    for column in header or ("",) * (len(filled[0]) if filled else 1):
        table.add_column(column, overflow="fold")
    for row in filled:
        # Text, because a path such as [red]clip.mp4 is no markup.
        table.add_row(*(Text(cell) for cell in row))
    if title:
        console.print(Text(title, "bold"))  # Not the table's own title, which wraps at the table's width.
    console.print(table)
