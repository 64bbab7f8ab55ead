"""``videoinr join``: joins the shares of an export that several machines made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videoinr.commands.export_progress import reporter
from videoinr.commands.signals import cancel_on_signals


def join(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The video file that the shares belong to.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SHARE", help="Files of all shares, in any order. Default: OUT.1ofN, OUT.2ofN ..."),
    ] = None,
    clip: Annotated[
        Path | None,
        typer.Option("--clip", metavar="FILE", help="The clip, if it is not where one of the shares found it."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="Print the result as a JSON line on stdout.")
    ] = False,
) -> None:
    """Join the shares of an export without loss.

    Each share is made by `videoinr export ... OUT --part K/N`, on whatever machine. The frames of OUT are those of an
    export in one run: exactly for FFV1 on one kind of device. Other codecs start their groups of pictures at the same
    frames, too, but may vary a little from run to run, as x264 does. Sound is made now, from the clip; machines may
    have it in folders of their own.
    """
    with reporter(as_json=json_progress) as report, cancel_on_signals(report_forced=report.stopped) as token:
        from videoinr.exporting.joining import join_shares

        report.finished(
            join_shares(out, files or (), clip=clip, overwrite=overwrite, notice=report.notice, token=token)
        )
