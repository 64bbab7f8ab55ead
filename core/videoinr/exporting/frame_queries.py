"""The query of each frame of an export: its instant, its exposure, and the part of the picture that it shows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from videoinr.errors import UsageError
from videoinr.exporting.job import ExportJob, ExportOptions, job_for
from videoinr.geometry import shown_readout
from videoinr.render.messages import Opened
from videoinr.render.output_area import instant_of
from videoinr.timeline import Timeline
from videoinr.types import ExposedPart, Instant, RegionQuery, Segment

FULL_TURN = 360


def frame_query(job: ExportJob, opened: Opened, number: int | Fraction) -> RegionQuery:
    """Return what is decoded for frame ``number`` of the output of ``job``; a fraction lies between two frames.

    Without curve, shutter, camera and readout it is the instant, the grid and the crop of the job.
    """
    time_secs = job.retiming.time(number)
    instant, grid, rect = opened.timeline.instant_from_time(time_secs), job.grid, job.crop
    if job.camera is not None:
        grid, rect = job.camera.region(time_secs, opened.info.grid, grid, job.size_px)
    readout = shown_readout(job.readout, opened.info.rotation)
    query = RegionQuery(instant, grid, rect, _exposure(job, job.shutter, number), readout)
    if (region := job.shutter_region) is None:
        return query
    part = ExposedPart(region.on(grid, opened.info.grid), _exposure(job, region.degrees, number))
    return replace(query, part=part)


def still_query(opened: Opened, time_secs: Fraction, **options: Unpack[ExportOptions]) -> RegionQuery:
    """Return what an export with ``options`` shows at second ``time_secs`` of its output.

    Args:
        opened: the clip.
        time_secs: 0 ... the clip's duration, or that of the retime curve.
        options: those of an export that say what is shown: scale, size, crop, fps, curve, shutter, shutter_region,
            camera and readout.

    Raises:
        UsageError: as :func:`~videoinr.exporting.job.job_for` does, or the time lies outside the output.
    """
    job = job_for(opened.info, Path("still.png"), **options)
    if job.curve is None:
        instant_of(opened.timeline, time_secs)
    elif not 0 <= time_secs <= job.curve.duration_secs:
        raise UsageError(
            f"{float(time_secs):g} s lies outside the retime curve, which lasts {float(job.curve.duration_secs):g} s.",
            hint="Choose a second of the output, from 0 to the curve's end.",
        )
    return frame_query(job, opened, time_secs * job.fps)


def decoded_ends(query: RegionQuery, timeline: Timeline) -> tuple[Instant, ...]:
    """Return the first and the last instant that ``query`` is decoded at, if it is not decoded at its own alone."""
    if query.exposure is None and query.readout is None and query.part is None:
        return ()
    start = end = timeline.time_from_instant(query.instant)
    for exposure in (query.exposure, None if query.part is None else query.part.exposure):
        if exposure is not None:
            start, end = min(start, exposure.start_secs), max(end, exposure.end_secs)
    half = abs(query.readout.secs) / 2 if query.readout is not None else Fraction(0)
    return timeline.instant_from_time(start - half), timeline.instant_from_time(end + half)


def _exposure(job: ExportJob, degrees: Fraction, number: int | Fraction) -> Segment | None:
    """Return the time of the clip around frame ``number`` in which a shutter of ``degrees`` is open.

    Half of it lies before the frame's own time, so that things stay where they are without a shutter. None for 0
    degrees, and where time stands still.
    """
    if not degrees:
        return None
    half = degrees / FULL_TURN / 2
    ends = sorted(job.retiming.time(number + sign * half) for sign in (-1, 1))
    start, end = (max(time, Fraction(0)) for time in ends)
    return Segment(start, end) if start < end else None
