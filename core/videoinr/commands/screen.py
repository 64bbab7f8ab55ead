"""Prints to the terminal: messages on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

if TYPE_CHECKING:
    from videoinr.cancel import CancelToken


def say(message: str, *, nl: bool = True) -> None:
    """Print one line to stderr. ``nl``: whether it ends there."""
    # The terminal may be gone, or the program that reads: the work is worth more than its messages.
    with suppress(OSError):
        typer.echo(message, nl=nl, err=True)


def lasting_stderr() -> TextIO:
    """Return standard error as a file that drops what cannot be written, as :func:`say` does, for libraries."""
    return cast("TextIO", _LastingStderr())


class _LastingStderr:
    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


def show_error(message: str, hint: str = "") -> None:
    """Print an error and its hint to stderr."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")


@contextmanager
def show_encoding(token: CancelToken) -> Iterator[None]:
    """Show the progress of encoding in the last line of the terminal while the block runs; not in a file or pipe."""
    if not sys.stderr.isatty():
        yield
        return
    from videoinr.text.encoding_progress import EncodingProgress

    # Back to the start of the line, and delete what stood there.
    progress = EncodingProgress(lambda words: say(f"\r\x1b[K{words}", nl=False))
    token.watch(progress.report)
    try:
        yield
    finally:
        progress.clear()


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
