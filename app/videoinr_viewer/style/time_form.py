"""The forms in which times are shown. No Qt."""

from __future__ import annotations

from enum import Enum


class TimeForm(Enum):
    """How the time field and the timeline write times."""

    SECONDS = "seconds"
    TIMECODE = "timecode"
    FRAMES = "frames"


TIME_FORM_NAMES = frozenset(form.value for form in TimeForm)


def time_form_named(name: str) -> TimeForm:
    """Return the form of a stored name; seconds for any other text."""
    return TimeForm(name) if name in TIME_FORM_NAMES else TimeForm.SECONDS
