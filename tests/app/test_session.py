"""The session without a window: intents, requests and exact times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from pytestqt.qtbot import QtBot

from helpers.slow_renderer import SlowRenderer
from helpers.zoom_paths import drift, mouse_on_clip
from videoinr.render.messages import Failure
from videoinr.text.clip_time import ClipTime, clip_time
from videoinr.types import RenderRequest, Segment, ViewState
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.session import Marks, Session

SCREEN = (640, 480)
FRAME = Fraction(1, 25)


@pytest.fixture
def requests() -> list[RenderRequest]:
    return []


@pytest.fixture
def session(qtbot: QtBot, requests: list[RenderRequest]) -> Session:
    session = Session()
    session.requested.connect(requests.append)
    session.set_screen(SCREEN, 10.0)
    session.open(Path("clip.mp4"))
    session.clip_opened(SlowRenderer().opened)
    return session


def test_opening_requests_the_clip_and_then_the_first_picture(qtbot: QtBot) -> None:
    session = Session()
    wanted: list[Path] = []
    asked: list[RenderRequest] = []
    session.open_wanted.connect(wanted.append)
    session.requested.connect(asked.append)
    session.set_screen(SCREEN, 0.0)
    session.open(Path("clip.mp4"))
    session.seek(Fraction(1))
    assert wanted == [Path("clip.mp4")]
    assert asked == [], "no request may overtake the opening"
    session.clip_opened(SlowRenderer().opened)
    assert [request.query.instant.pair for request in asked] == [0]
    assert not asked[0].moving


def test_a_clip_opens_with_its_start_view(qtbot: QtBot) -> None:
    session = Session()
    session.set_screen(SCREEN, 0.0)
    session.open(Path("clip.mp4"), StartView(ClipTime(Fraction(5, 4)), 8.0, (40.0, 30.0)))
    session.clip_opened(SlowRenderer().opened)
    assert session.view.time_secs == Fraction(5, 4)
    assert session.view.zoom == 8.0
    assert session.view.centre == pytest.approx((40.0, 30.0), abs=1 / 8)


@pytest.mark.parametrize(("text", "secs"), [("00:00:01:06", Fraction(31, 25)), ("f31", Fraction(31, 25)), ("50%", 1)])
def test_a_clip_opens_at_any_time_that_can_be_typed(qtbot: QtBot, text: str, secs: Fraction) -> None:
    session = Session()
    session.open(Path("clip.mp4"), StartView(clip_time(text)))
    session.clip_opened(SlowRenderer().opened)
    assert session.view.time_secs == secs


def test_a_timecode_that_the_clip_lacks_is_told_and_the_clip_opens_at_its_start(qtbot: QtBot) -> None:
    session, told = Session(), list[Failure]()
    session.start_refused.connect(told.append)
    session.open(Path("clip.mp4"), StartView(clip_time("00:00:00:99")))
    session.clip_opened(SlowRenderer().opened)
    assert (session.view.time_secs, told[0].message) == (Fraction(0), "A second of the clip has no frame 99.")


def test_a_fitted_view_follows_the_windows_size(session: Session) -> None:
    before = session.view.zoom
    session.set_screen((1280, 960), 10.0)
    assert session.view.zoom > before
    session.zoom_to(4)
    session.set_screen((800, 600), 10.0)
    assert session.view.zoom == 4


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (Fraction(1), 1, 1 + FRAME),
        (Fraction(1), -1, 1 - FRAME),
        (1 + FRAME / 3, 1, 1 + FRAME),
        (1 + FRAME / 3, -1, Fraction(1)),
        (Fraction(0), -1, Fraction(0)),
        (2 - FRAME, 1, 2 - FRAME),
        (Fraction(2), -1, 2 - FRAME),
    ],
)
def test_steps_of_source_frames(session: Session, start: Fraction, count: int, expected: Fraction) -> None:
    session.seek(start)
    session.step_source_frame(count)
    assert session.view.time_secs == expected


def test_steps_of_a_sixteenth_add_up_to_a_frame(session: Session) -> None:
    session.seek(Fraction(1))
    for _ in range(16):
        session.step_phase(Fraction(1, 16))
    assert session.view.time_secs == 1 + FRAME
    for _ in range(16):
        session.step_phase(Fraction(-1, 16))
    assert session.view.time_secs == 1


def test_the_time_stays_in_the_clip(session: Session) -> None:
    session.seek(Fraction(99))
    assert session.view.time_secs == 2
    session.step_secs(Fraction(-99))
    assert session.view.time_secs == 0
    session.step_phase(Fraction(-1))
    assert session.view.time_secs == 0


def test_a_mark_on_the_wrong_side_removes_the_other(session: Session) -> None:
    session.seek(Fraction(1))
    session.mark_out()
    session.seek(Fraction(3, 2))
    session.mark_in()
    assert session.marks == Marks(Fraction(3, 2), None)
    session.seek(Fraction(1, 2))
    session.mark_out()
    assert session.marks == Marks(None, Fraction(1, 2))
    assert session.segment == Segment(Fraction(0), Fraction(1, 2))


def test_marks_never_give_an_empty_segment(session: Session) -> None:
    session.seek(Fraction(0))
    session.mark_out()
    session.seek(Fraction(2))
    session.mark_in()
    assert session.marks == Marks()


def test_a_clip_is_asked_for_and_looked_at_once_while_the_window_makes_room(qtbot: QtBot) -> None:
    """The picture's widget gets its size in several steps, in the same turn of the event loop."""
    session = Session()
    asked: list[RenderRequest] = []
    views: list[ViewState] = []
    session.requested.connect(asked.append)
    session.view_changed.connect(views.append)
    session.opened.connect(lambda _: session.set_screen((300, 200), 0.0))
    session.opened.connect(lambda _: session.set_screen(SCREEN, 0.0))
    session.open(Path("clip.mp4"))
    session.clip_opened(SlowRenderer().opened)
    assert len(asked) == len(views) == 1
    assert session.screen_px == SCREEN
    session.set_screen((320, 240), 0.0)
    assert len(asked) == len(views) == 2, "later sizes count at once"


