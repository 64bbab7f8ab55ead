"""``videoinr evaluate``: measures PSNR and SSIM of models and baselines on clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from videoinr.commands.options import DeviceOption
from videoinr.commands.screen import say, show_json, show_table
from videoinr.errors import ClipError, UsageError
from videoinr.evaluation.folders import checked_folder
from videoinr.evaluation.names import baselines_named
from videoinr.model.names import DEFAULT_MODEL, check_device_name, check_model_name
from videoinr.text import parsing
from videoinr.text.phrases import format_count
from videoinr.writing.words import check_folder

if TYPE_CHECKING:
    import torch

    from videoinr.evaluation.footage import Footage
    from videoinr.evaluation.protocols import Protocol
    from videoinr.evaluation.report import Table
    from videoinr.evaluation.seams import SeamReport

MAX_SCALE = 1000
_Number = TypeVar("_Number", int, float)


class Standard(StrEnum):
    """The names of the protocols that evaluation/protocols.py defines."""

    CLIPS = "clips"
    NATIVE = "native"
    VID4 = "vid4"
    GOPRO = "gopro"
    ADOBE = "adobe"


class ChannelName(StrEnum):
    """The channels that PSNR and SSIM compare."""

    Y = "y"
    RGB = "rgb"


class ScoringName(StrEnum):
    """What PSNR and SSIM are measured on."""

    FLOAT = "float"
    EIGHT_BIT = "8bit"


class CenterName(StrEnum):
    """Whose definition of center is used."""

    V3 = "v3"
    BF_STVSR = "bf-stvsr"


class Neighbours(StrEnum):
    """Whether models that can read the frames beside a pair get them."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class _Variants:
    """What a protocol fixes besides its set and scales."""

    channel: ChannelName
    flicker: bool
    lpips: bool
    scoring: ScoringName
    center: CenterName
    coding: str | None


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """The clips, the protocols, the device, and the form of the output."""

    data: Path
    footage: list[Footage]
    protocols: list[Protocol]
    notes: list[str]
    device: torch.device
    form: Literal["json", "markdown", "table"]
    neighbours: bool


