"""The bench's tables of recent requests."""

from __future__ import annotations

from fractions import Fraction

from videoinr.geometry import Grid, Rect
from videoinr.render.pacing import DRAFT_DIVISORS
from videoinr.render.view import coarser
from videoinr.types import Instant, RegionQuery
from videoinr_viewer.bench.requests import REMEMBERED_REQUESTS, Asked, Requests

GRID = Grid(1280, 720)


def asked(number: int, *, x: int = 0, phase: Fraction = Fraction(1, 2)) -> Asked:
    return Asked(number, RegionQuery(Instant(3, phase), GRID, Rect(x, 0, 640, 360)), float(number))


def test_a_request_is_found_by_its_full_picture_and_its_drafts() -> None:
    requests, one = Requests(), asked(1)
    requests.add(one)
    for divisor in DRAFT_DIVISORS:
        assert requests.answered_by(coarser(one.query, divisor)) is one
    assert requests.answered_by(asked(1, x=8).query) is None


def test_the_newest_of_several_requests_is_found() -> None:
    requests, same_again = Requests(), asked(3)
    for one in (asked(1), asked(2, x=8), same_again, elsewhere := asked(4, x=16)):
        requests.add(one)
    assert requests.answered_by(asked(1).query) is same_again
    assert requests.for_instant(elsewhere.query.instant) is elsewhere
    assert requests.for_instant(Instant(3, Fraction(1, 3))) is None


def test_only_the_oldest_requests_are_dropped() -> None:
    requests = Requests()
    many = [asked(number, x=number, phase=Fraction(number, 1000)) for number in range(REMEMBERED_REQUESTS + 2)]
    for one in many:
        requests.add(one)
    for one in many[:2]:
        assert requests.answered_by(one.query) is None
        assert requests.for_instant(one.query.instant) is None
    for one in many[2:]:
        assert requests.answered_by(one.query) is one
        assert requests.for_instant(one.query.instant) is one
