"""The real window with a slow renderer, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytestqt.qtbot import QtBot

from helpers.slow_renderer import SlowRenderer
from videoinr.types import Quality, RenderedRegion, RenderRequest
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.viewer import Viewer

PATIENCE_MSECS = 20_000


@dataclass(eq=False)
class Stage:
    """A viewer, its renderers, its requests and the regions that it showed."""

    qtbot: QtBot
    viewer: Viewer
    made: list[SlowRenderer]
    requests: list[RenderRequest] = field(default_factory=list)
    shown: list[RenderedRegion] = field(default_factory=list)

    def open(self, path: str = "gradient.mp4", start: StartView | None = None) -> None:
        self.viewer.session.open(Path(path), start)
        self.wait_for(lambda: self.viewer.session.clip is not None)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MSECS)

    def is_complete(self) -> bool:
        """Return whether the full picture of the current view is on the screen."""
        session = self.viewer.session
        return session.last_query is not None and self.viewer.window.frame_view.full_for(session.last_query) is not None

    def wait_until_complete(self) -> None:
        self.wait_for(self.is_complete)

    def qualities(self) -> list[Quality]:
        return [region.quality for region in self.shown]
