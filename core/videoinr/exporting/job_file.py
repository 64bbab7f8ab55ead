"""Job files: one export as JSON, for the command line (--job), queues (--queue) and the window.

{"videoinr_export": 2, "clip": "clip.mp4", "out": "slow.mp4", "start": "1/2", "speed": "1/4", "scale": 2}

Only the first three keys must be there; the others are the arguments of :func:`videoinr.export`; camera is a list of
keyframes. Version 1 lacks the keys retime, shutter, shutter_region, camera and readout. Times, rates, speeds
and scales are numbers, or texts as on the command line. Paths are relative to the job file's folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from videoinr.errors import InputError, UsageError
from videoinr.exporting.codecs import Effort
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import WHOLE
from videoinr.exporting.picture_names import counted_out
from videoinr.exporting.sound.choice import SoundName
from videoinr.journey.camera_file import Keyframes
from videoinr.text import parsing
from videoinr.text.clip_time import ClipTime, clip_time
from videoinr.text.schemas import Line, Name, Strict, content_of, validated

_OF_VERSION_2 = frozenset(("retime", "shutter", "camera", "readout", "shutter_region"))
_MOST_BYTES = 1 << 20

_Number = Annotated[int, Field(ge=-(10**12), le=10**12)] | float | Name
_Pixels = Annotated[int, Field(ge=0, le=1 << 20)]


class JobFile(Strict):
    """What a job file holds; the keys are the arguments of :func:`videoinr.export`."""

    videoinr_export: Literal[1, 2]
    clip: Annotated[Line, Field(min_length=1)]
    out: Annotated[Line, Field(min_length=1)]
    start: _Number | None = None
    end: _Number | None = None
    fps: _Number | None = None
    time_scale: _Number | None = None
    speed: _Number = 1
    scale: _Number | None = None
    size: Annotated[list[_Pixels], Field(min_length=2, max_length=2)] | None = None
    region: Annotated[list[_Pixels], Field(min_length=4, max_length=4)] | None = None
    codec: Name | None = None
    crf: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    effort: Literal["fast", "medium", "slow"] = "medium"
    sound: SoundName = "keep"
    part: Name | None = None
    resume: bool = False
    overwrite: bool = False
    keep_partial: bool = False
    model: Line | None = None
    device: Name | None = None
    stream: Annotated[int, Field(ge=0, le=10**6)] | None = None
    background: Name = "black"
    deinterlace: Name = "auto"
    picture_fps: _Number = 24
    across_cuts: Literal["hold", "blend", "decode"] = "hold"
    cuts: Annotated[str, Field(max_length=60_000, pattern="^[-0-9, ]*$")] = ""
    retime: Annotated[Line, Field(max_length=1 << 14)] | None = None
    shutter: _Number = 0
    camera: Keyframes | None = None
    readout: _Number = 0
    shutter_region: Annotated[Line, Field(max_length=200)] | None = None


class ExportCall(NamedTuple):
    """The arguments of :func:`videoinr.export` that a job file stands for."""

    clip: Path
    out: Path
    options: dict[str, Any]


_NUMBERS: dict[str, Callable[[str], Fraction | ClipTime]] = {
    "start": clip_time,
    "end": clip_time,
    "fps": parsing.rate,
    "time_scale": parsing.factor,
    "speed": parsing.factor,
    "scale": parsing.factor,
    "picture_fps": parsing.rate,
    "shutter": parsing.number,
    "readout": parsing.number,
}


def read_job(path: Path) -> ExportCall:
    """Read a job file.

    Raises:
        InputError: it cannot be read, or it is no job file; the message says which value is wrong.
    """
    return job_from_text(content_of(path, most_bytes=_MOST_BYTES), path)


def job_from_text(text: bytes, path: Path) -> ExportCall:
    """Return the export that ``text`` describes, the content of the job file ``path``. Raises InputError."""
    try:
        if len(text) > _MOST_BYTES:
            raise ValueError("is too long")
        values = json.loads(text)
        job = validated(JobFile, values)
        if job.videoinr_export == 1 and (newer := sorted(job.model_fields_set & _OF_VERSION_2)):
            raise ValueError(f'{newer[0]} needs "videoinr_export": 2')
        options = job.model_dump(exclude={"videoinr_export", "clip", "out"})
        for name, parse in _NUMBERS.items():
            if isinstance(options[name], str):
                options[name] = _parsed(name, options[name], parse)
    except (ValueError, RecursionError, UsageError) as error:
        reason = str(error).removesuffix(".")
        raise InputError(f"{path} is no job file: {reason}.", hint="See videoinr export --help.") from None
    folder = path.absolute().parent
    model = options["model"]
    # A model is a name, or a path as the clip is.
    if model is not None and _is_path(model):
        options["model"] = str(folder / model)
    for name in ("size", "region"):
        options[name] = tuple(options[name]) if options[name] is not None else None
    return ExportCall(folder / job.clip, counted_out(folder / job.out), options)


def _parsed(name: str, text: str, parse: Callable[[str], Fraction | ClipTime]) -> Fraction | ClipTime:
    """Return a number or a time that is written as text. Raises ValueError, which names its key."""
    try:
        return parse(text)
    except UsageError as error:
        raise ValueError(f"{name}: {error}") from None


def _is_path(model: str) -> bool:
    """Return whether ``model`` is a path, not the name of a shipped model."""
    return "/" in model or os.sep in model or model.endswith(".safetensors")


def text_of_job(job: ExportJob) -> str:
    """Return the content of a job file that describes ``job``; paths become absolute.

    A choice of colours is not written: job files have no key for it.
    """
    crop, read = job.crop, job.options
    journey = {
        **({"retime": str(job.curve)} if job.curve else {}),
        **({"shutter": _text(job.shutter)} if job.shutter else {}),
        **({"camera": job.camera.values} if job.camera else {}),
        **({"readout": _text(job.readout)} if job.readout else {}),
        **({"shutter_region": str(job.shutter_region)} if job.shutter_region else {}),
    }
    values = {
        "videoinr_export": 2 if journey else 1,
        "clip": str(job.clip.absolute()),
        "out": str(job.out.absolute()),
        "start": None if job.curve else _text(job.segment.start_secs),
        "end": None if job.curve else _text(job.segment.end_secs),
        "fps": _text(job.fps),
        "speed": _text(job.speed),
        "size": [job.grid.width, job.grid.height],
        "region": [crop.x, crop.y, crop.width, crop.height],
        "codec": job.codec,
        "crf": job.crf,
        **({"effort": job.effort.value} if job.effort is not Effort.MEDIUM else {}),
        "sound": job.sound.value,
        "part": None if job.share == WHOLE else str(job.share),
        "resume": job.resume,
        "overwrite": job.overwrite,
        "keep_partial": job.keep_partial,
        "model": str(Path(job.model).absolute()) if job.model and _is_path(job.model) else job.model,
        "device": job.device,
        "stream": read.stream,
        "background": read.background,
        "deinterlace": read.deinterlace,
        "picture_fps": _text(read.picture_fps),
        "across_cuts": job.across_cuts.value,
        "cuts": read.cuts,
        **journey,
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _text(value: Fraction) -> str:
    return str(value)