def evaluate(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Clips: DIR/CLIP/*.png, or video files.")],
    models: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME|PATH", help="A model. Repeatable. Default: lite.")
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option("--baseline", metavar="NAME", help="A baseline, or all. Repeatable. Default: bicubic-blend."),
    ] = None,
    scales: Annotated[
        list[str] | None, typer.Option("--scale", metavar="F[,F...]", help="Space scales. Default: the protocol's.")
    ] = None,
    time_scales: Annotated[
        list[str] | None,
        typer.Option("--time-scale", metavar="N[,N...]", help="Time scales T. Default: the protocol's."),
    ] = None,
    protocol: Annotated[
        Standard,
        typer.Option("--protocol", help="Any clips shrunk (clips) or at their own size (native), or a standard set."),
    ] = Standard.CLIPS,
    channel: Annotated[ChannelName, typer.Option("--channel", help="Compare luma, or all colours.")] = ChannelName.Y,
    scoring: Annotated[
        ScoringName, typer.Option("--scoring", help="Score the float prediction, or round to 8 bits first.")
    ] = ScoringName.FLOAT,
    center: Annotated[
        CenterName, typer.Option("--center", help="Center is k = 0 and T/2 (v3), or T/2 alone (bf-stvsr).")
    ] = CenterName.V3,
    coding: Annotated[
        str | None,
        typer.Option("--coding", metavar="CODEC:CRF", help="Code the shrunken clips first: h264:28, h265:30, vp9:40."),
    ] = None,
    neighbours: Annotated[
        Neighbours,
        typer.Option("--neighbours", help="Models that use the frames beside a pair get them (on), or not (off)."),
    ] = Neighbours.ON,
    flicker: Annotated[bool, typer.Option("--flicker", help="Measure tOF too, the error of the motion.")] = False,
    lpips: Annotated[
        bool, typer.Option("--lpips", help="Measure LPIPS too, by the package lpips, which is to be installed.")
    ] = False,
    seams: Annotated[bool, typer.Option("--seams", help="Measure the seams between pairs instead.")] = False,
    pictures: Annotated[
        Path | None, typer.Option("--save-pictures", metavar="DIR", help="Save every output as a PNG.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="FILE", help="Keep each clip's result in FILE; goes on from what it holds."),
    ] = None,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures of every clip as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the means as a Markdown table.")] = False,
) -> None:
    """Degrade clips, restore them in space and time, and print PSNR and SSIM of models and baselines.

    The mean motion of each clip stands beside its figures. Several scales give a table of all their combinations.
    The protocol native leaves frames at their own size (x1) and at half of it (x2), and compares with minterpolate,
    too. A baseline that cannot run is listed with the reason. Models that bend paths read up to four frames, as in the
    program; figures that compare with published ones of two frames need --neighbours off.
    """
    if as_json and as_markdown:
        raise typer.BadParameter("Give only one of --json and --markdown.")
    checked_folder(data)
    check_device_name(device)
    for name in models or ():
        check_model_name(name)
    baselines_named(baselines or ())
    if journal is not None:
        check_folder(journal.parent)
    from videoinr.evaluation.footage import find_footage

    footage = find_footage(data)
    # Not before: it imports torch, which takes seconds.
    from videoinr.devices import pick_device

    variants = _Variants(channel, flicker, lpips, scoring, center, coding)
    protocols = _protocols(protocol, variants, scales, time_scales)
    where = pick_device(device)
    form: Literal["json", "markdown", "table"] = "json" if as_json else "markdown" if as_markdown else "table"
    notes = _notes(footage, protocols[0], where)
    evaluation = _Evaluation(data, footage, protocols, notes, where, form, neighbours is Neighbours.ON)
    names = models or [DEFAULT_MODEL]
    if seams:
        given = {"--journal": journal, "--baseline": baselines, "--save-pictures": pictures, "--flicker": flicker,
                 "--lpips": lpips, "--neighbours": neighbours is Neighbours.OFF}  # fmt: skip
        if unused := next((name for name, value in given.items() if value), None):
            raise typer.BadParameter(f"{unused} does not count with --seams.", param_hint=unused)
        _evaluate_seams(evaluation, names)
    else:
        wanted = list(protocols[0].standard.baselines) if baselines is None else baselines
        _evaluate_methods(evaluation, names, wanted, pictures, journal)


def _protocols(
    name: Standard, variants: _Variants, scales: list[str] | None, time_scales: list[str] | None
) -> list[Protocol]:
    from videoinr.evaluation.coded import coded_inputs
    from videoinr.evaluation.protocols import STANDARD_SETS, Protocol

    standard = next(each for each in STANDARD_SETS if each.name == name.value)
    spaces = _numbers(scales, float, "--scale") or list(standard.space_scales)
    times = _numbers(time_scales, int, "--time-scale") or list(standard.time_scales)
    coding = None if variants.coding is None else coded_inputs(variants.coding)
    return [
        Protocol(
            space, time, variants.channel.value, variants.flicker, standard,
            scoring=variants.scoring.value, center=variants.center.value, coding=coding, lpips=variants.lpips,
        )
        for time in times
        for space in spaces
    ]  # fmt: skip


def _numbers(texts: list[str] | None, kind: Callable[[Fraction], _Number], option: str) -> list[_Number]:
    """Numbers of an option that may be repeated and may hold commas; in order, without repeats."""
    words = [word.strip() for text in texts or [] for word in text.split(",")]
    return list(dict.fromkeys(_scale(word, kind, option) for word in words))


def _scale(word: str, kind: Callable[[Fraction], _Number], option: str) -> _Number:
    try:
        value = parsing.number(word)
    except UsageError:
        value = Fraction(0)
    is_whole = kind is int
    if not 1 <= value <= MAX_SCALE or (is_whole and value.denominator != 1):
        kinds = "whole numbers" if is_whole else "numbers"
        raise typer.BadParameter(f"'{word}' is not a scale: {kinds} from 1 to {MAX_SCALE}.", param_hint=option)
    return kind(value)


def _notes(footage: Sequence[Footage], protocol: Protocol, device: torch.device) -> list[str]:
    """Remarks on the clips: how many, and how they differ from the standard set."""
    found = {}
    for clip in footage:
        # A clip that cannot be read is named at the end, with the reason.
        with suppress(ClipError), clip.open(device) as frames:
            found[clip.name] = len(frames)
    return protocol.standard.remarks(found) or [
        f"{format_count(len(found), 'clip')} of {format_count(sum(found.values()), 'frame')}."
    ]


def _evaluate_methods(
    evaluation: _Evaluation,
    models: list[str],
    baselines: list[str],
    pictures: Path | None,
    journal_path: Path | None,
) -> None:
    from videoinr.evaluation.journal import open_journal
    from videoinr.evaluation.methods import open_methods
    from videoinr.evaluation.motion import MOTION_WORDS
    from videoinr.evaluation.report import clips_table, methods_table, runs_to_dict, scales_table
    from videoinr.evaluation.run import PictureFolder, run_protocols

    method_set = open_methods(
        models=models, baselines=baselines, device=evaluation.device, notice=say, neighbours=evaluation.neighbours
    )
    keep = PictureFolder(pictures) if pictures else None
    journal = None if journal_path is None else open_journal(journal_path, method_set, str(evaluation.device))
    if journal is not None:
        say(f"{format_count(journal.found, 'result')} found in {journal_path}; each new one is added to it.")
    runs = run_protocols(
        evaluation.footage, evaluation.protocols, method_set, evaluation.device, say=say, pictures=keep, journal=journal
    )
    if evaluation.form == "json":
        show_json({"data": evaluation.data, "notes": evaluation.notes, **runs_to_dict(runs, method_set)})
        return
    shown = [run for run in runs if run.scores]
    first, are_several = evaluation.protocols[0], len(evaluation.protocols) > 1
    # The table of the scales has no column for what was asked for beside PSNR and SSIM.
    is_each_shown = not are_several or first.flicker or first.lpips or first.center != "v3"
    tables = [clips_table(run, method_set) for run in shown]
    tables += [methods_table(run, method_set) for run in shown if is_each_shown]
    tables += [scales_table(shown, method_set)] if are_several else []
    _show(tables, evaluation, method_set.reads)
    typer.echo(f"Motion: {MOTION_WORDS}.")
    for clip, count in {clip: count for run in runs for clip, count in run.uneven.items()}.items():
        typer.echo(
            f"Uneven: {clip}: {format_count(count, 'frame')} not evenly spaced in time, but scored as if they were."
        )
    _show_absent(method_set.absent, [run.left_out for run in runs])


def _evaluate_seams(evaluation: _Evaluation, models: list[str]) -> None:
    from videoinr.evaluation.methods import open_methods
    from videoinr.evaluation.report import seams_table, seams_to_dict
    from videoinr.evaluation.run import no_clips
    from videoinr.evaluation.seams import SEAM_WORDS, measure_seams

    method_set = open_methods(models=models, baselines=[], device=evaluation.device, notice=say)
    reports = [
        measure_seams(evaluation.footage, protocol, method.name, method.restore, evaluation.device, say=say)
        for protocol in evaluation.protocols
        for method in method_set.methods
    ]
    if not any(report.ends for report in reports):
        raise no_clips([report.left_out for report in reports])
    if evaluation.form == "json":
        show_json({"data": evaluation.data, "measure": SEAM_WORDS, "seams": [seams_to_dict(each) for each in reports]})
        return
    _show([seams_table(report) for report in reports if report.ends], evaluation)
    typer.echo(f"Seams: {SEAM_WORDS}.")
    _show_ends_below(reports)
    _show_absent({}, [report.left_out for report in reports])


def _show(tables: Iterable[Table], evaluation: _Evaluation, reads: str = "") -> None:
    for table in tables:
        if evaluation.form == "markdown":
            typer.echo(table.to_markdown() + "\n")
        else:
            show_table(table.title, table.header, table.plain_rows())
    if len(evaluation.protocols) == 1:
        typer.echo(f"Protocol: {evaluation.protocols[0]}{reads}.")
    else:
        first = evaluation.protocols[0]
        spaces = ", ".join(dict.fromkeys(f"x{each.space_scale:g}" for each in evaluation.protocols))
        times = ", ".join(dict.fromkeys(f"x{each.time_scale}" for each in evaluation.protocols))
        typer.echo(f"Protocol: {first.standard.name}, space {spaces}, time {times} (T): {first.rules}{reads}.")
    typer.echo("Data: " + " ".join(evaluation.notes))


def _show_absent(absent: dict[str, str], left_out: Iterable[dict[str, str]]) -> None:
    for name, reason in absent.items():
        typer.echo(f"Not run: {name}: {reason}")
    # A clip that is too short for a time scale is so at every space scale: print it once.
    for line in dict.fromkeys(f"{clip}: {reason}" for clips in left_out for clip, reason in clips.items()):
        typer.echo(f"Left out: {line}.")


def _show_ends_below(reports: Sequence[SeamReport]) -> None:
    for report in reports:
        for end in report.below:
            where = f"{report.method}, {report.protocol.setting}, {end.clip}, frame {end.frame} at t = {end.phase}"
            typer.echo(f"Below bicubic: {where}: {end.psnr_db:.2f} against {end.bicubic_db:.2f} dB.")
