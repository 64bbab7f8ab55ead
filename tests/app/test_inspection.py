"""Motion, trajectories and doubt over the picture: they keep to it at any zoom, follow the time, and can be read."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from helpers.slow_renderer import VELOCITY, Pace
from helpers.stage import Stage
from videoinr.geometry import Grid, Rect
from videoinr.render.inspected import Between, FlowField
from videoinr.types import Instant, RegionQuery
from videoinr_viewer.inspection.blend_overlay import blend_colours
from videoinr_viewer.inspection.flow_overlay import FlowView
from videoinr_viewer.inspection.flow_picture import (
    MOST_ALPHA,
    arrow_spacing,
    arrows,
    magnification,
    nice_scale,
    scale_of,
    wheel,
    wheel_colours,
)
from videoinr_viewer.inspection.inspections import Inspections

HERE = Fraction(131, 100)
"""Pair 32, phase 3/4."""


def inspections_of(stage: Stage) -> Inspections:
    return stage.viewer.window.inspections


def trigger(stage: Stage, *names: str) -> None:
    for name in names:
        stage.viewer.window.actions_by_id[name].trigger()
    stage.wait_until_complete()
    stage.wait_for(lambda: inspections_of(stage).is_complete)


def legend_of(stage: Stage) -> str:
    return " | ".join(line for part in inspections_of(stage).legend.parts for line in part.lines)


def shot_of(stage: Stage) -> NDArray[np.uint8]:
    """uint8 [height, width, 3] of the picture with its layers, without widgets over it."""
    image = stage.viewer.window.frame_view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def here(stage: Stage) -> Stage:
    stage.viewer.session.seek(HERE)
    stage.wait_until_complete()
    return stage


# ---- numbers ----


@pytest.mark.parametrize(
    ("value", "scale"), [(0.0, 0.1), (0.1, 0.1), (0.11, 0.2), (0.7, 1), (1.0, 1), (3, 5), (5.0, 5), (51, 100)]
)
def test_scales_are_round_numbers(value: float, scale: float) -> None:
    assert nice_scale(value) == pytest.approx(scale)


def field_of(flow: NDArray[np.float32], rect: Rect | None = None, grid: Grid | None = None) -> FlowField:
    grid = grid or Grid(flow.shape[2], flow.shape[1])
    query = RegionQuery(Instant(0, Fraction(1, 2)), grid, rect or grid.rect)
    return FlowField(query, Between(0, 1, Fraction(1, 2)), flow)


def test_the_scale_is_that_of_the_motion_from_frame_to_frame() -> None:
    flow = np.zeros((2, 20, 30, 2), np.float32)
    flow[0, ..., 0], flow[1, ..., 0] = -1.0, 3.0
    flow[:, 0, 0] = 500, np.nan
    assert scale_of(field_of(flow)) == 5


def test_colours_tell_direction_and_length() -> None:
    flow = np.array([[[4, 0], [0, 4], [-4, 0], [0, -4], [2, 0], [0, 0], [400, 0]]], np.float32)
    right, down, left, up, half, still, far = wheel_colours(flow, 4.0)[0].astype(int)
    most = round(255 * MOST_ALPHA)
    assert right.tolist() == [most, 0, 0, most] == far.tolist()
    assert half[3] == pytest.approx(most / 2, abs=1)
    assert still.tolist() == [0, 0, 0, 0]
    assert left[0] == 0
    assert left[1] == left[2] == most, "cyan, opposite of red"
    assert down[1] > down[0] > down[2]
    assert up[2] > up[0] > up[1]
    disc = wheel(64)
    assert disc[0, 0].tolist() == [0, 0, 0, 0]
    assert disc[32, 62, 0] > disc[32, 40, 0] > 0, "the rim is the scale"


def test_arrows_lead_to_where_the_pixel_lies_in_the_other_frame() -> None:
    flow = np.zeros((2, 40, 60, 2), np.float32)
    flow[1] = (3.0, -1.0)
    made = arrows(
        field_of(flow), to_later=True, clip=(60, 40), seen=(10.0, 5.0, 30.0, 25.0), zoom=8.0, corner=(-80.0, -40.0),
        scale_px=5.0, least_px=22.0,
    )  # fmt: skip
    assert arrow_spacing(8.0, 22.0) == 4
    assert len(made.tails) == 6 * 6, "one for every 4 x 4 clip pixels that can be seen"
    assert (made.tails[0] + (80, 40)).tolist() == [8 * 10, 8 * 6]
    np.testing.assert_allclose(made.tips - made.tails, np.tile([24.0, -8.0], (36, 1)))
    heads = np.linalg.norm(made.heads - made.tips[:, None], axis=-1)
    np.testing.assert_allclose(heads, 0.35 * np.hypot(24, 8))


def test_arrows_are_magnified_only_where_they_cannot_be_read() -> None:
    assert magnification(5.0, 8.0, 32.0) == 1
    assert magnification(0.1, 1.0, 32.0) == 256
    assert magnification(200.0, 4.0, 32.0) == 2**-5


def test_arrows_begin_only_where_the_field_is_known() -> None:
    flow = np.ones((2, 10, 10, 2), np.float32)
    field = field_of(flow, Rect(20, 10, 10, 10), Grid(60, 40))
    made = arrows(
        field, to_later=False, clip=(60, 40), seen=(0.0, 0.0, 60.0, 40.0), zoom=8.0, corner=(0.0, 0.0), scale_px=1.0,
        least_px=8.0,
    )  # fmt: skip
    assert made.tails.min(0).tolist() == [8 * 20.5, 8 * 10.5]
    assert made.tails.max(0).tolist() == [8 * 29.5, 8 * 19.5]


# ---- the motion on the screen ----


def test_v_goes_through_the_views_of_the_motion(here: Stage) -> None:
    shown, window = inspections_of(here), here.viewer.window
    seen = []
    for _ in range(4):
        trigger(here, "flow")
        checked = [name for name, action in window.actions_by_id.items()
                   if name in ("flow-off", "flow-colours", "flow-arrows") and action.isChecked()]  # fmt: skip
        seen.append((shown.flow.view, checked, shown.legend.isVisible()))
    assert seen == [
        (FlowView.COLOURS, ["flow-colours"], True),
        (FlowView.ARROWS, ["flow-arrows"], True),
        (FlowView.OFF, ["flow-off"], False),
        (FlowView.COLOURS, ["flow-colours"], True),
    ]


def test_the_colours_on_the_screen_are_those_of_the_motion_at_the_time_in_view(here: Stage) -> None:
    plain = shot_of(here)
    trigger(here, "flow-colours")
    shown = inspections_of(here)
    field = shown.flow.field
    assert field is not None
    assert field.query.instant == Instant(32, Fraction(3, 4))
    length = np.hypot(*VELOCITY)
    assert shown.flow.scale_px == nice_scale(length) == 5
    assert legend_of(here) == "Motion to frame 33 | full colour: 5 px"
    colour = wheel_colours(np.array([[VELOCITY]], np.float32) / np.float32(4), 5.0)[0, 0].astype(float)
    at = here.viewer.window.frame_view.viewport().rect().center()
    wanted = plain[at.y(), at.x()] * (1 - colour[3] / 255) + colour[:3]
    assert np.abs(shot_of(here)[at.y(), at.x()] - wanted).max() <= 3
    trigger(here, "flow-later")
    assert legend_of(here).startswith("Motion to frame 32")
    assert not here.viewer.window.actions_by_id["flow-later"].isChecked()
    other = wheel_colours(np.array([[VELOCITY]], np.float32) * np.float32(-0.75), 5.0)[0, 0].astype(float)
    wanted = plain[at.y(), at.x()] * (1 - other[3] / 255) + other[:3]
    assert np.abs(shot_of(here)[at.y(), at.x()] - wanted).max() <= 3


def test_the_motion_follows_the_time(here: Stage) -> None:
    trigger(here, "flow-arrows")
    here.viewer.session.seek(Fraction(1, 2))
    assert not inspections_of(here).flow.is_fresh, "until it is computed, it is drawn faintly"
    here.wait_for(lambda: inspections_of(here).is_complete)
    field = inspections_of(here).flow.field
    assert field is not None
    assert field.query.instant == Instant(12, Fraction(1, 2))


@pytest.mark.parametrize("action", ["flow-colours", "blend-mask"])
def test_what_is_shown_of_a_zoomed_view_does_not_count_for_the_whole(here: Stage, action: str) -> None:
    here.viewer.session.zoom_to(16)
    here.wait_until_complete()
    trigger(here, action)
    here.wait_for(lambda: inspections_of(here).is_complete)
    here.viewer.session.fit()
    assert not inspections_of(here).is_complete, "another part of the picture is in view"
    here.wait_for(lambda: inspections_of(here).is_complete)
    shown = inspections_of(here).flow.field if action == "flow-colours" else inspections_of(here).blend.mask
    assert shown is not None
    assert shown.query.rect == shown.query.grid.rect


@pytest.mark.parametrize("zoom", [3.7, 16.0])
def test_arrows_keep_to_the_picture_while_it_is_moved(here: Stage, zoom: float) -> None:
    here.viewer.session.zoom_to(zoom)
    trigger(here, "flow-arrows")
    before = inked(shot_of(here))
    here.viewer.session.pan((37, -21))
    here.wait_until_complete()
    here.wait_for(lambda: inspections_of(here).is_complete)
    # Away from the borders, the same is drawn 37 further right and 21 further up; lines are smoothed, hence a pixel.
    inner = (slice(60, -60), slice(60, -60))
    after, moved = inked(shot_of(here)), np.roll(before, (-21, 37), (0, 1))
    assert after[inner].sum() > 500
    assert not (after & ~grown(moved))[inner].any()
    assert not (moved & ~grown(after))[inner].any()


def inked(shot: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where arrows are drawn: the picture itself has no yellow."""
    found: NDArray[np.bool_] = np.abs(shot.astype(int) - (255, 236, 130)).max(-1) < 40
    return found


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    near = np.zeros_like(mask)
    for rows in (-1, 0, 1):
        for columns in (-1, 0, 1):
            near |= np.roll(mask, (rows, columns), (0, 1))
    return near