def test_settling_requests_the_full_picture(session: Session, requests: list[RenderRequest]) -> None:
    session.seek(Fraction(1), moving=True)
    session.settle()
    assert [request.moving for request in requests[-2:]] == [True, False]
    assert requests[-1].query == requests[-2].query == session.last_query


def test_a_failed_opening_keeps_the_clip(session: Session, requests: list[RenderRequest]) -> None:
    told: list[str] = []
    session.closed.connect(lambda: told.append("closed"))
    session.open_failed.connect(lambda: told.append("open failed"))
    session.seek(Fraction(1))
    session.mark_in()
    clip = session.clip
    session.failed(Failure("A picture failed.", "", opening=False))
    session.open(Path("broken.mp4"))
    requests.clear()
    session.pan((4, 4))
    assert requests == [], "no request may overtake the opening"
    session.failed(Failure("No such file.", "", opening=True))
    assert session.clip is clip
    assert session.marks.in_secs == 1
    assert told == ["open failed"]
    assert [request.moving for request in requests] == [False], "the full picture of the old clip is asked for again"


def test_a_failed_first_opening_leaves_no_clip(qtbot: QtBot) -> None:
    session = Session()
    closed: list[None] = []
    session.closed.connect(lambda: closed.append(None))
    session.open(Path("broken.mp4"))
    session.failed(Failure("No such file.", "", opening=True))
    assert session.clip is None
    assert len(closed) == 1
    session.seek(Fraction(1))
    session.zoom_to(3)
    session.pan((4, 4))
    session.step_source_frame(1)
    session.mark_in()
    assert session.segment is None


def test_the_point_under_the_mouse_stays_there_through_any_path_of_zooms(qtbot: QtBot) -> None:
    """500 random paths from the fitted view of a 1080p clip to x32, with the mouse at one place in each path."""
    random = Random(1)
    for _ in range(500):
        session = Session()
        session.set_screen((random.randint(700, 1900), random.randint(500, 1000)), 12.0)
        session.clip_opened(SlowRenderer(width=1920, height=1080).opened)
        at, point = mouse_on_clip(session, random)
        while session.view.zoom < 31:
            session.zoom_at(2 ** (random.choice((1, 1, 1, -1)) / 4), at)
        assert drift(session, at, point) < 1


def test_a_clip_of_one_frame_has_one_time(qtbot: QtBot, requests: list[RenderRequest]) -> None:
    session = Session()
    session.requested.connect(requests.append)
    session.set_screen(SCREEN, 0.0)
    session.open(Path("still.png"))
    session.clip_opened(SlowRenderer(frames=1).opened)
    session.step_source_frame(1)
    session.step_phase(Fraction(1, 16))
    session.go_to_end()
    assert session.view.time_secs == 0
    assert requests[-1].query.instant.pair == 0
