"""The forms in which times are shown. No Qt."""

from __future__ import annotations

from enum import Enum


class TimeForm(Enum):
    """How the time field and the timeline write times."""

    SECONDS = "seconds"
    TIMECODE = "timecode"
    """Counted from the timecode of the clip's file, if it has one."""
    COUNTED = "timecode-from-zero"
    """Timecode counted from the clip's first frame, whatever its file says."""
    FRAMES = "frames"

    @property
    def is_timecode(self) -> bool:
        """Whether times are written as HH:MM:SS:FF."""
        return self in (TimeForm.TIMECODE, TimeForm.COUNTED)


TIME_FORM_NAMES = frozenset(form.value for form in TimeForm)


def time_form_named(name: str) -> TimeForm:
    """Return the form of a stored name; seconds for any other text."""
    return TimeForm(name) if name in TIME_FORM_NAMES else TimeForm.SECONDS
