"""A Sphinx extension: writes the pages that are made from the program, so that they cannot go stale.

They lie in ``generated/`` beside this file, which is not kept in the repository: the command line from what ``--help``
shows, the keys from the window's table of actions, and the messages from the source.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer.main
from message_list import TITLES, messages

FOLDER = Path(__file__).parent / "generated"
_PIPE = str.maketrans({"|": "\\|", "\n": " "})


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension; Sphinx calls this."""
    app.connect("builder-inited", lambda _app: write_pages(FOLDER))
    return {"parallel_read_safe": True}


def write_pages(folder: Path) -> None:
    """Write all pages to ``folder``; those that would not change are left alone, and not read anew by Sphinx."""
    folder.mkdir(exist_ok=True)
    pages = {"commands.md": commands_page(), "keys.md": keys_page(), "messages.md": messages_page()}
    for name, page in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != page:
            path.write_text(page, "utf-8", newline="\n")


def commands_page() -> str:
    """Return the page of the command line: every command with its arguments and options, and that of the window."""
    from videoinr.cli import EXIT_CODES, app

    root = typer.main.get_command(app)
    lines = ["# Command line", "", "Made from what `--help` prints.", ""]
    for path, command in _commands(root, "videoinr"):
        lines += _section(path, command)
    lines += ["## Exit codes of videoinr", "", *_table(("code", "meaning"), _coded(EXIT_CODES)), ""]
    return "\n".join([*lines, "## videoinr-viewer", "", "```text", viewer_help().rstrip(), "```", ""])


def keys_page() -> str:
    """Return the page of the window's actions: every menu with its entries, keys and names."""
    from videoinr_viewer.action_row import Menu
    from videoinr_viewer.actions import TABLE

    lines = [
        "# Actions and keys", "",
        "Made from the window's table of actions. `videoinr-viewer --screenshot OUT.png --do NAME` does one by its",
        "name; Edit > Change shortcuts changes the keys; Ctrl+K finds an action by parts of its text.", "",
    ]  # fmt: skip
    for menu in Menu:
        rows = [row for row in TABLE if row.menu is menu]
        cells = ((plain(row.text), ", ".join(_key(key) for key in row.keys), f"`{row.id}`") for row in rows)
        lines += [f"## {plain(menu.value)}", "", *_table(("entry", "keys", "name"), cells), ""]
    return "\n".join(lines)


def messages_page() -> str:
    """Return the page of all messages, by what they are about, each with what the program advises."""
    found = messages()
    lines = [
        "# All messages", "",
        "Made from the source. … stands for names and numbers. [](../troubleshooting.md) explains those that raise",
        "questions.", "",
    ]  # fmt: skip
    for title in TITLES:
        rows = [(_escaped(one.text), _escaped(one.hint)) for one in found if one.about == title]
        lines += [f"## {title}", "", *_table(("message", "what to do"), rows), ""] if rows else []
    return "\n".join(lines)


def viewer_help() -> str:
    """Return what ``videoinr-viewer --help`` prints."""
    from videoinr_viewer.start.arguments import parse

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        parse(["--help"])
    return printed.getvalue()


def plain(text: str) -> str:
    """Return the text of an action without its mnemonic and without dots at its end."""
    return text.replace("&", "").rstrip("…")


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it, groups before their members."""
    yield path, command
    if hasattr(command, "list_commands"):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            yield from _commands(command.get_command(context, name), f"{path} {name}")


def _section(path: str, command: Any) -> list[str]:
    context = click.Context(command, info_name=path)
    usage = command.get_usage(context).split(" ", 1)[1]
    lines = [f"## {path}", "", _paragraphs(command.help or ""), "", "```text", " ".join(usage.split()), "```", ""]
    records = [record for one in command.params if (record := one.get_help_record(context)) is not None]
    rows = [(f"`{names}`", _escaped(words)) for names, words in records]
    return [*lines, *(_table(("argument or option", "meaning"), rows) if rows else []), ""]


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in re.split(r"\n\s*\n", text.strip()))


def _escaped(text: str) -> str:
    """Return a text as Markdown shows it letter by letter; the defaults in brackets are no links."""
    return re.sub(r"([\[\]*<>])", r"\\\1", text)


def _key(key: str) -> str:
    return f"`{key}`"


def _coded(codes: dict[int, str]) -> Iterator[tuple[str, str]]:
    return ((f"`{code}`", words) for code, words in codes.items())


def _table(header: tuple[str, ...], rows: Any) -> list[str]:
    lines = [header, ("---",) * len(header), *rows]
    return ["| " + " | ".join(cell.translate(_PIPE) for cell in line) + " |" for line in lines]
