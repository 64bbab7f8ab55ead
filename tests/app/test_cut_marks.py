"""How the window shows a cut: a sentence in the status line and a mark on the timeline."""

from __future__ import annotations

from fractions import Fraction

from helpers.stage import Stage


def test_the_status_line_says_that_a_frame_is_held(stage: Stage) -> None:
    stage.made[0].cuts = frozenset({10})
    label = stage.viewer.window.status.pair
    stage.viewer.session.seek(Fraction(21, 50))
    stage.wait_for(lambda: label.text() == "cut: the nearer frame is held")
    assert label.isVisible()
    stage.viewer.session.seek(Fraction(1))
    assert not label.isVisible()


def test_the_timeline_marks_the_cuts_that_were_seen(stage: Stage) -> None:
    stage.made[0].cuts = frozenset({10})
    overview = stage.viewer.window.timeline.overview
    before = overview.grab().toImage()
    stage.viewer.session.seek(Fraction(21, 50))
    stage.wait_for(lambda: overview.cuts == (10,))
    stage.viewer.session.seek(Fraction(0))
    assert overview.grab().toImage() != before
    stage.viewer.session.open(stage.made[0].path)
    stage.wait_for(lambda: len(stage.made) == 2 and overview.cuts == ())
