"""``videoinr evaluate``: how close to the truth a model comes, against what a user would use instead."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.options import DeviceOption
from videoinr.commands.screen import say, show_json, show_table

if TYPE_CHECKING:
    from videoinr.evaluation.clips import FrameScore, Summary

BASELINE = "bicubic-blend"


def evaluate(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Clips: DIR/CLIP/*.png, or video files.")],
    models: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME|PATH", help="A model; may be given several times.")
    ] = None,
    scale: Annotated[float, typer.Option("--scale", metavar="F", min=1.0, help="Space scale.")] = 4.0,
    time_scale: Annotated[int, typer.Option("--time-scale", metavar="N", min=1, help="Time scale T.")] = 4,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every clip's figures as JSON.")] = False,
) -> None:
    """Degrade clips, restore them in space and time, and print PSNR-Y with the protocol, beside bicubic + blend."""
    import torch

    from videoinr.devices import pick_device
    from videoinr.evaluation.clips import Protocol, blend_bicubic, restorer_from_model, score_folder
    from videoinr.model.weights import DEFAULT_MODEL, load_model
    from videoinr.training.readers import find_clips

    where = pick_device(device)
    loaded = [load_model(name) for name in models or [DEFAULT_MODEL]]
    methods = {BASELINE: blend_bicubic} | {one.card.name: restorer_from_model(one.model.to(where)) for one in loaded}
    protocol, scores = Protocol(scale, time_scale), []
    for clip in find_clips(data):
        say(clip.name)
        scores += score_folder([clip], protocol, methods, torch.device(where))
    _show(scores, list(methods), str(protocol), as_json=as_json)


def _show(scores: list[FrameScore], methods: list[str], protocol: str, *, as_json: bool) -> None:
    from videoinr.evaluation.clips import summarise

    clips = list(dict.fromkeys(score.clip for score in scores))
    mine = {method: [score for score in scores if score.method == method] for method in methods}
    per_clip = {
        method: {clip: summarise([score for score in mine[method] if score.clip == clip]) for clip in clips}
        for method in methods
    }
    means = {method: summarise(mine[method]) for method in methods}
    if as_json:
        result = {
            method: {
                "mean": _plain(means[method]),
                "clips": {clip: _plain(summary) for clip, summary in per_clip[method].items()},
            }
            for method in methods
        }
        show_json({"protocol": protocol, "psnr_y_db": result})
        return
    rows = [(clip, *(_cell(per_clip[method][clip], means[methods[0]], False) for method in methods)) for clip in clips]
    rows.append(("mean", *(_cell(means[method], means[methods[0]], method != methods[0]) for method in methods)))
    show_table("PSNR-Y in dB: average (input instants / between)", ("clip", *methods), rows)
    typer.echo(f"Protocol: {protocol}.")


def _plain(summary: Summary) -> dict[str, float | None]:
    """For JSON, which knows no infinity: a picture restored without any error has no PSNR."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(summary).items()}


def _cell(summary: Summary, baseline: Summary, with_gain: bool) -> str:
    text = f"{summary.average_db:.2f} ({summary.input_db:.2f} / {summary.between_db:.2f})"
    if not with_gain:
        return text
    gain, between = summary.average_db - baseline.average_db, summary.between_db - baseline.between_db
    return f"{text}, {gain:+.2f} dB on average, {between:+.2f} between"
