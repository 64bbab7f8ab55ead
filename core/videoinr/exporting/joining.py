"""Joins the shares of an export that several machines made, without coding anything anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import ExportError, InputError, UsageError
from videoinr.exporting.codecs import CODECS, CONTAINERS, Effort, codec_named
from videoinr.exporting.coding import Coding
from videoinr.exporting.companions import Companions, plan_companions, read_streams_of, without_time
from videoinr.exporting.mastering import Mastering
from videoinr.exporting.packet_file import PacketFile
from videoinr.exporting.share_clip import clip_of, differences
from videoinr.exporting.share_file import VERSION
from videoinr.exporting.sound.choice import SoundName, Stretch, sound_named
from videoinr.exporting.start_timecode import OutputTimecode
from videoinr.exporting.tags import StreamTags
from videoinr.exporting.target import NameTakenError, check_file, write_errors
from videoinr.exporting.video_file import assemble, verify_output
from videoinr.exporting.video_mux import CompanionError, VideoParts
from videoinr.text.schemas import Line, Name, Strict, validated
from videoinr.types import ExportReport
from videoinr.writing.claims import claim
from videoinr.writing.names import free_name
from videoinr.writing.partial_file import PartialFile

_Count = Annotated[int, Field(ge=1, le=10**9)]
_Side = Annotated[int, Field(ge=1, le=1 << 16)]
_Code = Annotated[int, Field(ge=0, le=255)]


class _CodingValues(Strict):
    encoder: Name
    ending: Name
    size: Annotated[list[_Side], Field(min_length=2, max_length=2)]
    fps: Name
    crf: Annotated[int, Field(ge=0, le=255)] | None
    tags: Annotated[list[_Code], Field(min_length=5, max_length=5)]
    aspect: Name
    deep: bool
    display: Annotated[list[Name], Field(max_length=10)]
    light: Annotated[list[Annotated[int, Field(ge=0, le=1 << 20)]], Field(max_length=2)]
    threads: _Count
    alpha: bool = False
    effort: Literal["fast", "medium", "slow"] = "medium"


class _Facts(Strict):
    """The part of the facts of an export that joining needs; see :mod:`videoinr.exporting.facts`."""

    model_config = ConfigDict(extra="ignore")

    clip: Line
    segment: Annotated[list[Name], Field(min_length=2, max_length=2)]
    speed: Name
    stream: Annotated[int, Field(ge=0, le=10**6)] | None
    sound: SoundName
    origin_secs: Name | None
    duration_secs: Name
    coding: _CodingValues
    frames: _Count
    part_frames: _Count
    retime: Annotated[str, Field(max_length=1 << 16)] = ""
    timecode: Annotated[str, Field(max_length=20, pattern="^[0-9:;]*$")] = ""


class _Header(Strict):
    model_config = ConfigDict(extra="ignore")

    share: int
    number: _Count
    count: _Count
    extradata: Annotated[str, Field(max_length=1 << 20)]
    facts: dict[str, Any]


def join_shares(
    out: Path,
    files: Sequence[Path] = (),
    *,
    clip: Path | None = None,
    overwrite: bool = False,
    notice: Callable[[str], None] = lambda _: None,
    token: CancelToken = NEVER,
) -> ExportReport:
    """Join the shares of an export into ``out``; the packets are copied.

    Sound and the other companions of the pictures are made from the clip. Without it they are left out.

    Args:
        out: the file. Its ending must be that of the export.
        files: the files of all shares, in any order; none stands for OUT.1ofN, OUT.2ofN ...
        clip: the clip, if it is not where one of the shares found it.
        overwrite: replace an existing file.
        notice: called with each sentence that a user should read.
        token: cancels the joining.

    Returns:
        The output, and what it lacks of the clip.

    Raises:
        InputError: a file is no share, is damaged, or a share is missing.
        UsageError: shares of different exports are given, or another clip, or the ending is another one.
        ExportError: the output exists, or cannot be written.
        Cancelled: ``token`` was cancelled.
    """
    shares = _shares(list(files) or found_shares(out))
    facts = _facts(shares[0].header["facts"])
    coding = _coding(facts.coding)
    if out.suffix.lower() != coding.ending:
        raise UsageError(
            f"The shares are those of a {coding.ending} file, not of {out.name}.", hint=f"End it in {coding.ending}."
        )
    source = clip_of((share.header["facts"] for share in shares), clip)
    check_file(out, source=source or Path(facts.clip), overwrite=overwrite)
    parts = VideoParts.complete(shares)
    if parts.frames != facts.frames:
        raise InputError(f"The shares hold {parts.frames} frames instead of {facts.frames}.", hint="Export them again.")
    companions = None if source is None else _companions(facts, coding, source)
    for sentence in companions.sentences if companions else ():
        notice(sentence)
    lost = () if source else ("sound, subtitles, chapters and tags, because the clip is not there",)
    if lost:
        notice(f"Left out: {lost[0]} ({facts.clip}). Put it there, or name it by --clip, and join again.")
    report = _write(out, coding, parts, companions, overwrite=overwrite, notice=notice, token=token)
    return replace(report, dropped=(*report.dropped, *lost))


def found_shares(out: Path) -> list[Path]:
    """Return the files of shares of ``out`` that lie beside it, whole or not."""
    start = f"{out.name}."
    return sorted(
        path for path in out.parent.iterdir()
        if path.name.startswith(start) and all(each.isdecimal() for each in path.name[len(start) :].split("of", 1))
        and "of" in path.name[len(start) :]
    ) if out.parent.is_dir() else []  # fmt: skip


def _shares(files: list[Path]) -> list[PacketFile]:
    """Return the shares in ``files``, in order; all of one export, and none missing."""
    if not files:
        raise InputError("There are no shares to join.", hint="Name their files, such as out.mp4.1of4.")
    shares = [_share(path) for path in files]
    headers = [_header(share) for share in shares]
    for file, header in zip(files, headers, strict=True):
        unlike = differences(header.facts, headers[0].facts)
        if unlike or header.count != headers[0].count:
            where = ", ".join(unlike) or "the number of shares"
            raise UsageError(
                f"{files[0]} and {file} are shares of different exports: they differ in {where}.",
                hint="Join them apart, or export one of them again.",
            )
    if any(header.extradata != headers[0].extradata for header in headers):
        raise UsageError("The shares were encoded by different encoders.", hint="Use one version on all machines.")
    by_number = {header.number: share for header, share in zip(headers, shares, strict=True)}
    missing = [number for number in range(1, headers[0].count + 1) if number not in by_number]
    if missing or len(by_number) != len(files):
        which = f"share {missing[0]}/{headers[0].count} is missing" if missing else "a share is named twice"
        raise InputError(f"The shares do not make a whole: {which}.", hint="Export it with --part, and join again.")
    return [by_number[number] for number in sorted(by_number)]


def _share(path: Path) -> PacketFile:
    try:
        file = PacketFile(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="Check its name.") from error
    except ExportError as error:
        raise InputError(str(error), hint=error.hint) from error
    if file.notes is None:
        raise InputError(f"{path} is not whole.", hint="Export that share again.")
    return file


def _header(share: PacketFile) -> _Header:
    try:
        header = validated(_Header, share.header)
    except ValueError as error:
        raise InputError(f"{share.path} is no share of an export: {error}.", hint="Export it with --part.") from None
    if header.share != VERSION:
        raise InputError(f"{share.path} was made by another version.", hint="Export that share again.")
    return header


def _facts(values: dict[str, Any]) -> _Facts:
    try:
        return validated(_Facts, values)
    except ValueError as error:
        raise InputError(f"The shares cannot be joined: {error}.", hint="Export them again.") from None


def _coding(values: _CodingValues) -> Coding:
    known = values.encoder in {codec.encoder for codec in CODECS}
    if not known or values.ending not in CONTAINERS:
        raise InputError(f"The codec {values.encoder} is unknown.", hint="Export the shares again.")
    return Coding(
        codec_named(values.encoder), values.ending, values.size[0], values.size[1], _number(values.fps), values.crf,
        StreamTags(*values.tags), _number(values.aspect), values.deep, _mastering(values), values.alpha,
        Effort(values.effort),
    )  # fmt: skip


def _mastering(values: _CodingValues) -> Mastering | None:
    if len(values.display) not in (0, 10) or len(values.light) not in (0, 2):
        raise InputError("The shares hold wrong mastering data.", hint="Export them again.")
    display, light = tuple(map(_number, values.display)), tuple(values.light)
    return Mastering(display, light) if display or light else None


_NUMBER = re.compile(r"-?\d{1,30}(/[1-9]\d{0,29})?", re.ASCII)


def _number(text: str) -> Fraction:
    # Fraction takes exponents too, and would compute a power of ten of any size.
    if not _NUMBER.fullmatch(text):
        raise InputError(f"The shares hold a wrong number, {text}.", hint="Export them again.")
    return Fraction(text)


def _companions(facts: _Facts, coding: Coding, clip: Path) -> Companions | None:
    choice = sound_named(facts.sound)
    source = read_streams_of(clip, None if facts.origin_secs is None else _number(facts.origin_secs))
    if source is None:
        return None
    if facts.retime:
        source = without_time(source)
    start, end = (_number(text) for text in facts.segment)
    half = 1 / (2 * coding.fps)
    is_whole = start == 0 and abs(_number(facts.duration_secs) - end) <= half
    stretch = Stretch(start, is_whole, _number(facts.speed))
    return plan_companions(
        source, choice, stretch,
        muxer=coding.muxer, video_encoder=coding.codec.encoder, timecode=OutputTimecode(facts.timecode),
    )  # fmt: skip


def _write(
    out: Path,
    coding: Coding,
    parts: VideoParts,
    companions: Companions | None,
    *,
    overwrite: bool,
    notice: Callable[[str], None],
    token: CancelToken,
) -> ExportReport:
    with write_errors(out):
        file = claim(out, PartialFile)
    lost: tuple[str, ...] = ()
    try:
        with write_errors(out):
            try:
                assemble(file, coding, parts, companions, token)
            except CompanionError as error:
                lost = (f"The sound and other streams were left out. {error}",)
                notice(lost[0])
                file.discard()
                file, companions = claim(out, PartialFile), None
                assemble(file, coding, parts, None, token)
            file.complete()
        verify_output(file.path, coding, parts.frames, companions, token)
        with write_errors(out):
            try:
                file.commit(out, replace=overwrite)
            except FileExistsError as error:
                kept = file.commit(free_name(out), replace=False)
                raise NameTakenError(out, kept, parts.frames) from error
    except BaseException:
        file.discard()
        raise
    sound = companions.sound_in_words if companions else ""
    return ExportReport(out, parts.frames, sound, (*(companions.dropped if companions else ()), *lost))
