"""The journal of an evaluation: each clip's scores on disk as soon as they are known, so that a stopped run goes on.

The file has one JSON object a line. The first line tells what is compared; each other line holds the scores of one clip
under one protocol, or a baseline that failed. A run that was killed in the middle of a line loses only that line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from videoinr.errors import InputError, UsageError
from videoinr.evaluation.clips import FrameScore
from videoinr.evaluation.methods import MethodSet
from videoinr.evaluation.motion import Motion
from videoinr.evaluation.protocols import Protocol
from videoinr.text.schemas import Strict, validated
from videoinr.writing.whole_files import write_file
from videoinr.writing.words import write_errors

FORMAT = "videoinr evaluate 1"
MOST_BYTES = 1 << 30

_Text = Annotated[str, Field(max_length=1 << 16)]
_Count = Annotated[int, Field(ge=0, le=1 << 40)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Size = Annotated[float, Field(ge=0, le=1e9)]


class _HeadSchema(Strict):
    format: Annotated[str, Field(pattern=f"^{FORMAT}$")]
    methods: dict[_Text, _Text]
    device: _Text


class _MotionSchema(Strict):
    px: _Size | None
    share: _Size | None
    agreeing: _Share
    steps: _Count


class _ScoreSchema(Strict):
    method: _Text
    frame: _Count
    number: _Count
    psnr_db: Annotated[float, Field(ge=-1e3, le=1e3)] | None
    ssim: Annotated[float, Field(ge=-1.001, le=1.001)]
    flow_error_px: _Size | None
    secs: _Size
    lpips: _Size | None = None


class _ClipSchema(Strict):
    protocol: _Text
    identity: _Text
    clip: _Text
    motion: _MotionSchema
    scores: list[_ScoreSchema]


class _FailureSchema(Strict):
    failed: _Text
    reason: _Text


@dataclass(frozen=True, eq=False)
class ClipResult:
    """The scores of one clip under one protocol, and its mean motion."""

    scores: list[FrameScore]
    motion: Motion


class Journal:
    """Remembers results in the file ``path``; made by :func:`open_journal`."""

    def __init__(self, path: Path, entries: dict[tuple[str, str, str], _ClipSchema]) -> None:
        self._path, self._entries = path, entries

    @property
    def found(self) -> int:
        """The number of results that were in the file when it was opened."""
        return len(self._entries)

    def find(self, protocol: Protocol, name: str, identity: str) -> ClipResult | None:
        """Return the result of a clip that was in the file when it was opened, or None."""
        entry = self._entries.get((str(protocol), _escaped(name), _escaped(identity)))
        return None if entry is None else _result(entry, name)

    def add(self, protocol: Protocol, name: str, identity: str, result: ClipResult) -> None:
        """Append the result of a clip. Raises ExportError if the file cannot be written."""
        scores = [
            {
                "method": each.method, "frame": each.frame, "number": each.number, "psnr_db": _plain(each.psnr_db),
                "ssim": each.ssim, "flow_error_px": each.flow_error_px, "secs": each.secs,
                "lpips": each.lpips,
            }
            for each in result.scores
        ]  # fmt: skip
        motion = result.motion
        values = {"px": motion.px, "share": motion.share, "agreeing": motion.agreeing}
        plain: dict[str, Any] = {key: _plain(value) for key, value in values.items()}
        head = {"protocol": str(protocol), "identity": _escaped(identity), "clip": _escaped(name)}
        self._append({**head, "motion": {**plain, "steps": motion.steps}, "scores": scores})

    def fail(self, method: str, reason: str) -> None:
        """Note that a baseline failed, so that a resumed run leaves it out, too."""
        self._append({"failed": method, "reason": _escaped(reason)})

    def _append(self, line: Mapping[str, Any]) -> None:
        with write_errors(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(_text(line))


def open_journal(path: Path, method_set: MethodSet, device: str) -> Journal:
    """Open the journal ``path``, or start one.

    Args:
        path: The file. Its folder must exist.
        method_set: The methods to compare. Baselines that failed before are dropped from it.
        device: The device in words; figures of another device are not taken over.

    Raises:
        UsageError: The file is the journal of other methods, weights or another device.
        InputError: The file is no journal, or is damaged.
        ExportError: The file cannot be written.
    """
    methods = {method.name: method.fingerprint for method in method_set.methods}
    head = {"format": FORMAT, "methods": methods, "device": device}
    lines = _whole_lines(path)
    if not lines:
        write_file(path, _text(head), replace=path.exists())
        return Journal(path, {})
    try:
        found = validated(_HeadSchema, lines[0])
        entries = [_entry(line) for line in lines[1:]]
    except ValueError as error:
        raise InputError(f"{path} cannot be resumed: {error}.", hint="Give another file, or remove this one.") from None
    if found.model_dump() != head:
        raise UsageError(
            f"{path} belongs to another evaluation: {_difference(found, methods, device)}.",
            hint="Give the same models, baselines and device, another file, or remove this one.",
        )
    for entry in entries:
        if isinstance(entry, _FailureSchema):
            method_set.drop(entry.failed, entry.reason)
    write_file(path, "".join(map(_text, lines)), replace=True)  # Without the line that a kill cut off.
    return Journal(path, {(e.protocol, e.clip, e.identity): e for e in entries if isinstance(e, _ClipSchema)})


def _whole_lines(path: Path) -> list[Any]:
    """Return the objects of the file's complete lines. Raises InputError."""
    if not path.exists():
        return []
    hint = "Give another file, or remove this one."
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} is no journal of an evaluation.", hint=hint)
        *texts, rest = path.read_bytes().decode().split("\n")
        if rest and not texts:  # The first line is written whole: no kill leaves a part of it.
            raise ValueError
        return [json.loads(text) for text in texts]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the file.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no journal of an evaluation, or is damaged.", hint=hint) from error


def _entry(line: Any) -> _ClipSchema | _FailureSchema:
    is_failure = isinstance(line, dict) and "failed" in line
    return validated(_FailureSchema, line) if is_failure else validated(_ClipSchema, line)


def _result(entry: _ClipSchema, name: str) -> ClipResult:
    motion = entry.motion
    px, share = (math.nan if value is None else value for value in (motion.px, motion.share))
    scores = [
        FrameScore(
            name, each.method, each.frame, each.number, math.inf if each.psnr_db is None else each.psnr_db,
            each.ssim, each.flow_error_px, each.secs, each.lpips,
        )
        for each in entry.scores
    ]  # fmt: skip
    return ClipResult(scores, Motion(px, share, motion.agreeing, motion.steps))


def _difference(found: _HeadSchema, methods: Mapping[str, str], device: str) -> str:
    if found.methods != methods:
        names = [", ".join(sorted(each)) for each in (found.methods, methods)]
        if names[0] != names[1]:
            return f"of {names[0]}, not of {names[1]}"
        weights = [{name: text.partition(" ")[0] for name, text in each.items()} for each in (found.methods, methods)]
        return "of other weights" if weights[0] != weights[1] else "with another choice of neighbours"
    return f"on {found.device}, not on {device}"


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, allow_nan=False) + "\n"


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _escaped(text: str) -> str:
    """Return ``text`` with what UTF-8 cannot hold written out: names of files may be any bytes."""
    return text.encode("utf-8", "backslashreplace").decode()[: 1 << 16]
