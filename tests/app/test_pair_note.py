"""The note of the status line about the pair in view."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from helpers.stage import Stage
from videoinr.geometry import Grid
from videoinr.types import GUESS_DB, Instant, PairKind, Quality, RegionQuery, RenderedRegion
from videoinr_viewer.panels.pair_note import BEYOND_REACH, PairNote

GRID = Grid(8, 6)


def region(
    pair: int,
    expected_db: float | None,
    *,
    kind: PairKind = PairKind.MOTION,
    quality: Quality = Quality.FULL,
) -> RenderedRegion:
    query = RegionQuery(Instant(pair, Fraction(1, 2)), GRID, GRID.rect)
    return RenderedRegion(query, quality, np.zeros((6, 8, 4), np.uint8), 0.1, kind, expected_db)


def test_motion_beyond_reach_is_said_and_stays_from_pair_to_pair() -> None:
    note = PairNote()
    assert note.show(region(4, 35.0)) == ""
    assert note.look(5) == ""
    assert note.show(region(5, GUESS_DB - 2)) == BEYOND_REACH
    # The next pair: its source frame and a motion draft come first and tell nothing new.
    assert note.look(6) == BEYOND_REACH
    assert note.show(region(6, None, quality=Quality.SOURCE)) == BEYOND_REACH
    assert note.show(region(6, None, quality=Quality.MOTION)) == BEYOND_REACH
    # A little above the threshold it stays, well above it ends.
    assert note.show(region(6, GUESS_DB + 1)) == BEYOND_REACH
    assert note.show(region(7, GUESS_DB + 2)) == ""
    assert note.show(region(8, GUESS_DB + 1)) == ""


def test_a_jump_a_cut_and_another_clip_end_it() -> None:
    note = PairNote()
    note.show(region(5, 15.0))
    assert note.look(9) == ""
    note.show(region(5, 15.0))
    assert note.show(region(6, None, kind=PairKind.CUT)) == "cut: the nearer frame is held"
    assert note.look(7) == ""
    assert note.show(region(7, GUESS_DB + 1)) == ""
    note.show(region(7, 15.0))
    assert note.clear() == ""
    assert note.look(7) == ""


def test_cuts_and_repeats_are_said_for_their_pair_alone() -> None:
    note = PairNote()
    assert note.show(region(3, 40.0, kind=PairKind.REPEAT)) == "repeated frame: motion runs on across it"
    assert note.look(3) == "repeated frame: motion runs on across it"
    assert note.look(4) == ""
    assert note.show(region(4, None, quality=Quality.SOURCE)) == ""


def test_the_window_says_that_motion_is_beyond_reach(stage: Stage) -> None:
    stage.made[0].expected_db = {10: GUESS_DB - 4, 11: GUESS_DB + 1, 12: GUESS_DB + 9}
    label = stage.viewer.window.status.pair
    stage.viewer.session.seek(Fraction(21, 50))  # The clip has 25 frames a second: the middle of pair 10.
    stage.wait_for(lambda: label.text() == BEYOND_REACH)
    assert label.isVisible()
    stage.viewer.session.seek(Fraction(23, 50))
    stage.wait_until_complete()
    assert label.text() == BEYOND_REACH
    stage.viewer.session.seek(Fraction(25, 50))
    stage.wait_for(lambda: label.text() == "")
    assert not label.isVisible()
