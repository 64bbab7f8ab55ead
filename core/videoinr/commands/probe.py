"""``videoinr probe``: shows the properties of clips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import DeinterlaceOption, JsonOption, StreamOption
from videoinr.commands.screen import say, show_error, show_json, show_table
from videoinr.errors import Cancelled, VideoInrError, unforeseen
from videoinr.text.phrases import format_count

if TYPE_CHECKING:
    from videoinr.clip import Clip, OpenOptions


_NAMES = {"fps": "frames per second", "duration_secs": "duration, seconds", "vfr": "variable rate"}
"""The names of these facts in the table. The others have their names in JSON, with spaces."""


def probe(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Videos, or folders or patterns of pictures.")],
    as_json: JsonOption = False,
    stream: StreamOption = None,
    deinterlace: DeinterlaceOption = "auto",
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="Open the clip in a helper process first, as all commands but train do: a file that ends or stops it "
            "is an error in words. This takes twice as long.",
        ),
    ] = False,
) -> None:
    """Show a clip's size, frame rate, timecode, length, colours and warnings.

    Of several files, those that cannot be read are named at the end, and the exit code is theirs (1 if they differ).
    --json prints a list then, in which such a file has its path and an error.
    """
    from videoinr.clip import OpenOptions

    options = OpenOptions(stream=stream, deinterlace=deinterlace)
    if len(files) > 1:
        _show_several(files, options, isolated=isolated, as_json=as_json)
    elif as_json:
        show_json(_facts(files[0], options, isolated=isolated))
    else:
        _show(_facts(files[0], options, isolated=isolated))


def _show_several(files: list[Path], options: OpenOptions, *, isolated: bool, as_json: bool) -> None:
    found, failed = list[dict[str, object]](), dict[Path, int]()
    for file in files:
        try:
            facts = _facts(file, options, isolated=isolated)
        except Cancelled:
            raise
        except Exception as met:  # Whatever is wrong with one file, the others are read.
            error = met if isinstance(met, VideoInrError) else unforeseen(met, "Probe that file alone with --debug.")
            show_error(str(error), error.hint)
            failed[file] = error.exit_code
            told = {"message": str(error), "hint": error.hint, "exit_code": error.exit_code}
            found.append({"path": str(file), "error": told})
        else:
            found.append(facts)
            if not as_json:
                _show(facts, str(file))
    if as_json:
        show_json(found)
    if failed:
        say(f"{len(failed)} of {format_count(len(files), 'file')} cannot be read: {', '.join(map(str, failed))}.")
        codes = set(failed.values())
        raise typer.Exit(codes.pop() if len(codes) == 1 else 1)


def _facts(file: Path, options: OpenOptions, *, isolated: bool) -> dict[str, object]:
    from videoinr.clip.describe import describe

    with _opened(file, options, isolated=isolated) as clip:
        return describe(clip)


def _show(facts: dict[str, object], title: str = "") -> None:
    told = {**facts, "fps": _rate(Fraction(str(facts["fps"])))}
    rows = [(_NAMES.get(name, name.replace("_", " ")), _format(value)) for name, value in told.items()]
    show_table(title, (), rows)


def _rate(fps: Fraction) -> str:
    """Return the exact rate, and the decimal that people know it by."""
    return str(fps) if fps.denominator == 1 else f"{float(fps):.6g} ({fps})"


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
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        shown = {name: item for name, item in value.items() if item not in ([], None, "")}
        # A list within is one of single words: what was guessed of the colours.
        words = {name: " ".join(item) if isinstance(item, list) else _format(item) for name, item in shown.items()}
        return ", ".join(f"{name} {item}" for name, item in words.items())
    if isinstance(value, list):
        return "\n".join(_format(item) for item in value) or "none"
    return str(value)
