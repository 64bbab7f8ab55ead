"""``videoinr evaluate``: how close to the truth a model comes, against what a user would use instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from videoinr.commands.options import DeviceOption
from videoinr.commands.screen import say, show_json, show_table

if TYPE_CHECKING:
    import torch

    from videoinr.evaluation.footage import Footage
    from videoinr.evaluation.protocols import Protocol
    from videoinr.evaluation.report import Table
    from videoinr.evaluation.seams import SeamReport

BASELINE = "bicubic-blend"
MAX_SCALE = 1000
_Number = TypeVar("_Number", int, float)


class Standard(StrEnum):
    """The protocols by name; protocols.py says what they are."""

    CLIPS = "clips"
    VID4 = "vid4"
    GOPRO = "gopro"
    ADOBE = "adobe"


class ChannelName(StrEnum):
    """What PSNR and SSIM compare."""

    Y = "y"
    RGB = "rgb"


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked: clips, protocols, where to compute, and how to print."""

    data: Path
    footage: list[Footage]
    protocols: list[Protocol]
    notes: list[str]
    device: torch.device
    form: Literal["json", "markdown", "table"]


def evaluate(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Clips: DIR/CLIP/*.png, or video files.")],
    models: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME|PATH", help="A model; may be given several times.")
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option("--baseline", metavar="NAME", help=f"Instead of {BASELINE}: other methods, or all. Repeatable."),
    ] = None,
    scales: Annotated[
        list[str] | None, typer.Option("--scale", metavar="F[,F...]", help="Space scales; 4 by default.")
    ] = None,
    time_scales: Annotated[
        list[str] | None, typer.Option("--time-scale", metavar="N[,N...]", help="Time scales T; the protocol's own.")
    ] = None,
    protocol: Annotated[Standard, typer.Option("--protocol", help="A standard set's protocol, or any clips.")] = (
        Standard.CLIPS
    ),
    channel: Annotated[ChannelName, typer.Option("--channel", help="Luma, or the mean over colours.")] = ChannelName.Y,
    flicker: Annotated[bool, typer.Option("--flicker", help="Measure tOF too, the error of the motion.")] = False,
    seams: Annotated[bool, typer.Option("--seams", help="Measure the borders between pairs instead.")] = False,
    pictures: Annotated[
        Path | None, typer.Option("--save-pictures", metavar="DIR", help="Keep every output as a PNG.")
    ] = None,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every clip's figures as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The means as a GitHub table.")] = False,
) -> None:
    """Degrade clips, restore them in space and time, and print PSNR and SSIM with the protocol, beside baselines.

    Several scales give a table of all their combinations. Baselines that cannot run here are named with the reason.
    """
    from videoinr.devices import pick_device
    from videoinr.evaluation.footage import find_footage
    from videoinr.model.weights import DEFAULT_MODEL

    if as_json and as_markdown:
        raise typer.BadParameter("Choose one of --json and --markdown.")
    protocols = _protocols(protocol, channel, flicker, scales, time_scales)
    footage, where = find_footage(data), pick_device(device)
    form: Literal["json", "markdown", "table"] = "json" if as_json else "markdown" if as_markdown else "table"
    notes = _notes(footage, protocols[0], where)
    question = _Question(data, footage, protocols, notes, where, form)
    names = models or [DEFAULT_MODEL]
    if seams:
        _answer_seams(question, names)
    else:
        _answer(question, names, [BASELINE] if baselines is None else baselines, pictures)


def _protocols(
    name: Standard, channel: ChannelName, flicker: bool, scales: list[str] | None, time_scales: list[str] | None
) -> list[Protocol]:
    from videoinr.evaluation.protocols import STANDARD_SETS, Protocol

    standard = next(each for each in STANDARD_SETS if each.name == name.value)
    spaces = _numbers(scales, float, 1, "--scale") or [standard.space_scale]
    times = _numbers(time_scales, int, 1, "--time-scale") or [standard.time_scale]
    return [Protocol(space, time, channel.value, flicker, standard) for time in times for space in spaces]


def _numbers(texts: list[str] | None, kind: Callable[[str], _Number], least: int, option: str) -> list[_Number]:
    """Numbers from options given several times, each with commas or without; in order, each once."""
    words = [word.strip() for text in texts or [] for word in text.split(",")]
    numbers = []
    for word in words:
        try:
            value = kind(word)
        except ValueError:
            value = kind("0")
        if not (math.isfinite(value) and least <= value <= MAX_SCALE):
            kinds = "whole numbers" if kind is int else "numbers"
            raise typer.BadParameter(f"'{word}' is no scale: {kinds} from {least} to {MAX_SCALE}.", param_hint=option)
        numbers.append(value)
    return list(dict.fromkeys(numbers))


def _notes(footage: Sequence[Footage], protocol: Protocol, device: torch.device) -> list[str]:
    """What of a standard set is there."""
    found = {}
    for clip in footage:
        with clip.open(device) as frames:
            found[clip.name] = len(frames)
    return protocol.standard.remarks(found) or [f"{len(found)} clips of {sum(found.values())} frames."]


def _answer(question: _Question, models: list[str], baselines: list[str], pictures: Path | None) -> None:
    from videoinr.evaluation.methods import open_methods
    from videoinr.evaluation.report import clips_table, methods_table, runs_to_dict, scales_table
    from videoinr.evaluation.run import PictureFolder, run_protocols

    method_set = open_methods(models=models, baselines=baselines, device=question.device)
    keep = PictureFolder(pictures) if pictures else None
    runs = run_protocols(question.footage, question.protocols, method_set, question.device, say=say, pictures=keep)
    if question.form == "json":
        show_json({"data": question.data, "notes": question.notes, **runs_to_dict(runs, method_set)})
        return
    shown = [run for run in runs if run.scores]
    if len(question.protocols) > 1:
        _show([scales_table(shown, method_set)], question)
    elif question.form == "markdown":
        _show([methods_table(shown[0], method_set)], question)
    else:
        _show([clips_table(shown[0], method_set), methods_table(shown[0], method_set)], question)
    _show_absent(method_set.absent, [run.left_out for run in runs])


def _answer_seams(question: _Question, models: list[str]) -> None:
    from videoinr.evaluation.methods import open_methods
    from videoinr.evaluation.report import seams_table, seams_to_dict
    from videoinr.evaluation.run import no_clips
    from videoinr.evaluation.seams import SEAM_WORDS, measure_seams

    method_set = open_methods(models=models, baselines=[], device=question.device)
    reports = [
        measure_seams(question.footage, protocol, method.name, method.restore, question.device, say=say)
        for protocol in question.protocols
        for method in method_set.methods
    ]
    if not any(report.ends for report in reports):
        raise no_clips([report.left_out for report in reports])
    if question.form == "json":
        show_json({"data": question.data, "measure": SEAM_WORDS, "seams": [seams_to_dict(each) for each in reports]})
        return
    _show([seams_table(report) for report in reports if report.ends], question)
    typer.echo(f"Seams: {SEAM_WORDS}.")
    _show_ends_below(reports)
    _show_absent({}, [report.left_out for report in reports])


def _show(tables: Iterable[Table], question: _Question) -> None:
    for table in tables:
        if question.form == "markdown":
            typer.echo(table.to_markdown() + "\n")
        else:
            show_table(table.title, table.header, table.plain_rows())
    if len(question.protocols) == 1:
        typer.echo(f"Protocol: {question.protocols[0]}.")
    else:
        first = question.protocols[0]
        spaces = ", ".join(dict.fromkeys(f"x{each.space_scale:g}" for each in question.protocols))
        times = ", ".join(dict.fromkeys(f"x{each.time_scale}" for each in question.protocols))
        typer.echo(f"Protocol: {first.standard.name}, space {spaces}, time {times} (T): {first.rules}.")
    typer.echo("Data: " + " ".join(question.notes))


def _show_absent(absent: dict[str, str], left_out: Iterable[dict[str, str]]) -> None:
    for name, reason in absent.items():
        typer.echo(f"Not run: {name}: {reason}")
    # What is too short for a time scale is too short for it at every space scale: said once.
    for line in dict.fromkeys(f"{clip}: {reason}" for clips in left_out for clip, reason in clips.items()):
        typer.echo(f"Left out: {line}.")


def _show_ends_below(reports: Sequence[SeamReport]) -> None:
    for report in reports:
        for end in report.below:
            where = f"{report.method}, {report.protocol.setting}, {end.clip}, frame {end.frame} at t = {end.phase}"
            typer.echo(f"Below bicubic: {where}: {end.psnr_db:.2f} against {end.bicubic_db:.2f} dB.")
