"""The zoom and scroll of the timeline as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoinr_viewer.timeline.span import Span

WHOLE = Span(0, 1000, 1000, 10)


@given(st.floats(0.1, 100), st.floats(0, 1000))
def test_zooming_keeps_the_place_of_a_tick(factor: float, at: float) -> None:
    span = WHOLE.zoomed(factor, at)
    assert 0 <= span.first < span.last <= 1000 + 1e-6
    assert 10 - 1e-6 <= span.length <= 1000
    if not span.is_whole and span.first > 0 and span.last < 1000:
        assert (at - span.first) / span.length == pytest.approx(at / 1000, abs=1e-6)


@given(st.lists(st.tuples(st.sampled_from("zmw"), st.floats(-500, 1500), st.floats(0.2, 5)), max_size=20))
def test_a_span_stays_inside_the_clip(steps: list[tuple[str, float, float]]) -> None:
    span = WHOLE
    for kind, ticks, factor in steps:
        if kind == "z":
            span = span.zoomed(factor, min(max(ticks, span.first), span.last))
        else:
            span = span.moved(ticks) if kind == "m" else span.with_tick(min(max(ticks, 0.0), 1000.0))
        assert -1e-6 <= span.first < span.last <= 1000 + 1e-6


def test_a_tick_out_of_sight_is_scrolled_to() -> None:
    span = Span(100, 200, 1000, 10)
    assert span.with_tick(150) is span
    assert span.with_tick(700).first == pytest.approx(690)
    assert Span(400, 500, 1000, 10).with_tick(350).last == pytest.approx(360)
    assert WHOLE.zoomed(1e-9, 3).is_whole
