"""The query of each frame of an export: its instant, its exposure, and the part of the picture that it shows."""

from __future__ import annotations

from fractions import Fraction

from videoinr.exporting.job import ExportJob
from videoinr.render.messages import Opened
from videoinr.timeline import Timeline
from videoinr.types import Instant, RegionQuery, Segment

FULL_TURN = 360


def frame_query(job: ExportJob, opened: Opened, number: int) -> RegionQuery:
    """Return what is decoded for frame ``number`` of the output of ``job``.

    Without curve, shutter and camera it is the instant, the grid and the crop of the job.
    """
    time_secs = job.retiming.time(number)
    instant, grid, rect = opened.timeline.instant_from_time(time_secs), job.grid, job.crop
    if job.camera is not None:
        grid, rect = job.camera.region(time_secs, opened.info.grid, grid, job.size_px)
    return RegionQuery(instant, grid, rect, _exposure(job, number) if job.shutter else None)


def exposed_ends(query: RegionQuery, timeline: Timeline) -> tuple[Instant, ...]:
    """Return the instants at which the exposure of ``query`` begins and ends, if it has one."""
    if query.exposure is None:
        return ()
    ends = (query.exposure.start_secs, query.exposure.end_secs)
    return tuple(map(timeline.instant_from_time, ends))


def _exposure(job: ExportJob, number: int) -> Segment | None:
    """Return the time of the clip around frame ``number`` in which the shutter is open; None where time stands still.

    Half of it lies before the frame's own time, so that things stay where they are without a shutter.
    """
    half = job.shutter / FULL_TURN / 2
    ends = sorted(job.retiming.time(number + sign * half) for sign in (-1, 1))
    start, end = (max(time, Fraction(0)) for time in ends)
    return Segment(start, end) if start < end else None
