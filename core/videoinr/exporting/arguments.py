"""The arguments of :func:`videoinr.export` and :func:`videoinr.estimate`, and the job that they describe."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from videoinr.clip.open_options import OpenOptions
from videoinr.errors import UsageError
from videoinr.exporting.codecs import effort_named
from videoinr.exporting.excerpt import sample_of
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.parts import WHOLE, share_from_text
from videoinr.exporting.sound.choice import SoundName, sound_named
from videoinr.journey.arguments import CameraArgument, as_camera, as_curve, curve_ahead
from videoinr.journey.curve import RetimeCurve
from videoinr.journey.shutter_region import ShutterRegion, as_shutter_region
from videoinr.render.arguments import (
    Number,
    Region,
    Size,
    as_across_cuts,
    as_grid,
    as_rect,
    exact,
    flag,
    optional,
    optional_text,
    optional_whole,
    text,
)
from videoinr.render.typed_times import TypedTime, optional_secs, typed_time
from videoinr.text.clip_time import ClipTime
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo

if TYPE_CHECKING:
    from videoinr.model.weights import LoadedModel


class JobArguments(TypedDict, total=False):
    """The keyword arguments of :func:`videoinr.export` that say what is exported, and how; that function tells more."""

    start: TypedTime | None
    end: TypedTime | None
    fps: Number | None
    time_scale: Number | None
    speed: Number
    scale: Number | None
    size: Size | None
    region: Region | None
    codec: str | None
    crf: int | None
    effort: str
    overwrite: bool
    keep_partial: bool
    sound: SoundName
    part: str | None
    resume: bool
    retime: RetimeCurve | str | None
    shutter: Number
    camera: CameraArgument | None
    readout: Number
    shutter_region: ShutterRegion | str | None
    sample: Number | None
    sample_at: TypedTime | None


_TimeName = Literal["start", "end", "sample_at"]
_TIMES: tuple[_TimeName, ...] = ("start", "end", "sample_at")


def read_ahead(arguments: JobArguments) -> JobArguments:
    """Return ``arguments`` with times, curve and camera read: what is wrong with them is said before a model loads."""
    read: JobArguments = {**arguments}
    for name in _TIMES:
        if (time := arguments.get(name)) is not None:
            read[name] = typed_time(time, name)
    read["retime"], read["camera"] = curve_ahead(arguments.get("retime")), as_camera(arguments.get("camera"))
    return read


def job_from_arguments(
    info: ClipInfo,
    out: Path,
    arguments: JobArguments,
    *,
    timeline: Timeline,
    model: str | PathLike[str] | LoadedModel | None,
    device: str | None,
    options: OpenOptions,
    across_cuts: str,
) -> ExportJob:
    """Return the job of ``arguments`` for the clip ``info``; the last four are those of :func:`videoinr.open`.

    ``timeline``: when the clip's frames are shown.

    Raises:
        UsageError: the arguments do not fit each other or the clip.
    """
    given, part, sample = arguments, arguments.get("part"), arguments.get("sample")

    def place(time: ClipTime) -> Fraction:
        return time.time_on(timeline, info)

    def secs(name: _TimeName) -> Fraction | None:
        return optional_secs(given.get(name), name, timeline, info)

    job = job_for(
        info, out,
        start=secs("start"), end=secs("end"),
        fps=optional(given.get("fps"), "fps"), time_scale=optional(given.get("time_scale"), "time_scale"),
        speed=exact(given.get("speed", 1), "speed"), scale=optional(given.get("scale"), "scale"),
        size=as_grid(given.get("size")), crop=as_rect(given.get("region")),
        codec=optional_text(given.get("codec"), "codec"), crf=optional_whole(given.get("crf"), "crf"),
        effort=effort_named(text(given.get("effort", "medium"), "effort")),
        overwrite=flag(given.get("overwrite", False), "overwrite"),
        keep_partial=flag(given.get("keep_partial", False), "keep_partial"),
        sound=sound_named(given.get("sound", "keep")),
        share=WHOLE if part is None else share_from_text(text(part, "part")),
        resume=flag(given.get("resume", False), "resume"),
        curve=as_curve(given.get("retime"), place), shutter=exact(given.get("shutter", 0), "shutter"),
        camera=as_camera(given.get("camera")), readout=exact(given.get("readout", 0), "readout"),
        shutter_region=as_shutter_region(given.get("shutter_region")),
        model=str(model) if isinstance(model, str | PathLike) else None, device=device,
        options=options, across_cuts=as_across_cuts(across_cuts),
    )  # fmt: skip
    if sample is None:
        if given.get("sample_at") is not None:
            raise UsageError("A place was given for a sample, but no length.", hint="Give sample, too, such as 2 s.")
        return job
    return sample_of(job, exact(sample, "sample"), at_secs=secs("sample_at"))