def test_motion_that_is_off_is_not_asked_for(here: Stage) -> None:
    trigger(here, "flow-colours", "flow-off")
    count = len(here.made[-1].asked("flow"))
    here.viewer.session.seek(Fraction(1, 5))
    here.wait_until_complete()
    here.qtbot.wait(20)
    assert len(here.made[-1].asked("flow")) == count


def test_another_clip_starts_without_the_old_motion(here: Stage) -> None:
    trigger(here, "flow-colours")
    here.viewer.session.open(here.made[-1].path.with_name("other.mp4"))
    here.wait_for(lambda: len(here.made) == 2)
    here.wait_until_complete()
    here.wait_for(lambda: inspections_of(here).is_complete)
    field = inspections_of(here).flow.field
    assert field is not None
    assert field.query.instant == Instant(0, Fraction(0))


# ---- trajectories ----


def test_a_clicked_point_is_followed_through_its_pair(here: Stage) -> None:
    trigger(here, "trajectory")
    shown, view = inspections_of(here), here.viewer.window.frame_view
    assert view.cursor().shape() is Qt.CursorShape.CrossCursor
    at = QPoint(300, 200)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    place = view.clip_point(QPointF(at))
    here.wait_for(lambda: shown.trajectory.trajectory is not None and shown.trajectory.trajectory.place == place)
    way = shown.trajectory.trajectory
    assert way is not None
    assert len(way.places) == 17
    assert shown.trajectory.place_now() == pytest.approx(place)
    assert legend_of(here).startswith("Trajectory, frames 32 to 33 | 4.47 px")
    zoom = here.viewer.session.view.zoom
    here.viewer.session.seek(here.viewer.session.clip.timeline.frame_time(32))  # type: ignore[union-attr]
    now = shown.trajectory.place_now()
    assert now == pytest.approx((place[0] - 0.75 * VELOCITY[0], place[1] - 0.75 * VELOCITY[1]))
    assert zoom == here.viewer.session.view.zoom
    here.viewer.session.seek(Fraction(1, 2))
    assert shown.trajectory.place_now() is None, "another pair is in view"


