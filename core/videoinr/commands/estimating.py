"""``videoinr export --estimate``: prints what an export will take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from videoinr.commands.events import print_event
from videoinr.commands.screen import say, show_table
from videoinr.text.phrases import format_bytes, format_count, format_secs

if TYPE_CHECKING:
    from videoinr.cancel import CancelToken
    from videoinr.exporting.estimate import Estimate


def show_estimate(clip: Path, out: Path, options: dict[str, Any], token: CancelToken, *, as_json: bool) -> None:
    """Measure a sample, and print the estimate: as a table, or as a JSON line.

    ``options``: the other arguments of :func:`videoinr.export` and of :func:`videoinr.open`.
    """
    from videoinr import api

    reading = {name: options[name] for name in options.keys() & api.OpenArguments.__annotations__.keys()}
    others = {name: value for name, value in options.items() if name not in reading}
    found = api.estimate(
        clip, out, notice=lambda sentence: say(f"note: {sentence}"), cancel=token,
        opening=reading, **others,  # type: ignore[arg-type]
    )  # fmt: skip
    if as_json:
        print_event("estimated", **found.to_dict())
    else:
        show_table("", (), _rows(found))


def _rows(found: Estimate) -> list[tuple[str, str]]:
    secs, size = found.secs, found.size_bytes
    rows = [
        ("frames", str(found.frames)),
        ("time", f"about {format_secs(secs.likely)} ({format_secs(secs.least)} to {format_secs(secs.most)})"),
        ("size", f"about {format_bytes(size.likely)} ({format_bytes(size.least)} to {format_bytes(size.most)})"),
    ]
    if found.memory_bytes is not None:
        rows.append(("memory", f"about {format_bytes(found.memory_bytes)}"))
    if found.device_bytes:
        rows.append(("memory of the GPU", f"about {format_bytes(found.device_bytes)}"))
    return [*rows, ("measured on", f"{format_count(found.sampled, 'frame')} in {format_secs(found.sample_secs)}")]
