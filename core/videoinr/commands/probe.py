"""``videoinr probe``: shows the properties of a clip."""

from __future__ import annotations

from videoinr.commands.options import DeinterlaceOption, FileArgument, JsonOption, StreamOption
from videoinr.commands.screen import show_json, show_table


def probe(
    file: FileArgument,
    as_json: JsonOption = False,
    stream: StreamOption = None,
    deinterlace: DeinterlaceOption = "auto",
) -> None:
    """Show a clip's size, frame rate, length, colours and warnings."""
    from videoinr.clip import OpenOptions, open_clip
    from videoinr.clip.describe import describe

    with open_clip(file, OpenOptions(stream=stream, deinterlace=deinterlace)) as clip:
        facts = describe(clip)
    if as_json:
        show_json(facts)
    else:
        show_table("", (), [(name.replace("_", " "), _format(value)) for name, value in facts.items()])


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format(item)}" for name, item in value.items() if item not in ([], None, ""))
    if isinstance(value, list):
        return "\n".join(_format(item) for item in value) or "none"
    return str(value)
