"""``videoinr decode``: one picture, or a region of it, at any time, as a PNG."""

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
    from videoinr import api
    from videoinr.exporting.png import write_png

    with cancel_on_signals() as token, api.open(file, model=model, device=device) as video:
        query = video.query(time, scale=scale, size=size, region=region)
        for notice in video.info.warnings:
            say(f"note: {notice}")
        rendered = video.render(query, cancel=token)
        token.check()
        write_png(out, rendered.rgbx)
        what = f"{query.grid} at {float(time):g} s ({video.model_name}, {video.device_name})"
    say(f"{out}: {query.rect.width}x{query.rect.height} of {what}")


def _check_out(out: Path, source: Path) -> None:
    from videoinr.exporting.target import check_file

    if out.suffix.lower() != ".png":
        raise UsageError(f"'{out}' is no PNG's name.", hint="End the output's name in .png.")
    check_file(out, source=source, overwrite=True)
