"""Gestures of the view, and the interludes of a long task."""

from __future__ import annotations

import threading
from fractions import Fraction

import pytest

from helpers.loop_under_test import whole
from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled
from videoinr.render.gesture import MOST_REST_SECS, REST_INTERVALS, REST_SECS, Gesture
from videoinr.render.interlude import InterludeToken
from videoinr.types import Quality, RenderRequest


class Hand:
    """A hand that asks for instants; the request before the first one is long ago."""

    def __init__(self) -> None:
        self.gesture, self.last_secs = Gesture(), -100.0

    def asks(self, at_secs: float, pair: int = 0, *, moving: bool = True, answered: bool = True) -> Gesture:
        if answered:
            request = RenderRequest(whole(pair, Fraction(1, 3)), moving)
            self.gesture.note(request, at_secs, at_secs - self.last_secs)
        self.last_secs = at_secs
        return self.gesture


def test_a_slow_drag_is_given_more_time_to_rest() -> None:
    hand = Hand()
    assert hand.asks(10.0).rest_secs == REST_SECS
    assert hand.asks(10.01).rest_secs == REST_SECS
    assert hand.asks(10.09).rest_secs == pytest.approx(REST_INTERVALS * 0.08)
    assert hand.asks(10.28).rest_secs == pytest.approx(REST_INTERVALS * 0.19)
    assert hand.asks(10.7).rest_secs == MOST_REST_SECS
    assert hand.asks(11.3).rest_secs == REST_SECS, "after a rest another gesture begins"


def test_a_gesture_that_fell_back_to_motion_drafts_keeps_to_them() -> None:
    hand = Hand()
    gesture = hand.asks(0.0)
    gesture.note_shown(Quality.MOTION)
    assert not gesture.keeps_to_motion, "it may still get better"
    gesture.note_shown(Quality.DRAFT)
    hand.asks(0.05, 1)
    gesture.note_shown(Quality.MOTION)
    assert gesture.keeps_to_motion
    assert hand.asks(0.1, 1).keeps_to_motion
    hand.asks(0.15, answered=False)
    assert hand.asks(0.2, 1).keeps_to_motion, "an answer that takes long is no rest"
    assert not hand.asks(0.25, 1, moving=False).keeps_to_motion


def test_the_time_on_a_pair_is_measured_across_pairs_left_out() -> None:
    hand = Hand()
    assert hand.asks(0.0, 3).secs_per_pair == float("inf")
    hand.asks(0.04, 3)
    assert hand.asks(0.08, 5).secs_per_pair == pytest.approx(0.04)
    assert hand.asks(0.14, 4).secs_per_pair == pytest.approx(0.06)


def test_an_interlude_runs_at_checks_but_not_at_its_own() -> None:
    calls = list[int]()
    token = CancelToken()

    def interlude() -> None:
        calls.append(1)
        between.check()

    between = InterludeToken(token, interlude)
    between.check()
    between.check()
    assert len(calls) == 2
    assert between.spent_secs > 0
    token.cancel()
    assert between.cancelled
    with pytest.raises(Cancelled):
        between.check()
    assert len(calls) == 2


def test_interludes_belong_to_the_thread_that_made_the_token() -> None:
    calls = list[str]()
    between = InterludeToken(CancelToken(), lambda: calls.append(threading.current_thread().name))
    other = threading.Thread(target=between.check)
    other.start()
    other.join()
    assert calls == []
    between.check()
    assert calls == [threading.current_thread().name]


def test_interludes_go_on_while_other_threads_work() -> None:
    looks, calls, token = iter([False, False, False, True]), list[int](), CancelToken()
    between = InterludeToken(token, lambda: calls.append(1))
    between.attend(lambda secs: next(looks))
    assert len(calls) == 3
    token.cancel()
    with pytest.raises(Cancelled):
        between.attend(lambda secs: False)


def test_an_interlude_waits_for_its_own_threads_without_another_one() -> None:
    waits = list[float | None]()

    def wait(secs: float | None) -> bool:
        waits.append(secs)
        return secs is None

    between = InterludeToken(CancelToken(), lambda: between.attend(wait))
    between.check()
    assert waits == [None]


def test_an_interlude_that_fails_leaves_the_next_one_possible() -> None:
    answers = iter([ZeroDivisionError, None])

    def interlude() -> None:
        if (error := next(answers)) is not None:
            raise error

    between = InterludeToken(CancelToken(), interlude)
    with pytest.raises(ZeroDivisionError):
        between.check()
    between.check()
    assert next(answers, "none left") == "none left"