def test_the_way_of_a_point_is_drawn_where_the_point_goes(here: Stage) -> None:
    here.viewer.session.zoom_to(16)
    here.wait_until_complete()
    plain, view = shot_of(here), here.viewer.window.frame_view
    trigger(here, "trajectory")
    shot = shot_of(here)
    way = inspections_of(here).trajectory.trajectory
    assert way is not None
    pane = view.item.panes()[0]
    for place in way.places[1:-1]:
        point = pane.physical.map(QPointF(*place))
        x, y = round(point.x()), round(point.y())
        assert (shot[y, x] != plain[y, x]).any()
    far = [np.argwhere((shot != plain).any(-1)).min(0), np.argwhere((shot != plain).any(-1)).max(0)]
    ends = [pane.physical.map(QPointF(*place)) for place in (way.places[0], way.places[-1])]
    assert far[0][1] > min(end.x() for end in ends) - 45
    assert far[1][1] < max(end.x() for end in ends) + 45


def test_dragging_moves_the_point_and_the_middle_button_still_pans(here: Stage) -> None:
    trigger(here, "trajectory")
    view, session, shown = here.viewer.window.frame_view, here.viewer.session, inspections_of(here)
    centre = session.view.centre
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    QTest.mouseMove(view.viewport(), QPoint(350, 180))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(350, 180))
    wanted = view.clip_point(QPointF(350, 180))
    here.wait_for(lambda: shown.trajectory.trajectory is not None and shown.trajectory.trajectory.place == wanted)
    assert session.view.centre == centre
    here.viewer.window.actions_by_id["leave"].trigger()
    assert not shown.follows_point
    assert shown.trajectory.trajectory is None
    assert not here.viewer.window.actions_by_id["trajectory"].isChecked()
    assert view.cursor().shape() is not Qt.CursorShape.CrossCursor


