"""The file of a share of an export that several machines make: its packets, and what the export is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from videoinr.exporting.packet_file import PacketFile, joined
from videoinr.exporting.parts import Share
from videoinr.writing.partial_file import PartialFile

VERSION = 1
"""Of the form of these files."""


def share_path(out: Path, share: Share) -> Path:
    """Return the path of a share of ``out``: out.mp4.2of4."""
    return out.with_name(f"{out.name}.{share.number}of{share.count}")


def write_share(file: PartialFile, facts: dict[str, Any], share: Share, files: Sequence[PacketFile]) -> None:
    """Write the packets of ``files`` to ``file``, with what joins them with those of the other shares.

    Raises:
        OSError: the file cannot be written.
        ExportError: a part is damaged.
    """
    cuts = sorted({cut for each in files for cut in (each.notes or {}).get("cuts", [])})
    extradata = files[0].header.get("extradata", "") if files else ""
    header = {"share": VERSION, "number": share.number, "count": share.count, "extradata": extradata, "facts": facts}
    for data in joined(files, header, {"cuts": cuts}):
        file.write(data)
