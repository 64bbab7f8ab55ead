"""The parts of an export: how long they are, how shares divide them, and journals whose parts are others."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.clicks import write_clicks
from helpers.killed_exports import assert_same, assert_same_frames, leave_as_another_process
from helpers.slow_renderer import SlowRenderer
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, ExportError, UsageError
from videoinr.exporting.codecs import Effort
from videoinr.exporting.export import export_job
from videoinr.exporting.job import ExportJob, job_for
from videoinr.exporting.joining import join_shares
from videoinr.exporting.outputs import target_of
from videoinr.exporting.part_writer import PartWriter
from videoinr.exporting.parts import PartPlan, Share, plan_parts, share_from_text
from videoinr.exporting.sound.choice import SoundChoice
from videoinr.types import ExportProgress

MSECS = 2000
"""The length of a SlowRenderer's clip."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A real file with sound; a SlowRenderer draws the pictures."""
    return write_clicks(tmp_path / "clip.mkv", list(range(0, MSECS, 40)), [6, 31], end_msecs=MSECS)


# ---- the plan ----


@pytest.mark.parametrize(("total", "width", "height"), [(1, 64, 48), (7, 64, 48), (50, 320, 180), (20_000, 1920, 1080)])
def test_parts_cover_all_frames_once(total: int, width: int, height: int) -> None:
    plan = plan_parts(total, width, height)
    assert [frame for part in range(plan.count) for frame in plan.frames(part)] == list(range(total))
    assert plan.length <= 240
    for count in range(1, min(plan.count, 9) + 1):
        shares = [Share(number, count).parts(plan) for number in range(1, count + 1)]
        assert [part for share in shares for part in share] == list(range(plan.count))
        assert all(shares)
        frames = [sum(len(plan.frames(part)) for part in share) for share in shares]
        assert max(frames) - min(frames) <= 2 * max(map(len, map(plan.frames, range(plan.count))))


@pytest.mark.parametrize(
    ("total", "length"), [(4, 6), (64, 16), (192, 48), (640, 56), (1200, 86), (1568, 112), (20_000, 112)]
)
def test_an_export_of_medium_length_has_parts_for_many_cores(total: int, length: int) -> None:
    assert plan_parts(total, 1920, 1080).length == length


