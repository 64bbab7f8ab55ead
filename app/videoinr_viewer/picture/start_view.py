"""What is shown first of a clip that is opened: by the command line, a project, or the same clip read anew."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from videoinr.render.messages import Opened
from videoinr.text.clip_time import ClipTime
from videoinr_viewer.picture.navigation import Point


@dataclass(frozen=True)
class StartView:
    """The view of a newly opened clip. None: its start, and a fitted picture."""

    time: ClipTime | None = None
    zoom: float | None = None
    centre: Point | None = None

    def secs(self, opened: Opened) -> Fraction:
        """Return the time in the clip, seconds. Raises UsageError if it is a timecode that the clip does not have."""
        return Fraction(0) if self.time is None else self.time.time_on(opened.timeline, opened.info)
