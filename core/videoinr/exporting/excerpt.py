"""A sample of an export: a job of some of its frames, the same ones, in a file of its own."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path

from videoinr.errors import UsageError
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import WHOLE
from videoinr.journey.curve import CurvePoint, RetimeCurve
from videoinr.types import Segment

DEFAULT_SECS = Fraction(2)
_FOLDER, _FILE = "-sample", ".sample"


def sample_of(job: ExportJob, secs: Fraction, *, at_secs: Fraction | None = None) -> ExportJob:
    """Return the job of a sample of ``job``, whose frames are frames of ``job``.

    Args:
        job: an export of one piece, no share of one.
        secs: how long the sample is, seconds of the output. Where a retime curve has ramps, it may become longer, so
            that no ramp is cut.
        at_secs: the second of the clip that the sample starts at, as nearly as the export shows it; None: the sample
            comes from the middle.

    Returns:
        The job; it writes NAME.sample.mp4 for NAME.mp4, and NAME-sample for a folder of pictures.

    Raises:
        UsageError: ``secs`` is not above 0, or ``job`` is a share.
    """
    if secs <= 0:
        raise UsageError(f"A sample of {float(secs):g} s shows nothing.", hint="Give some seconds, such as 2.")
    if job.share != WHOLE:
        raise UsageError("A share of an export has no sample.", hint="Leave --part or --sample out.")
    total = job.retiming.frame_count
    count = min(total, max(1, round(secs * job.fps)))
    first = (total - count) // 2 if at_secs is None else _frame_at(job, at_secs)
    first = min(max(first, 0), total - count)
    return excerpt(replace(job, out=sample_name(job.out), resume=False), first, count)


def excerpt(job: ExportJob, first: int, count: int) -> ExportJob:
    """Return ``job`` with ``count`` of its frames from ``first`` on; with some more around the ramps of a curve."""
    if job.curve is not None:
        curve = _part(job.curve, first, count, job.fps)
        return replace(job, curve=curve, segment=curve.extent)
    start = job.retiming.time(first)
    end = min(start + count * job.speed / job.fps, job.segment.end_secs)
    return replace(job, segment=Segment(start, end))


def sample_name(out: Path) -> Path:
    """Return the name of the sample of an export to ``out``."""
    if "%" in out.name:
        return out.parent.with_name(f"{out.parent.name}{_FOLDER}") / out.name
    return out.with_name(f"{out.stem}{_FILE}{out.suffix}" if out.suffix else f"{out.name}{_FOLDER}")


def _frame_at(job: ExportJob, at_secs: Fraction) -> int:
    """Return the frame that shows ``at_secs`` of the clip, or the nearest before it."""
    if job.curve is None:
        return floor((at_secs - job.segment.start_secs) * job.fps / job.speed)
    shown = job.curve.first_shown(min(max(at_secs, job.segment.start_secs), job.segment.end_secs))
    return floor((shown or 0) * job.fps)


def _part(curve: RetimeCurve, first: int, count: int, fps: Fraction) -> RetimeCurve:
    """Return the part of ``curve`` with ``count`` frames from ``first`` on; it starts and ends on straight lines."""
    ramps = [(point.out_secs - point.ramp_secs / 2, point.out_secs + point.ramp_secs / 2) for point in curve.points]
    start, end = Fraction(first) / fps, min(Fraction(first + count) / fps, curve.duration_secs)
    for low, high in reversed(ramps):
        start = Fraction(floor(low * fps)) / fps if low < start < high else start
    for low, high in ramps:
        end = high if low < end < high else end
    # Where the picture is frozen, the sample goes on until it moves, or starts before.
    for begin, until in ((start, end), *((start, high) for _, high in ramps if high > end), (Fraction(0), end)):
        with contextlib.suppress(UsageError):
            return _between(curve, begin, until)
    return curve


def _between(curve: RetimeCurve, start: Fraction, end: Fraction) -> RetimeCurve:
    inner = [
        CurvePoint(point.out_secs - start, point.clip_secs, point.ramp_secs)
        for point in curve.points
        if start < point.out_secs < end
    ]
    ends = (CurvePoint(Fraction(0), curve.time(start)), CurvePoint(end - start, curve.time(end)))
    return RetimeCurve((ends[0], *inner, ends[1]))