@pytest.mark.parametrize(("total", "parts"), [(640, 14), (1280, 19), (2560, 30), (20_000, 185)])
def test_the_parts_of_a_longer_export_grow_and_shrink_again(total: int, parts: int) -> None:
    plan = plan_parts(total, 1920, 1080)
    lengths = [len(plan.frames(part)) for part in range(plan.count)]
    assert len(lengths) == parts
    assert lengths[0] == lengths[-1] == 32
    assert max(lengths) <= plan.length
    growing = lengths[: len(lengths) // 2]
    assert all(before < after <= before * 6 / 5 + 1 or before > 45 for before, after in pairwise(growing))
    ends = [length for length in growing if length < 45]
    assert lengths[-len(ends) :] == ends[::-1]
    assert all(plan.part_of(frame) == part for part in range(plan.count) for frame in plan.frames(part)[:: plan.length])


def test_short_exports_have_equal_parts() -> None:
    for total, lengths in ((192, [48] * 4), (13, [6, 6, 1]), (50, [13, 13, 13, 11])):
        plan = plan_parts(total, 1920, 1080)
        assert [len(plan.frames(part)) for part in range(plan.count)] == lengths


def test_shares_that_do_not_exist() -> None:
    assert share_from_text("2/4") == Share(2, 4)
    for text in ("0/4", "5/4", "2", "2/", "/4", "a/4", "-1/4", "1/0", "2/4/5"):
        with pytest.raises(UsageError):
            share_from_text(text)
    with pytest.raises(UsageError, match="too few"):
        Share(3, 7).parts(PartPlan(20, 10))


# ---- parts of other versions ----

_end_part = PartWriter._end_part


def end_and_wait(writer: PartWriter) -> None:
    _end_part(writer)
    while writer._ending:
        writer._join(writer._ending[0])


def stopped(task: ExportJob, engine: SlowRenderer, plan: PartPlan | None = None, *, at: int = 60) -> None:
    """Stop ``task`` after so many frames; its journal has ``plan``, if one is given, of another version."""
    token = CancelToken()
    token.leaves = True
    with pytest.MonkeyPatch.context() as patch:
        if plan is not None:
            patch.setattr("videoinr.exporting.job.plan_parts", lambda *_: plan)

        def progress(now: ExportProgress) -> None:
            if now.done == at:
                token.cancel()

        # Each part is done before the next begins, however busy the machine is.
        patch.setattr(PartWriter, "_end_part", end_and_wait)
        with pytest.raises(Cancelled):
            export_job(task, engine, progress=progress, token=token)
    leave_as_another_process(target_of(task))


@pytest.mark.parametrize("plan", [PartPlan(100, 20), PartPlan(100, 27), PartPlan(100, 20, 10)], ids=str)
def test_the_journal_of_another_version_keeps_its_parts(tmp_path: Path, clip: Path, plan: PartPlan) -> None:
    engine, out = SlowRenderer(clip), tmp_path / "out.mp4"
    task = job_for(engine.opened.info, out, scale=Fraction(1), fps=Fraction(50))
    assert task.plan not in (plan, PartPlan(plan.total, plan.length))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("videoinr.exporting.job.plan_parts", lambda *_: plan)
        export_job(replace(task, out=tmp_path / "whole.mp4"), engine)
    stopped(task, engine, plan)
    done: list[int] = []
    export_job(replace(task, resume=True), engine, progress=lambda now: done.append(now.done))
    assert done[0] == plan.frames(plan.part_of(60)).start
    assert_same(out, tmp_path / "whole.mp4")


def test_a_share_keeps_to_the_parts_of_the_other_shares(tmp_path: Path, clip: Path) -> None:
    engine = SlowRenderer(clip)
    task = job_for(engine.opened.info, tmp_path / "out.mp4", scale=Fraction(1), fps=Fraction(50), share=Share(1, 2))
    stopped(task, engine, PartPlan(100, 20), at=25)
    with pytest.raises(ExportError, match="differs in part_frames"):
        export_job(replace(task, resume=True), engine)


@pytest.mark.parametrize(
    "wrong", [{"part_frames": 0}, {"part_frames": "9"}, {"ramp_frames": -1}, {"part_frames": True}]
)
def test_a_journal_without_a_plan_that_can_be_is_left(tmp_path: Path, clip: Path, wrong: dict[str, Any]) -> None:
    engine, out = SlowRenderer(clip), tmp_path / "out.mkv"
    task = job_for(engine.opened.info, out, scale=Fraction(1), fps=Fraction(50), codec="ffv1")
    stopped(task, engine)
    (facts,) = tmp_path.glob("out.mkv.*.part/export.json")
    facts.write_text(json.dumps({**json.loads(facts.read_text()), **wrong}))
    with pytest.raises(ExportError, match=f"differs in {next(iter(wrong))}"):
        export_job(replace(task, resume=True), engine)
    assert facts.exists()


def test_a_part_that_is_not_of_the_plan_is_made_again(tmp_path: Path, clip: Path) -> None:
    engine, out = SlowRenderer(clip), tmp_path / "out.mkv"
    task = job_for(engine.opened.info, out, scale=Fraction(1), fps=Fraction(50), codec="ffv1")
    export_job(replace(task, out=tmp_path / "whole.mkv"), engine)
    stopped(task, engine)
    (left,) = tmp_path.glob("out.mkv.*.part")
    (left / "000000.packets").rename(left / "000099.packets")
    (left / "000003.packets").write_bytes((left / "000001.packets").read_bytes())
    done: list[int] = []
    export_job(replace(task, resume=True), engine, progress=lambda now: done.append(now.done))
    assert done[0] == len(task.plan.frames(1))
    assert_same(out, tmp_path / "whole.mkv")


def test_shares_of_parts_that_grow_and_shrink_are_those_of_one_run(tmp_path: Path, clip: Path) -> None:
    engine = SlowRenderer(clip, width=64, height=48)
    quick: dict[str, Any] = {"scale": Fraction(1), "effort": Effort.FAST, "sound": SoundChoice.NONE}
    task = job_for(engine.opened.info, tmp_path / "whole.mp4", fps=Fraction(160), **quick)
    lengths = [len(task.plan.frames(part)) for part in range(task.plan.count)]
    assert (sum(lengths), lengths[0], max(lengths), lengths[-1]) == (320, 32, 52, 32)
    export_job(task, engine)
    for number in (2, 1, 3):
        export_job(replace(task, out=tmp_path / "out.mp4", share=Share(number, 3)), engine)
    assert join_shares(tmp_path / "out.mp4").frames == 320
    assert_same_frames(tmp_path / "out.mp4", tmp_path / "whole.mp4")
