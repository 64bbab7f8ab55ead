"""Zoom, pan and fit: the point under the mouse stays, and the picture is drawn with its corner on a whole pixel."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from helpers.slow_renderer import SlowRenderer
from videoinr.render.view import resolve, scale_from_zoom
from videoinr.types import ViewState
from videoinr_viewer.picture.navigation import (
    MAX_ZOOM,
    MIN_ZOOM,
    clip_point,
    drawn,
    fitted,
    least_zoom,
    panned,
    zoomed,
)

INFO = SlowRenderer(Path("c.mp4"), width=1000, height=600).opened.info
SCREEN = (800, 500)
views = st.builds(
    lambda x, y, zoom: ViewState(Fraction(1), (x, y), zoom),
    st.floats(0, INFO.width),
    st.floats(0, INFO.height),
    st.floats(0.1, 40),
)
points = st.tuples(st.integers(0, SCREEN[0]), st.integers(0, SCREEN[1]))


def corner(view: ViewState) -> tuple[float, float]:
    return SCREEN[0] / 2 - view.centre[0] * view.zoom, SCREEN[1] / 2 - view.centre[1] * view.zoom


def is_inside(view: ViewState) -> bool:
    """Return whether the view's centre is far enough inside the picture that it was not clamped."""
    pixel = 1 / view.zoom
    (x, y), (width, height) = view.centre, (INFO.width, INFO.height)
    return pixel < x < width - pixel and pixel < y < height - pixel


@given(views, points, st.floats(0.25, 4))
def test_zooming_keeps_the_drawn_point_under_the_mouse(view: ViewState, at: tuple[int, int], factor: float) -> None:
    before = clip_point(drawn(view, SCREEN), SCREEN, at)
    after = zoomed(view, INFO, SCREEN, factor=factor, at=at)
    assert MIN_ZOOM <= after.zoom <= MAX_ZOOM
    x, y = clip_point(after, SCREEN, at)
    if is_inside(after):
        assert abs(x - before[0]) * after.zoom < 1e-6
        assert abs(y - before[1]) * after.zoom < 1e-6


@given(views, points, st.floats(0.25, 4))
def test_the_picture_is_drawn_with_its_corner_on_a_whole_pixel(
    view: ViewState, at: tuple[int, int], factor: float
) -> None:
    after = zoomed(view, INFO, SCREEN, factor=factor, at=at)
    for exact, whole in zip(corner(after), corner(drawn(after, SCREEN)), strict=True):
        assert abs(whole - round(whole)) < 1e-6
        assert abs(whole - exact) < 0.5 + 1e-6


@given(views, st.tuples(st.integers(-300, 300), st.integers(-300, 300)))
def test_panning_moves_the_picture_by_the_given_pixels(view: ViewState, by_px: tuple[int, int]) -> None:
    after = panned(view, INFO, by_px=by_px)
    if is_inside(after) and is_inside(view):
        moved = [round(b - a, 6) for a, b in zip(corner(view), corner(after), strict=True)]
        assert moved == list(by_px)


def test_the_picture_cannot_be_made_a_dot() -> None:
    view = fitted(ViewState(Fraction(0), (0.0, 0.0), 1.0), INFO, SCREEN, margin_px=12)
    for _ in range(30):
        view = zoomed(view, INFO, SCREEN, factor=0.5, at=(10, 10))
    assert view.zoom == least_zoom(INFO, SCREEN)
    assert min(INFO.width * view.zoom / SCREEN[0], INFO.height * view.zoom / SCREEN[1]) >= 0.4


def test_no_zoom_is_larger_than_the_largest_decoded_scale() -> None:
    assert scale_from_zoom(MAX_ZOOM) == MAX_ZOOM


@given(views, st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)))
def test_the_picture_never_leaves_the_window(view: ViewState, by_px: tuple[int, int]) -> None:
    after = panned(view, INFO, by_px=by_px)
    timeline = SlowRenderer().timeline
    assert resolve(after, INFO, timeline, SCREEN, moving=False) is not None


def test_fit_shows_the_whole_picture_with_its_margin() -> None:
    view = fitted(ViewState(Fraction(1), (3.0, 4.0), 17.0), INFO, SCREEN, margin_px=10)
    assert view.zoom == (SCREEN[0] - 20) / INFO.width
    left, top = corner(drawn(view, SCREEN))
    assert left == 10
    assert abs(top - (SCREEN[1] - INFO.height * view.zoom) / 2) <= 0.5
    assert view.time_secs == 1


def test_a_zoom_near_a_whole_number_is_rounded_to_it() -> None:
    view = ViewState(Fraction(0), (500.0, 300.0), 2**0.5)
    assert zoomed(view, INFO, SCREEN, factor=2**0.5, at=(10, 10)).zoom == 2.0
