"""The options that several commands share, and the parsers of their values."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Annotated, TypedDict, TypeVar, get_type_hints

import typer

from videoinr.errors import UsageError
from videoinr.exporting.codecs import effort_named
from videoinr.geometry import Grid
from videoinr.journey.shutter_region import ShutterRegion, shutter_region
from videoinr.text import parsing
from videoinr.text.clip_time import clip_time, length

_Value = TypeVar("_Value")
_Command = TypeVar("_Command", bound=Callable[..., None])


def option_parser(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Return ``parse`` for an option: its UsageError becomes typer's, which names the option."""

    @wraps(parse)
    def parsed(text: str) -> _Value:
        try:
            return parse(text)
        except UsageError as error:
            raise typer.BadParameter(error.in_words()) from None

    return parsed


NUMBER = option_parser(parsing.number)
TIME = option_parser(clip_time)
LENGTH = option_parser(length)
FACTOR = option_parser(parsing.factor)
RATE = option_parser(parsing.rate)
SIZE = option_parser(parsing.size)
REGION = option_parser(parsing.region)
BYTES = option_parser(parsing.byte_count)
ACROSS_CUTS = option_parser(parsing.across_cuts)
QUALITY = option_parser(parsing.quality)
EFFORT = option_parser(lambda text: effort_named(text).value)
SHUTTER_REGION = option_parser(shutter_region)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A video, or a folder or pattern of pictures.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME|PATH", help="A shipped model (see videoinr models), or a weights file."),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="cuda, cuda:1, mps or cpu. Default: the fastest.")
]
StreamOption = Annotated[
    int | None,
    typer.Option(
        "--stream", min=0, metavar="N", help="Which video stream, counted from 0. Default: the one a player shows."
    ),
]
BackgroundOption = Annotated[
    str,
    typer.Option(
        "--background",
        metavar="COLOUR",
        help="Behind transparent pixels: black, grey, white, #rrggbb, checkerboard; transparent: exports keep it.",
    ),
]
DeinterlaceOption = Annotated[
    str,
    typer.Option(
        "--deinterlace", metavar="HOW", help="auto: frames said to be interlaced; on: all frames; off: none (bwdif)."
    ),
]
AcrossCutsOption = Annotated[
    parsing.AcrossCutsName,
    typer.Option(
        "--across-cuts",
        parser=ACROSS_CUTS,
        metavar="hold|blend|decode",
        help="Between two scenes: hold the nearer frame, blend both frames, or decode a mixture.",
    ),
]

CutsOption = Annotated[
    str, typer.Option("--cuts", metavar="PAIRS", help="Pairs that are cuts, and with a minus that are none: 12,-40.")
]

MemoryOption = Annotated[
    int | None,
    typer.Option(
        "--memory",
        parser=BYTES,
        metavar="SIZE",
        help="For caches, bands and the pair in use: 512M, 2G. A large pair that does not fit is encoded in parts, for "
        "each picture anew. The program, the frames read and the search for motion in whole large frames come on top: "
        "on a CPU some 0.3 GB at 1920x1080 and 1.2 GB at 3840x2160.",
    ),
]


class OpeningFlags(TypedDict):
    """The options of opening a clip with a model: keyword arguments of :func:`videoinr.open`."""

    model: ModelOption
    device: DeviceOption
    stream: StreamOption
    background: BackgroundOption
    deinterlace: DeinterlaceOption
    across_cuts: AcrossCutsOption
    cuts: CutsOption
    memory: MemoryOption


_DEFAULTS = {"background": "black", "deinterlace": "auto", "across_cuts": "hold", "cuts": ""}


def opens_clip(command: _Command) -> _Command:
    """Show typer each of the :class:`OpeningFlags` in place of a command's ``**opening: Unpack[OpeningFlags]``."""
    signature = inspect.signature(command, eval_str=True)
    named = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS.get(name), annotation=flag)
        for name, flag in get_type_hints(OpeningFlags, include_extras=True).items()
    ]
    command.__signature__ = signature.replace(parameters=[*named, *flags])  # type: ignore[attr-defined]
    return command


def check_clip(path: Path) -> None:
    """Raise ClipError if there is no such clip, or nothing in it: before torch is imported, which takes seconds."""
    if os.path.isfile(path):
        if os.path.getsize(path) == 0:
            from videoinr.clip.unreadable import refuse_empty

            refuse_empty(path)
    elif os.path.isdir(path):
        from videoinr.clip.picture_folder import check_holds_pictures

        check_holds_pictures(path)
    else:
        from videoinr.clip.direct_opening import listed

        listed(path)  # It may be a pattern.


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ScaleOption = Annotated[
    Fraction | None,
    typer.Option("--scale", parser=FACTOR, metavar="F", help="Output pixels for each clip pixel: 4, x2.5, 5/2."),
]
RetimeOption = Annotated[
    str | None,
    typer.Option(
        "--retime", metavar="POINTS", help='A curve of output to clip seconds, with ramps: "0=0 1=1~1/2 3=3/2".'
    ),
]
ShutterOption = Annotated[
    Fraction | None,
    typer.Option("--shutter", parser=NUMBER, metavar="DEGREES", help="Exposure, 0 to 360 degrees. Default: 0."),
]
CameraOption = Annotated[
    str | None, typer.Option("--camera", metavar="FILE.json", help="A camera path: keyframes of centre and zoom.")
]
ShutterRegionOption = Annotated[
    ShutterRegion | None,
    typer.Option(
        "--shutter-region",
        parser=SHUTTER_REGION,
        metavar="X,Y,W,H=DEGREES",
        help="A region, in pixels of the clip, with an exposure of its own.",
    ),
]
ReadoutOption = Annotated[
    Fraction | None,
    typer.Option(
        "--readout",
        parser=NUMBER,
        metavar="S",
        help="Correct a rolling shutter: the seconds the camera takes to read a frame; negative: from the last row.",
    ),
]
SizeOption = Annotated[
    Grid | None,
    typer.Option("--size", parser=SIZE, metavar="WxH", help="Size of the full picture, instead of a scale."),
]
