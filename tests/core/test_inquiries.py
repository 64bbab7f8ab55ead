"""Questions beside the pictures: after requests, newest of a kind, step by step, never in the way of a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from helpers.loop_under_test import GRID, PATIENCE_SECS, LoopUnderTest, whole
from helpers.slow_renderer import VELOCITY, Pace
from videoinr.cancel import CancelToken
from videoinr.geometry import Grid, Rect
from videoinr.render.hand_over import EncodeAhead, HandOver
from videoinr.render.inquiry import FLOW_PX, DoubtInquiry, FlowInquiry, Inquiry, TrajectoryInquiry, flow_query
from videoinr.render.inspected import Doubt, FlowField, Trajectory
from videoinr.render.renderer import Renderer
from videoinr.types import Instant, Quality, RegionQuery, RenderRequest

HALF = Instant(3, Fraction(1, 2))
FLOW = FlowInquiry(RegionQuery(HALF, GRID, GRID.rect))


@dataclass(frozen=True)
class Counting(Inquiry):
    """Answers 0, 1, 2 ... up to ``last``, each in ``secs``."""

    last: int
    at: int = 0
    secs: float = 0.0

    @property
    def next_instant(self) -> Instant:
        return Instant(self.at, Fraction(0))

    def step(self, _renderer: Renderer, token: CancelToken) -> tuple[object, Inquiry | None]:
        end = time.monotonic() + self.secs
        while time.monotonic() < end:
            token.check()
            time.sleep(0.001)
        rest = None if self.at == self.last else Counting(self.last, self.at + 1, self.secs)
        return self.at, rest


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the listener is not told of."""
    end = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.001)