def test_pictures_come_though_a_question_takes_long(stage_of: Callable[..., Stage]) -> None:
    stage = stage_of(Pace(inquiry_secs=60.0))
    stage.open()
    stage.wait_until_complete()
    for name in ("flow-colours", "trajectory"):
        stage.viewer.window.actions_by_id[name].trigger()
    stage.wait_for(lambda: bool(stage.made[-1].asked("flow")))
    assert "being computed" in legend_of(stage)
    stage.viewer.session.seek(Fraction(1))
    stage.wait_until_complete()


# ---- doubt ----


def test_doubt_is_drawn_over_its_cells_with_a_key(here: Stage) -> None:
    plain = shot_of(here)
    trigger(here, "unsure")
    shot, view = shot_of(here).astype(int), here.viewer.window.frame_view
    assert legend_of(here).startswith("Unsure, between frames 32 and 33")
    box = view.item.frame_box(view.item.panes()[0])
    y = round(box.center().y())
    changed = [
        int(np.abs(shot[y, x] - plain[y, x]).max())
        for x in (round(box.left() + share * box.width()) for share in (0.02, 0.3, 0.6, 0.9))
    ]
    assert changed[0] < 20 < changed[2]
    assert changed == sorted(changed)
    outside = (shot != plain).any(-1)[:, : int(box.left()) - 1]
    assert not outside.any()
    here.viewer.session.seek(HERE + Fraction(1, 400))
    here.wait_until_complete()
    assert len(here.made[-1].asked("doubt")) == 1, "one question for all of a pair"
    trigger(here, "unsure")
    assert not inspections_of(here).legend.isVisible()


# ---- the blend mask ----


def test_colours_tell_which_frame_has_the_larger_share() -> None:
    first, half, second = blend_colours(np.array([[1.0, 0.5, 0.0]], np.float32))[0].astype(int)
    assert first[2] > first[0], "blue"
    assert second[0] > second[2], "orange"
    assert half.tolist() == [0, 0, 0, 0]
    assert first[3] == second[3] > 128


def test_the_blend_mask_lies_over_the_picture_and_follows_the_time(here: Stage) -> None:
    trigger(here, "fit")
    plain = shot_of(here).astype(int)
    trigger(here, "blend-mask")
    covered = shot_of(here).astype(int)
    width = covered.shape[1]
    row = covered.shape[0] // 2
    assert covered[row, width // 4, 2] > plain[row, width // 4, 2] + 20, "the left half is the first frame's"
    assert covered[row, 3 * width // 4, 0] > plain[row, 3 * width // 4, 0] + 20
    assert legend_of(here).startswith("Blend: blue is frame 32, orange frame 33 | clear: half of each; here 50%")
    here.viewer.session.seek(HERE + Fraction(1, 25))
    here.wait_for(lambda: inspections_of(here).is_complete)
    assert "frame 33, orange frame 34" in legend_of(here)
    trigger(here, "blend-mask")
    assert legend_of(here) == ""
