"""``videoinr export``: exports a segment of a clip at any frame rate, speed and size."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Unpack

import typer

from videoinr.commands.export_progress import reporter
from videoinr.commands.options import (
    FACTOR,
    NUMBER,
    RATE,
    REGION,
    FileArgument,
    OpeningFlags,
    ScaleOption,
    SizeOption,
    opens_clip,
)
from videoinr.commands.signals import cancel_on_signals
from videoinr.geometry import Rect


@opens_clip
def export(
    file: FileArgument,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="A video (.mp4 .mov .mkv .webm), a folder, or pictures such as f/%05d.png."),
    ],
    start: Annotated[
        Fraction | None,
        typer.Option("--start", parser=NUMBER, metavar="S", help="Start of the segment, seconds. Default: 0."),
    ] = None,
    end: Annotated[
        Fraction | None,
        typer.Option("--end", parser=NUMBER, metavar="S", help="End of the segment, seconds. Default: the clip's."),
    ] = None,
    fps: Annotated[
        Fraction | None,
        typer.Option("--fps", parser=RATE, metavar="N[/D]", help="Frames per second. Default: the clip's rate."),
    ] = None,
    time_scale: Annotated[
        Fraction | None,
        typer.Option("--time-scale", parser=FACTOR, metavar="F", help="The frame rate as a multiple of the clip's."),
    ] = None,
    speed: Annotated[
        Fraction | None,
        typer.Option("--speed", parser=FACTOR, metavar="F", help="1/4 is slow motion, four times slower. Default: 1."),
    ] = None,
    scale: ScaleOption = None,
    size: SizeOption = None,
    crop: Annotated[
        Rect | None,
        typer.Option("--crop", parser=REGION, metavar="WxH+X+Y", help="Export only this region of the scaled picture."),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            "--codec", metavar="NAME", help="libx264, libx265, libvpx-vp9, ffv1 (lossless) ... Default: by ending."
        ),
    ] = None,
    crf: Annotated[
        int | None, typer.Option("--crf", metavar="N", help="Quality, the least is best. Default: the codec's.")
    ] = None,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="Print progress and result as JSON lines on stdout.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    keep_partial: Annotated[
        bool,
        typer.Option(
            "--keep-partial", help="If the export ends early, keep the finished frames as OUT.partial (exit code 3)."
        ),
    ] = False,
    **opening: Unpack[OpeningFlags],
) -> None:
    """Export a segment of a clip at any frame rate, speed and size.

    The default is the whole clip at its own frame rate and scale x2. The output shows the clip from --start to just
    before --end: (end - start) / speed * fps frames, rounded half up, at least one. Sound is left out.

    The output is written under a name of its own (OUT.*.part), and renamed to OUT when it is complete and checked.
    --overwrite replaces files of the same names, and no others. A video keeps the clip's colour tags. Times are exact
    in .mp4 and .mov, and rounded to milliseconds in .mkv and .webm.
    """
    with (
        reporter(as_json=json_progress) as report,
        # What is to be kept must be finished, however long a library takes.
        cancel_on_signals(report_forced=None if keep_partial else report.stopped) as token,
    ):
        from videoinr import api

        path = api.export(
            file, out, progress=report.progress, notice=report.notice, cancel=token,
            start=start, end=end, fps=fps, time_scale=time_scale, speed=1 if speed is None else speed,
            scale=scale, size=size, region=crop, codec=codec, crf=crf, overwrite=overwrite, keep_partial=keep_partial,
            **opening,
        )  # fmt: skip
        report.finished(path)
