"""What can be said of an export's arguments without its clip: before the clip is opened and torch is imported."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike
from pathlib import Path

from videoinr.clip.open_options import OpenOptions
from videoinr.exporting.arguments import JobArguments
from videoinr.exporting.codecs import effort_named
from videoinr.exporting.job import ExportJob, check_angle, check_rate, checked_speed
from videoinr.exporting.outputs import check_output
from videoinr.exporting.parts import WHOLE, share_from_text
from videoinr.exporting.sound.choice import sound_named
from videoinr.geometry import Grid
from videoinr.journey.shutter_region import as_shutter_region
from videoinr.render.arguments import as_grid, exact, optional, optional_text, optional_whole, text
from videoinr.render.output_area import check_one
from videoinr.types import Segment

_ANY = Grid(16, 16)


def check_ahead(clip: object, out: Path, arguments: JobArguments, options: OpenOptions) -> None:
    """Check the arguments of :func:`videoinr.export` as far as they do not depend on what is in the clip.

    Args:
        clip: the clip's path, or frames.
        out: the output.
        arguments: the arguments.
        options: how the clip is read.

    Raises:
        UsageError: they do not fit each other.
        ExportError: the output exists already, or its folder does not.
    """
    given = arguments
    fps, part = optional(given.get("fps"), "fps"), given.get("part")
    check_rate(fps, optional(given.get("time_scale"), "time_scale"))
    check_one(optional(given.get("scale"), "scale"), as_grid(given.get("size")))
    check_angle(exact(given.get("shutter", 0), "shutter"))
    as_shutter_region(given.get("shutter_region"))
    share = WHOLE if part is None else share_from_text(text(part, "part"))
    job = ExportJob(
        clip=Path(clip) if isinstance(clip, str | PathLike) else Path(), out=out,
        # Those of the clip are not known yet; no check asks for them.
        segment=Segment(Fraction(0), Fraction(1)), grid=_ANY, crop=_ANY.rect,
        fps=fps or Fraction(1), speed=checked_speed(exact(given.get("speed", 1), "speed")),
        codec=optional_text(given.get("codec"), "codec"), crf=optional_whole(given.get("crf"), "crf"),
        effort=effort_named(text(given.get("effort", "medium"), "effort")), options=options,
        sound=sound_named(given.get("sound", "keep")), overwrite=given.get("overwrite", False),
        resume=given.get("resume", False),
    )  # fmt: skip
    if share == WHOLE and given.get("sample") is None and isinstance(clip, str | PathLike):
        check_output(job)
    else:  # The output gets another name, by the clip.
        job.check()
