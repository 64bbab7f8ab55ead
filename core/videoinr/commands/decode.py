"""``videoinr decode``: decodes one picture, or a region of it, at any time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Unpack

import typer

from videoinr.commands.options import (
    QUALITY,
    RATE,
    REGION,
    TIME,
    CameraOption,
    FileArgument,
    OpeningFlags,
    ReadoutOption,
    RetimeOption,
    ScaleOption,
    ShutterOption,
    ShutterRegionOption,
    SizeOption,
    check_clip,
    opens_clip,
)
from videoinr.commands.screen import say, show_encoding
from videoinr.commands.signals import cancel_on_signals
from videoinr.errors import UsageError
from videoinr.geometry import Rect
from videoinr.text import parsing
from videoinr.text.clip_time import ClipTime


@opens_clip
def decode(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.png", help="The PNG file to write.")],
    time: Annotated[
        ClipTime,
        typer.Option(
            "--time", parser=TIME, metavar="TIME", help="Time in the clip: 1.25, 5/4, 1:02.5, 00:00:01:06, f31 or 50%."
        ),
    ],
    scale: ScaleOption = None,
    size: SizeOption = None,
    region: Annotated[
        Rect | None,
        typer.Option(
            "--region", parser=REGION, metavar="X,Y,W,H", help="Decode only this region of the scaled picture."
        ),
    ] = None,
    quality: Annotated[
        parsing.QualityName,
        typer.Option(
            "--quality",
            parser=QUALITY,
            metavar="full|motion",
            help="Decode in full, or draft quickly: source frames, warped along the motion of a small copy of them.",
        ),
    ] = "full",
    retime: RetimeOption = None,
    shutter: ShutterOption = None,
    camera: CameraOption = None,
    readout: ReadoutOption = None,
    shutter_region: ShutterRegionOption = None,
    fps: Annotated[
        Fraction | None,
        typer.Option(
            "--fps", parser=RATE, metavar="N[/D]", help="The rate that --shutter counts with. Default: the clip's."
        ),
    ] = None,
    **opening: Unpack[OpeningFlags],
) -> None:
    """Decode one picture at any time and scale, and save it as a PNG.

    The default scale is x4, which the models are trained for; at greater scales the picture of x4 is enlarged. On a CPU
    a region equals the same crop of the whole picture bit for bit.

    With --retime, --shutter, --shutter-region, --camera or --readout the picture is the one that videoinr export with
    the same options has at --time of its output. Of --region only the size counts with a camera.
    """
    _check_out(out, file)
    from videoinr.render.typed_times import check_output_time

    check_output_time(time, retime)
    check_clip(file)
    from videoinr import api
    from videoinr.exporting.png import write_png
    from videoinr.render.journey_query import JourneyOptions, check_picture
    from videoinr.render.output_area import output_aspect, stretch_note
    from videoinr.text.phrases import describe_cut, describe_guess
    from videoinr.types import GUESS_DB, PairKind

    journey: JourneyOptions = {
        "retime": retime, "shutter": shutter, "fps": fps, "camera": None if camera is None else Path(camera),
        "readout": readout, "shutter_region": shutter_region,
    }  # fmt: skip
    check_picture(scale, size, **journey)
    opened = api.open(file, notice=lambda sentence: say(f"note: {sentence}"), **opening)
    across_cuts = opening["across_cuts"]
    with cancel_on_signals(report_forced=lambda: say("Stopped.")) as token, opened as video, show_encoding(token):
        time_secs = time.time_on(video.timeline, video.info)
        query = video.query(time_secs, scale=scale, size=size, region=region, **journey)
        told = video.info.warnings
        for notice in (*told, stretch_note(video.info, query.grid)):
            if notice:
                say(f"note: {notice}")
        rendered = video.render(query, quality=quality, cancel=token)
        token.check()
        if rendered.pair_kind is PairKind.CUT and not query.instant.is_source:
            say(f"note: {describe_cut(query.instant.pair, across_cuts)}")
        elif rendered.expected_db is not None and rendered.expected_db < GUESS_DB and not query.instant.is_source:
            say(f"note: {describe_guess(query.instant.pair)}")
        write_png(out, rendered.rgbx, output_aspect(video.info, query.grid))
        for notice in video.info.warnings:
            if notice not in told:
                say(f"note: {notice}")
        rect, grid = query.rect, query.grid
        size_px = f"{rect.width}x{rect.height} pixels" + (f" of {grid}" if rect != grid.rect else "")
        size_px += ", a motion draft," if quality == "motion" else ""
        say(f"Saved {size_px} at {float(time_secs):g} s to {out} ({video.model_name}, {video.device_name})")


def _check_out(out: Path, source: Path) -> None:
    from videoinr.exporting.target import check_file

    if out.suffix.lower() != ".png":
        raise UsageError(f"'{out}' is not the name of a PNG file.", hint="End the output's name in .png.")
    check_file(out, source=source, overwrite=True)
