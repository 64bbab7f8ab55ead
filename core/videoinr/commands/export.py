"""``videoinr export``: a segment of a clip at any rate, speed and size, into a file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videoinr.commands.export_progress import reporter
from videoinr.commands.options import (
    DeviceOption,
    FileArgument,
    ModelOption,
    ScaleOption,
    SizeOption,
    crop,
    number,
    positive,
)
from videoinr.commands.screen import say
from videoinr.commands.signals import cancel_on_signals
from videoinr.errors import UsageError
from videoinr.geometry import Rect

if TYPE_CHECKING:
    from videoinr.render.messages import Opened

DEFAULT_SCALE = 2
"""A whole clip costs far more than one picture: x4 of it is asked for, not assumed."""


def export(
    file: FileArgument,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="A video (.mp4 .mov .mkv .webm), a folder, or pictures such as f/%05d.png."),
    ],
    start: Annotated[
        Fraction | None, typer.Option("--start", parser=number, metavar="S", help="First second; the clip's start.")
    ] = None,
    end: Annotated[
        Fraction | None,
        typer.Option("--end", parser=number, metavar="S", help="Second to stop before; the clip's end."),
    ] = None,
    fps: Annotated[
        Fraction | None,
        typer.Option("--fps", parser=positive, metavar="N[/D]", help="Frames per second; the clip's own by default."),
    ] = None,
    time_scale: Annotated[
        Fraction | None,
        typer.Option("--time-scale", parser=positive, metavar="F", help="This many times the clip's frame rate."),
    ] = None,
    speed: Annotated[
        Fraction | None, typer.Option("--speed", parser=positive, metavar="F", help="1/4 plays four times slower; 1.")
    ] = None,
    scale: ScaleOption = None,
    size: SizeOption = None,
    part: Annotated[
        Rect | None,
        typer.Option("--crop", parser=crop, metavar="WxH+X+Y", help="These pixels of the scaled picture only."),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option("--codec", metavar="NAME", help="libx264, libx265, libvpx-vp9, ffv1 (lossless) ...; by ending."),
    ] = None,
    crf: Annotated[int | None, typer.Option("--crf", metavar="N", help="Quality: 0 best; the codec's default.")] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="Progress and outcome as JSON lines on stdout.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
    keep_partial: Annotated[
        bool,
        typer.Option("--keep-partial", help="If it ends early, keep what is done as OUT.partial (exit 3)."),
    ] = False,
) -> None:
    """Export a segment, through the model, at any frame rate, speed and size.

    By default: the whole clip, at its own frame rate, at scale x2. The output holds the times from start up to, but
    not including, end: exactly (end - start) / speed * fps frames, rounded half up, at least one. Sound is left out.

    OUT appears when it is complete and checked; until then it is OUT.part. Video keeps the clip's colour tags. Times
    are exact in .mp4 and .mov, and rounded to milliseconds in .mkv and .webm, as those formats do.
    """
    from videoinr.exporting.job import ExportJob, run
    from videoinr.exporting.outputs import check, notices, sink_for
    from videoinr.exporting.retime import segment_from_marks
    from videoinr.render.output_area import grid_of, rect_of

    with reporter(as_json=json_progress) as report, cancel_on_signals() as token:
        from videoinr.render.engine import open_engine

        with open_engine(file, model=model, device=device) as engine:
            opened = engine.opened
            grid = grid_of(opened.info, scale=scale, size=size, default_scale=DEFAULT_SCALE)
            job = ExportJob(
                path=file, out=out, grid=grid, crop=rect_of(grid, part),
                segment=segment_from_marks(opened.timeline.duration_secs, start, end),
                fps=_rate(opened, fps, time_scale), speed=speed or Fraction(1),
                codec=codec, crf=crf, overwrite=overwrite, keep_partial=keep_partial,
            )  # fmt: skip
            check(job)
            for notice in (*opened.info.warnings, *notices(job)):
                say(f"note: {notice}")
            path = run(job, engine, sink_for(job, opened.info.colour), report.progress, token)
            report.finished(path, job.retiming.frame_count)


def _rate(opened: Opened, fps: Fraction | None, time_scale: Fraction | None) -> Fraction:
    from videoinr.exporting.retime import checked_fps, rate_from_scale

    if fps is not None and time_scale is not None:
        raise UsageError("Both --fps and --time-scale were given.", hint="Give one of them.")
    if fps is not None:
        return checked_fps(fps)
    return rate_from_scale(opened.info.fps, time_scale or Fraction(1))
