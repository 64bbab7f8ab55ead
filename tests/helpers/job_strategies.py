"""Random export jobs, and the job that a command line is parsed to."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import strategies as st

from helpers.command_line import run_here
from helpers.slow_cli import engine_module
from helpers.slow_renderer import SlowRenderer
from videoinr.clip.open_options import DEINTERLACE_MODES, OpenOptions
from videoinr.exporting.codecs import Effort
from videoinr.exporting.job import ExportJob
from videoinr.exporting.parts import Share
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.geometry import Grid, Rect
from videoinr.journey.arguments import as_curve
from videoinr.journey.camera import CameraPath, Easing, Keyframe
from videoinr.journey.shutter_region import ShutterRegion
from videoinr.types import AcrossCuts, ExportReport, Segment

INFO = SlowRenderer(Path("in.mp4")).opened.info


def parsed(arguments: list[str]) -> ExportJob:
    """Return the job that ``videoinr`` runs for a command line, with a clip such as INFO."""
    jobs: list[ExportJob] = []

    def export_job(job: ExportJob, *_: object, **__: object) -> ExportReport:
        jobs.append(job)
        return ExportReport(job.out, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "videoinr.render.engine", engine_module())
        patch.setattr("videoinr.commands.export.check_clip", lambda _: None)
        patch.setattr("videoinr.exporting.export.export_job", export_job)
        # The jobs are any: most name no output, model or device that there is.
        patch.setattr("videoinr.exporting.ahead.check_ahead", lambda *_: None)
        for check in ("check_model_name", "check_device_name"):
            patch.setattr(f"videoinr.render.open_arguments.{check}", lambda _: None)
        outcome = run_here(*arguments)
    assert outcome.exit_code == 0, outcome
    (job,) = jobs
    return job


paths = st.text("abc-.% /é", min_size=1, max_size=12).map(Path)
seconds = st.fractions(min_value=0, max_value=2, max_denominator=90_000)
names = st.none() | st.text("abc-:/. ", min_size=1, max_size=8)

options_of_reading = st.builds(
    OpenOptions, stream=st.none() | st.integers(0, 9), background=st.sampled_from(["black", "checkerboard", "#2060ff"]),
    deinterlace=st.sampled_from(DEINTERLACE_MODES), cuts=st.sampled_from(["", "7", "-3,12"]),
)  # fmt: skip


shares = st.integers(1, 99).flatmap(lambda count: st.builds(Share, st.integers(1, count), st.just(count)))


curves = st.sampled_from([None, None, "0=0 1=1", "0=2 1/3=1/2~1/7 5/2=0", "0=1 1=1~1/2 3=3/2"]).map(as_curve)


@st.composite
def camera_paths(draw: st.DrawFn, grid: Grid, size_px: tuple[int, int]) -> CameraPath | None:
    """Paths over a clip such as INFO that leave enough of ``grid`` for an output of ``size_px``."""
    if draw(st.booleans()):
        return None
    least = max(Fraction(size_px[0], grid.width), Fraction(size_px[1], grid.height), Fraction(1, 128))
    most = min(Fraction(32 * INFO.width, grid.width), Fraction(32 * INFO.height, grid.height), Fraction(128))
    places = st.fractions(min_value=0, max_value=160, max_denominator=10**6)
    zooms = st.sampled_from([least, most, (least + most) / 2])
    times = sorted(draw(st.sets(seconds, min_size=1, max_size=3)))
    return CameraPath(
        tuple(Keyframe(time, draw(places), draw(places), draw(zooms), draw(st.sampled_from(Easing))) for time in times)
    )


@st.composite
def jobs(draw: st.DrawFn) -> ExportJob:
    start, end = sorted(draw(st.tuples(seconds, seconds).filter(lambda both: both[0] != both[1])))
    grid = Grid(draw(st.integers(40, 5120)), draw(st.integers(23, 2880)))
    x, y = draw(st.integers(0, grid.width - 1)), draw(st.integers(0, grid.height - 1))
    crop = Rect(x, y, draw(st.integers(1, grid.width - x)), draw(st.integers(1, grid.height - y)))
    shown, curve = draw(st.sampled_from([crop, grid.rect])), draw(curves)
    return ExportJob(
        clip=draw(paths), out=draw(paths), segment=curve.extent if curve else Segment(start, end),
        fps=draw(st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=100_000)),
        speed=draw(st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=10_000))
        if curve is None
        else Fraction(1),
        grid=grid, crop=shown, curve=curve, shutter=draw(st.sampled_from([Fraction(0), Fraction(360, 7)])),
        camera=draw(camera_paths(grid, (shown.width, shown.height))),
        readout=draw(st.sampled_from([Fraction(0), Fraction(-1, 60)])),
        shutter_region=draw(st.sampled_from([None, ShutterRegion(Rect(3, 2, 50, 40), Fraction(360, 7))])),
        codec=draw(names), crf=draw(st.none() | st.integers(-9, 99)), effort=draw(st.sampled_from(Effort)),
        model=draw(names), device=draw(names),
        options=draw(options_of_reading),
        overwrite=draw(st.booleans()), keep_partial=draw(st.booleans()), across_cuts=draw(st.sampled_from(AcrossCuts)),
        sound=draw(st.sampled_from(SoundChoice)), share=draw(shares), resume=draw(st.booleans()),
    )  # fmt: skip
