"""``videoinr decode``: one picture, or a region of it, at any time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from videoinr.commands.options import NUMBER, REGION, DeviceOption, FileArgument, ModelOption, ScaleOption, SizeOption
from videoinr.commands.screen import say
from videoinr.commands.signals import cancel_on_signals
from videoinr.errors import UsageError
from videoinr.geometry import Rect

DEFAULT_SCALE = 4
"""What the models are trained for most."""


def decode(
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.png", help="The PNG to write, without loss.")],
    time: Annotated[
        Fraction,
        typer.Option("--time", parser=NUMBER, metavar="SECS", help="Second of the clip: 1.25, or 5/4."),
    ],
    scale: ScaleOption = None,
    size: SizeOption = None,
    region: Annotated[
        Rect | None,
        typer.Option("--region", parser=REGION, metavar="X,Y,W,H", help="These pixels of the scaled picture only."),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = None,
) -> None:
    """Decode one picture at any time and scale, through the model, into a PNG.

    The scale is x4 by default, which the models are trained for. A region equals the same crop of the whole picture,
    bit for bit.
    """
    _check_out(out, file)
    from videoinr.exporting.png import write_png
    from videoinr.render.engine import open_engine
    from videoinr.render.output_area import grid_of, rect_of
    from videoinr.types import Quality, RegionQuery

    with cancel_on_signals() as token, open_engine(file, model=model, device=device) as engine:
        opened = engine.opened
        _check_time(time, opened.timeline.duration_secs)
        grid = grid_of(opened.info, scale=scale, size=size, default_scale=DEFAULT_SCALE)
        query = RegionQuery(opened.timeline.instant_from_time(time), grid, rect_of(grid, region))
        for notice in opened.info.warnings:
            say(f"note: {notice}")
        rendered = engine.render(query, Quality.FULL, token)
        token.check()
        write_png(out, rendered.rgbx)
    height, width, _ = rendered.rgbx.shape
    say(f"{out}: {width}x{height} of {grid} at {float(time):g} s ({opened.model_name}, {opened.device_name})")


def _check_out(out: Path, source: Path) -> None:
    from videoinr.exporting.target import check_file

    if out.suffix.lower() != ".png":
        raise UsageError(f"'{out}' is no PNG's name.", hint="End the output's name in .png.")
    check_file(out, source=source, overwrite=True)


def _check_time(time_secs: Fraction, duration_secs: Fraction) -> None:
    if not 0 <= time_secs <= duration_secs:
        raise UsageError(
            f"{float(time_secs):g} s lies outside the clip, which lasts {float(duration_secs):g} s.",
            hint="Choose a time from 0 to its end.",
        )