def test_every_kind_is_answered_with_its_question(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    bench.open()
    for inquiry in (FLOW, TrajectoryInquiry(HALF, (5.0, 6.0)), DoubtInquiry(HALF)):
        bench.loop.inquire(inquiry)
    bench.told.wait_for(lambda: len(bench.told.answers) == 3)
    flow, way, doubt = bench.told.answers
    assert isinstance(flow, FlowField)
    assert flow.query == FLOW.query
    assert flow.flow[1, 0, 0].tolist() == [VELOCITY[0] / 2, VELOCITY[1] / 2]
    assert isinstance(way, Trajectory)
    assert (way.instant, way.place) == (HALF, (5.0, 6.0))
    assert isinstance(doubt, Doubt)
    assert doubt.instant == HALF


def test_the_newest_of_a_kind_replaces_the_one_that_is_answered(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(inquiry_secs=30.0))
    renderer = bench.open()
    bench.loop.inquire(FLOW)
    until(lambda: bool(renderer.asked("flow")))
    renderer.pace = Pace()
    newer = FlowInquiry(whole(9))
    bench.loop.inquire(newer)
    bench.told.wait_for(lambda: bool(bench.told.answers))
    assert [one.query for one in bench.told.answers if isinstance(one, FlowField)] == [newer.query]


def test_steps_go_on_after_a_picture_that_comes_between(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    bench.open()
    bench.loop.inquire(Counting(20, secs=0.004))
    bench.told.wait_for(lambda: 3 in bench.told.answers)
    bench.ask(whole(7))
    bench.told.wait_for_full(whole(7))
    assert 20 not in bench.told.answers, "the picture did not wait for the last step"
    bench.told.wait_for(lambda: 20 in bench.told.answers)
    assert bench.told.answers == list(range(21)), "no step is lost, none is told twice"


def test_a_request_cancels_a_step_which_is_done_again(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(inquiry_secs=30.0))
    renderer = bench.open()
    bench.loop.inquire(FLOW)
    until(lambda: bool(renderer.asked("flow")))
    renderer.pace = Pace()
    bench.ask(whole(7))
    bench.told.wait_for(lambda: bool(bench.told.answers))
    assert bench.told.of(Quality.FULL), "the picture comes first"
    assert len(renderer.asked("flow")) == 2


def test_what_was_withdrawn_is_answered_no_more(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace())
    bench.open()
    bench.loop.inquire(Counting(10_000, secs=0.002))
    bench.told.wait_for(lambda: 2 in bench.told.answers)
    bench.loop.withdraw(Counting)
    bench.loop.inquire(DoubtInquiry(HALF))
    bench.told.wait_for(lambda: isinstance(bench.told.answers[-1], Doubt))
    bench.loop.inquire(FLOW)
    bench.told.wait_for(lambda: isinstance(bench.told.answers[-1], FlowField))
    assert isinstance(bench.told.answers[-2], Doubt)


def test_another_clip_ends_all_questions(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(inquiry_secs=30.0))
    renderer = bench.open()
    bench.loop.inquire(FLOW)
    bench.loop.inquire(DoubtInquiry(HALF))
    until(lambda: bool(renderer.asked("flow")))
    bench.loop.open(Path("other.mp4"))
    until(lambda: len(bench.made) == 2)
    bench.ask(whole(7))
    bench.told.wait_for_full(whole(7))
    assert bench.told.answers == []
    assert bench.made[1].asked("flow") == bench.made[1].asked("doubt") == []


def test_the_motion_follows_a_drag_that_leaves_no_rest(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    bench = bench_of(Pace(secs_per_pixel=2e-7))
    renderer = bench.open()
    renderer.encoded.update(range(50))
    for step in range(60):
        query = whole(3, Fraction(step, 60))
        bench.ask(query, moving=True)
        bench.loop.inquire(FlowInquiry(query))
        time.sleep(0.004)
    during = len(bench.told.answers)
    assert during >= 3


def test_a_failed_question_is_told_and_does_not_come_back(bench_of: Callable[[Pace], LoopUnderTest]) -> None:
    @dataclass(frozen=True)
    class Failing(Inquiry):
        next_instant = HALF

        def step(self, _renderer: Renderer, _token: CancelToken) -> tuple[object, Inquiry | None]:
            raise ValueError("no such thing")

    bench = bench_of(Pace())
    bench.open()
    bench.loop.inquire(Failing())
    bench.told.wait_for(lambda: bool(bench.told.failures))
    bench.loop.inquire(FLOW)
    bench.told.wait_for(lambda: bool(bench.told.answers))
    assert len(bench.told.failures) == 1
    assert not bench.told.failures[0].opening


def test_a_question_about_another_pair_ends_the_encoding_of_one_ahead() -> None:
    hand_over = HandOver()
    assert hand_over.next_job(EncodeAhead(8)) is not None, "nothing is asked: a pair is encoded ahead"
    cancelled: list[bool] = []
    from videoinr.render.hand_over import Stage, Task

    def work(token: CancelToken) -> None:
        hand_over.put_inquiry(FLOW)
        cancelled.append(token.cancelled)

    hand_over.run(Task(8, Stage.ENCODING, is_ahead=True), work)
    hand_over.run(Task(3, Stage.ENCODING, is_ahead=True), work)
    hand_over.run(Task(8, Stage.ENCODING), work)
    assert cancelled == [True, False, False]


def test_the_motion_of_a_view_is_asked_for_on_a_grid_that_is_not_too_fine() -> None:
    clip = Grid(1920, 1080)
    for scale, rect in ((1, Rect(0, 0, 1920, 1080)), (4, Rect(1001, 500, 1203, 777)), (0.5, Rect(3, 3, 950, 500))):
        view = RegionQuery(HALF, clip.scaled(scale), rect)
        asked = flow_query(view, clip)
        assert asked.instant == HALF
        assert asked.rect.area <= FLOW_PX
        assert asked.grid.width <= clip.width
        for low, high, side, other in (
            (rect.x, rect.right, view.grid.width, (asked.rect.x, asked.rect.right, asked.grid.width)),
            (rect.y, rect.bottom, view.grid.height, (asked.rect.y, asked.rect.bottom, asked.grid.height)),
        ):
            assert other[0] / other[2] <= low / side
            assert other[1] / other[2] >= high / side


def test_a_waiting_request_is_not_refused_by_an_inquiry() -> None:
    hand_over = HandOver()
    hand_over.put_inquiry(FLOW)
    request = RenderRequest(whole(), moving=False)
    hand_over.put_request(request)
    assert hand_over.next_job(None) is request
    assert not hand_over.newer_within(0.0), "an inquiry does not end the work on a request"
    assert hand_over.next_job(None) is FLOW
