"""A random place of the mouse on a 1080p clip, and how far the clip's point below it has moved since."""

from __future__ import annotations

from random import Random

from videoinr_viewer.picture.navigation import clip_point
from videoinr_viewer.session import Session

Place = tuple[float, float]


def mouse_on_clip(session: Session, random: Random) -> tuple[Place, Place]:
    """Return a place of the screen, pixels, and the clip's point that is drawn there, clip pixels."""
    screen = session.screen_px
    x, y = clip_point(session.drawn_view, screen, (random.uniform(0, screen[0]), random.uniform(0, screen[1])))
    point = (min(max(x, 0.0), 1920.0), min(max(y, 0.0), 1080.0))
    return _drawn_at(session, point), point


def drift(session: Session, at: Place, point: Place) -> float:
    """Return how far ``point`` is drawn from ``at``, screen pixels, along the worse axis."""
    return max(abs(now - then) for now, then in zip(_drawn_at(session, point), at, strict=True))


def _drawn_at(session: Session, point: Place) -> Place:
    view = session.drawn_view
    x, y = ((p - c) * view.zoom + s / 2 for p, c, s in zip(point, view.centre, session.screen_px, strict=True))
    return x, y
