"""The journal of an export: a folder OUT.*.part with a description and the parts, or the pictures, that are done.

A process that is killed leaves the folder. An export of the same job goes on with it.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from videoinr.errors import ExportError
from videoinr.exporting.packet_file import PacketFile, PacketWriter
from videoinr.exporting.parts import PLAN_FACTS, plan_from_facts
from videoinr.exporting.picture_names import patterns_of_folder
from videoinr.writing.claims import claim, left_over, newest_first
from videoinr.writing.partial_file import write_all
from videoinr.writing.partial_folder import PartialFolder

VERSION = 1
FACTS_NAME = "export.json"
_MOST_BYTES = 1 << 20

Facts = dict[str, Any]
"""What an export is, as JSON stores it: two exports with equal facts have equal parts."""


class NothingToResumeError(ExportError):
    """No killed export has left a journal, or only exports with other facts."""


def begun_folder(target: Path, facts: Facts) -> PartialFolder:
    """Make the folder of a new export. Raises ExportError if another process exports to ``target``, or OSError."""
    folder = claim(target, PartialFolder)
    try:
        _write_durably(folder.path / FACTS_NAME, _text(facts))
    except BaseException:
        folder.discard()
        raise
    return folder


def resumed_folder(out: Path, target: Path, facts: Facts, *, any_parts: bool = False) -> PartialFolder:
    """Take over the folder that a killed export of the same ``facts`` to ``out`` has left.

    Args:
        out: the output.
        target: what stands for it in the folder's name.
        facts: what the export is.
        any_parts: whether the facts may name another plan of its parts, as those of an earlier version do.

    Raises:
        ExportError: there is none, or only of other exports; or another process exports to ``target``.
        OSError: it cannot be read.
    """
    found = resumable(out)
    same = next((path for path in found if _is_same(_read(path / FACTS_NAME), facts, any_parts=any_parts)), None)
    if same is None:
        raise _nothing_to_resume(out, found, facts)
    return claim(target, lambda _: PartialFolder(target, left_over=same))


def resumable(out: Path) -> list[Path]:
    """Return the folders that killed exports to ``out``, a video or pictures, have left; the newest first."""
    patterns = [out] if "%" in out.name else patterns_of_folder(out)
    targets = [each for each in {out, *patterns, patterns[0].parent} if each.parent.is_dir()]
    return newest_first(path for target in targets for path in left_over(target) if (path / FACTS_NAME).is_file())


class Journal:
    """The folder of an export to ``out``; made by :meth:`begun` or :meth:`resumed`.

    Attributes:
        folder: the folder.
        plan: the parts of the export; None if ``facts`` name none.
        whole: the files of the parts that are done, by their number.
    """

    def __init__(self, folder: PartialFolder, facts: Facts) -> None:
        self.folder, self.plan = folder, plan_from_facts(facts)
        self.whole: dict[int, PacketFile] = {}

    @classmethod
    def begun(cls, out: Path, facts: Facts) -> Journal:
        """Make the journal of a new export. Raises ExportError if another process exports to ``out``, or OSError."""
        return cls(begun_folder(out, facts), facts)

    @classmethod
    def resumed(cls, out: Path, facts: Facts, *, any_parts: bool = False) -> Journal:
        """Go on with the journal that a killed export of the same ``facts`` has left.

        ``any_parts``: whether its parts may follow another plan, as those of an earlier version do; :attr:`plan` is
        then that one.

        Raises:
            ExportError: there is none, or only of other exports; or another process exports to ``out``.
            OSError: it cannot be read.
        """
        folder = resumed_folder(out, out, facts, any_parts=any_parts)
        journal = cls(folder, _read(folder.path / FACTS_NAME) or facts)
        journal._find_parts()
        return journal

    def _find_parts(self) -> None:
        for path in self.folder.path.iterdir():
            if path.suffix == ".packets" and path.stem.isdecimal():
                with contextlib.suppress(ExportError):
                    file = PacketFile(path)
                    file.check()
                    if file.notes is not None and self._is_planned(int(path.stem), file):
                        self.whole[int(path.stem)] = file
                        continue
            if path.name != FACTS_NAME:
                path.unlink(missing_ok=True)

    def _is_planned(self, part: int, file: PacketFile) -> bool:
        """Return whether ``file`` has the frames of ``part``."""
        if self.plan is None:
            return True
        shown = sorted(packet.pts for packet in file.packets)
        return part < self.plan.count and shown == list(self.plan.frames(part))

    def writer(self, part: int, header: dict[str, Any]) -> PacketWriter:
        """Return a new file for the packets of ``part``, which is not done yet."""
        return PacketWriter(self.folder.path / f"{part:06}.open", header)

    def path(self, part: int) -> Path:
        """Return the name of the file of ``part`` once it is done."""
        return self.folder.path / f"{part:06}.packets"

    def note_done(self, part: int) -> None:
        """Note that ``part`` is done: its file has its name."""
        self.whole[part] = PacketFile(self.path(part))

    def leave(self) -> None:
        """Leave the folder for a later :meth:`resumed`."""
        self.folder.leave()

    def discard(self) -> None:
        """Remove the folder. Never raises."""
        self.folder.discard()


def _nothing_to_resume(out: Path, found: list[Path], facts: Facts) -> NothingToResumeError:
    if not found:
        return NothingToResumeError(f"No unfinished export to {out} is left.", hint="Leave --resume out to start one.")
    left = _read(found[0] / FACTS_NAME) or {}
    stored = _as_stored(facts)
    other = [name for name in stored if left.get(name) != stored[name]]
    return NothingToResumeError(
        f"The unfinished export {found[0]} is another one: it differs in {', '.join(other) or 'its form'}.",
        hint="Give the options of the first start, or leave --resume out to start anew.",
    )


def _is_same(left: Facts | None, facts: Facts, *, any_parts: bool) -> bool:
    """Return whether a journal with the facts ``left`` is one of the export ``facts``."""
    stored = _as_stored(facts)
    if left is None or left == stored or not any_parts:
        return left == stored
    return plan_from_facts(left) is not None and _without_plan(left) == _without_plan(stored)


def _without_plan(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if name not in PLAN_FACTS}


def _text(facts: Facts) -> bytes:
    return json.dumps({"journal": VERSION, **facts}, indent=1).encode()


def _as_stored(facts: Facts) -> Facts:
    stored: Facts = json.loads(_text(facts))
    return stored


def _read(path: Path) -> Facts | None:
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
