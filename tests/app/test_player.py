"""Playback with a clock that the test controls."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from helpers.slow_renderer import SlowRenderer
from videoinr_viewer.player import SPEEDS, Player
from videoinr_viewer.session import Session


class Clock:
    """A clock that the test advances; the player's own ticks in between add no time."""

    def __init__(self, player_session: Session) -> None:
        self.now_ns = 5_000_000_000
        self.player = Player(player_session, clock_ns=lambda: self.now_ns)

    def run(self, secs: Fraction) -> None:
        self.now_ns += int(secs * 1_000_000_000)
        self.player.tick()


@pytest.fixture
def session(qtbot: QtBot) -> Session:
    session = Session()
    session.set_screen((640, 480), 0.0)
    session.open(Path("clip.mp4"))
    session.clip_opened(SlowRenderer().opened)
    return session


@pytest.fixture
def clock(session: Session) -> Clock:
    return Clock(session)


@pytest.mark.parametrize("speed", SPEEDS)
def test_time_runs_at_the_chosen_speed(session: Session, clock: Clock, speed: Fraction) -> None:
    clock.player.set_speed(speed)
    clock.player.toggle()
    for _ in range(10):
        clock.run(Fraction(1, 40))
    assert session.view.time_secs == speed / 4


def test_late_ticks_lose_no_time(session: Session, clock: Clock) -> None:
    clock.player.toggle()
    clock.run(Fraction(3, 2))
    assert session.view.time_secs == Fraction(3, 2)


def test_playback_continues_from_a_new_time(session: Session, clock: Clock) -> None:
    clock.player.toggle()
    clock.run(Fraction(1, 4))
    session.seek(Fraction(1))
    clock.run(Fraction(1, 4))
    assert session.view.time_secs == Fraction(5, 4)


def test_playback_loops_between_the_marks(session: Session, clock: Clock) -> None:
    session.seek(Fraction(1, 2))
    session.mark_in()
    session.seek(Fraction(1))
    session.mark_out()
    clock.player.toggle()
    assert session.view.time_secs == Fraction(1, 2), "playing starts inside the marks"
    clock.run(Fraction(2, 5))
    assert session.view.time_secs == Fraction(9, 10)
    clock.run(Fraction(1, 5))
    assert session.view.time_secs == Fraction(1, 2)
    assert clock.player.is_playing


def test_without_looping_playback_stops_on_the_last_frame_and_starts_over(session: Session, clock: Clock) -> None:
    clock.player.set_loops(False)
    clock.player.toggle()
    clock.run(Fraction(9))
    assert not clock.player.is_playing
    assert session.view.time_secs == 2 - Fraction(1, 25)
    clock.player.toggle()
    assert session.view.time_secs == 0


def test_playback_runs_backwards(session: Session, clock: Clock) -> None:
    session.seek(Fraction(1))
    clock.player.shuttle(-1)
    clock.run(Fraction(1, 4))
    assert session.view.time_secs == Fraction(3, 4)
    clock.player.shuttle(-1)
    clock.run(Fraction(1, 4))
    assert session.view.time_secs == Fraction(1, 4)
    clock.player.set_loops(False)
    clock.run(Fraction(1))
    assert session.view.time_secs == 0
    assert not clock.player.is_playing


def test_a_held_slider_suspends_the_clock(session: Session, clock: Clock) -> None:
    clock.player.toggle()
    clock.player.hold(True)
    clock.run(Fraction(1))
    assert session.view.time_secs == 0
    clock.player.hold(False)
    clock.run(Fraction(1, 4))
    assert session.view.time_secs == Fraction(1, 4)


def test_exact_times_keep_small_denominators(session: Session, clock: Clock) -> None:
    clock.player.set_speed(Fraction(1, 16))
    clock.player.toggle()
    for step in range(500):
        clock.now_ns += 1_234_567 + step
        clock.player.tick()
    assert session.view.time_secs.denominator <= 16_000_000


def test_without_a_clip_nothing_plays(qtbot: QtBot) -> None:
    player = Player(Session())
    player.toggle()
    player.shuttle(-1)
    assert not player.is_playing


def test_opening_another_clip_pauses(session: Session, clock: Clock) -> None:
    clock.player.toggle()
    session.open(Path("other.mp4"))
    assert not clock.player.is_playing


def test_the_speed_stays_within_the_table(clock: Clock) -> None:
    for _ in range(20):
        clock.player.change_speed(1)
    assert clock.player.speed == SPEEDS[-1]
    for _ in range(20):
        clock.player.change_speed(-1)
    assert clock.player.speed == SPEEDS[0]
