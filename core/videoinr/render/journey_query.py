"""The query of one picture of a journey: what an export with a curve, a shutter, a camera path or a readout shows."""

from __future__ import annotations

from fractions import Fraction
from typing import TypedDict, Unpack

from videoinr.exporting.frame_queries import still_query
from videoinr.exporting.job import check_angle, check_rate
from videoinr.journey.arguments import CameraArgument, as_camera, as_curve, curve_ahead
from videoinr.journey.curve import RetimeCurve
from videoinr.journey.shutter_region import ShutterRegion, as_shutter_region
from videoinr.render.arguments import Number, Region, Size, as_grid, as_rect, exact, optional
from videoinr.render.messages import Opened
from videoinr.render.output_area import PICTURE_SCALE, check_one
from videoinr.types import RegionQuery


class JourneyOptions(TypedDict, total=False):
    """How a clip is gone through, as :func:`videoinr.export` takes it; an absent or None option has its default.

    ``retime``: a curve of output time to clip time. ``shutter``: the exposure, 0 ... 360 degrees of the time between
    two frames of the output. ``camera``: which part of the picture is shown when. ``readout``: the seconds in which the
    clip's camera read a frame, whose rolling shutter is corrected; negative: from its last row. ``shutter_region``: a
    region of the clip with an exposure of its own, ``"X,Y,WIDTH,HEIGHT=DEGREES"``. ``fps``: frames per second of the
    output, by default the clip's mean rate; only the shutter depends on it.
    """

    retime: RetimeCurve | str | None
    shutter: Number | None
    camera: CameraArgument | None
    readout: Number | None
    shutter_region: ShutterRegion | str | None
    fps: Number | None


def check_picture(scale: Number | None, size: Size | None, **journey: Unpack[JourneyOptions]) -> None:
    """Check what can be checked of the arguments of :func:`journey_query` without the clip: before torch is imported.

    Raises:
        UsageError: an option is out of range or makes no sense.
        InputError: a camera file cannot be read.
    """
    check_one(optional(scale, "scale"), as_grid(size))
    check_rate(optional(journey.get("fps"), "fps"), None)
    check_angle(exact(journey.get("shutter") or 0, "shutter"))
    curve_ahead(journey.get("retime"))
    as_camera(journey.get("camera"))
    as_shutter_region(journey.get("shutter_region"))


def journey_query(
    opened: Opened,
    time_secs: Fraction,
    scale: Number | None,
    size: Size | None,
    region: Region | None,
    **journey: Unpack[JourneyOptions],
) -> RegionQuery:
    """Return what the output shows at ``time_secs``.

    Args:
        opened: the clip.
        time_secs: second of the output.
        scale: grid pixels for each clip pixel; None, and no size: PICTURE_SCALE.
        size: (width, height) of the full picture in pixels, instead of a scale.
        region: (x, y, width, height) in pixels of the grid; None means all. With a camera only its size counts.
        journey: the journey.

    Raises:
        UsageError: an option is out of range or makes no sense, or the time lies outside the output.
        InputError: a camera file cannot be read.
    """
    if scale is None and size is None:
        scale = PICTURE_SCALE
    return still_query(
        opened, time_secs, scale=optional(scale, "scale"), size=as_grid(size), crop=as_rect(region),
        curve=as_curve(journey.get("retime"), lambda time: time.time_on(opened.timeline, opened.info)),
        shutter=exact(journey.get("shutter") or 0, "shutter"),
        camera=as_camera(journey.get("camera")), readout=optional(journey.get("readout"), "readout"),
        shutter_region=as_shutter_region(journey.get("shutter_region")),
        fps=optional(journey.get("fps"), "fps"),
    )  # fmt: skip
