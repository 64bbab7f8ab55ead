"""``videoinr probe``: shows the properties of a clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import DeinterlaceOption, FileArgument, JsonOption, StreamOption
from videoinr.commands.screen import show_json, show_table

if TYPE_CHECKING:
    from videoinr.clip import Clip, OpenOptions


def probe(
    file: FileArgument,
    as_json: JsonOption = False,
    stream: StreamOption = None,
    deinterlace: DeinterlaceOption = "auto",
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="Open the clip in a helper process first, as all other commands do: a file that ends or stops it is "
            "an error in words. This takes twice as long.",
        ),
    ] = False,
) -> None:
    """Show a clip's size, frame rate, length, colours and warnings."""
    from videoinr.clip import OpenOptions
    from videoinr.clip.describe import describe

    with _opened(file, OpenOptions(stream=stream, deinterlace=deinterlace), isolated=isolated) as clip:
        facts = describe(clip)
    if as_json:
        show_json(facts)
    else:
        show_table("", (), [(name.replace("_", " "), _format(value)) for name, value in facts.items()])


def _opened(file: Path, options: OpenOptions, *, isolated: bool) -> Clip:
    if isolated:
        from videoinr.clip import open_clip

        return open_clip(file, options)
    # This process reads nothing but this file, and the start of another one would take as long as all it does.
    from videoinr.cancel import NEVER
    from videoinr.clip.direct_opening import open_directly
    from videoinr.clip.found import Found

    return open_directly(file, options, NEVER, Found())


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format(item)}" for name, item in value.items() if item not in ([], None, ""))
    if isinstance(value, list):
        return "\n".join(_format(item) for item in value) or "none"
    return str(value)
