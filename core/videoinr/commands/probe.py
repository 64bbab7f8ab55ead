"""``videoinr probe``: what a clip is."""

from __future__ import annotations

from videoinr.commands.options import FileArgument, JsonOption
from videoinr.commands.screen import show_json, show_table


def probe(file: FileArgument, as_json: JsonOption = False) -> None:
    """Show what a clip is: size, rate, length, colours, and what is odd about it."""
    from videoinr.clip import open_clip
    from videoinr.clip.describe import describe

    with open_clip(file) as clip:
        facts = describe(clip)
    if as_json:
        show_json(facts)
    else:
        show_table("", (), [(name.replace("_", " "), _in_words(value)) for name, value in facts.items()])


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(part)}" for name, part in value.items() if part not in ([], None, ""))
    if isinstance(value, list):
        return "\n".join(_in_words(part) for part in value) or "none"
    return str(value)
