"""Writes and reads the times of an open clip: as seconds, timecode or frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from videoinr.text.timecode import frame_names, has_timecode, length_of, timecode_of
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.text import format_instant, format_time, parse_time
from videoinr_viewer.style.time_form import TimeForm
from videoinr_viewer.timeline.ruler import format_label, frame_step, label_step_secs, multiples

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class Clock:
    """The times of a clip.

    Attributes:
        timeline: when its frames are shown.
        info: its rate, and whether that is constant.
        wanted: how times are shown, if the clip has such times: seconds take the place of timecode in a clip of a
            variable rate.
    """

    timeline: Timeline
    info: ClipInfo
    wanted: TimeForm = TimeForm.SECONDS

    @property
    def form(self) -> TimeForm:
        """How times are shown."""
        has_none = self.wanted.is_timecode and not has_timecode(self.info)
        return TimeForm.SECONDS if has_none else self.wanted

    @property
    def _named(self) -> ClipInfo:
        """The clip, with the timecode that its first frame is shown with."""
        own = self.info.timecode
        if own is None or self.wanted is not TimeForm.COUNTED:
            return self.info
        return replace(self.info, timecode=replace(own, frame=0))

    def text(self, time_secs: Fraction) -> str:
        """Return ``0:01.250``, ``00:00:01:06 + 0.250`` or ``frame 31 + 0.250``; :meth:`parse` reads it."""
        if self.form is TimeForm.SECONDS:
            return format_time(time_secs)
        instant = self.timeline.instant_from_time(time_secs)
        if self.form is TimeForm.FRAMES:
            return format_instant(instant)
        thousandths = int(instant.position % 1 * 1000)
        between = decimal(f" + {thousandths / 1000:.3f}") if thousandths else ""
        return f"{timecode_of(int(instant.position), self._named)}{between}"

    def end(self, time_secs: Fraction) -> str:
        """Return the same for the end of a stretch, the first moment after it: the clip's end has a name, too."""
        if time_secs < self.timeline.duration_secs:
            return self.text(time_secs)
        return timecode_of(self.timeline.frame_count, self._named) if self.form.is_timecode else self.duration

    def brief(self, time_secs: Fraction) -> str:
        """Return the same to stand beside the place in frames: without what lies between two, or nothing."""
        if self.form is TimeForm.FRAMES:
            return ""
        return format_time(time_secs) if self.form is TimeForm.SECONDS else self.text(time_secs).partition(" ")[0]

    @property
    def duration(self) -> str:
        """How long the clip is."""
        if self.form is TimeForm.SECONDS:
            return format_time(self.timeline.duration_secs)
        count = self.timeline.frame_count
        return str(count) if self.form is TimeForm.FRAMES else length_of(count, self.info)

    @property
    def widest(self) -> str:
        """A text as wide as any time of the clip."""
        if self.form is TimeForm.SECONDS:
            return f"0{self.duration}"
        number = tr("frame {number}", number=self.duration) if self.form is TimeForm.FRAMES else self.duration
        return f"{number} + 0.000"

    def parse(self, text: str) -> Fraction | None:
        """Return the time in seconds that ``text`` names in any form, or None; see :func:`parse_time`.

        A mere number is one of a frame where frames are shown. Raises UsageError for a timecode that the clip lacks.
        """
        is_frame = self.form is TimeForm.FRAMES and _NUMBER.fullmatch(text.strip())
        return parse_time(f"frame {text}" if is_frame else text, self.timeline, self._named)

    def labels(
        self, start_secs: Fraction, end_secs: Fraction, width_px: int, *, least_px: int
    ) -> Iterator[tuple[Fraction, str]]:
        """Yield the times and the texts of a ruler of ``width_px`` pixels, at least about ``least_px`` apart."""
        if self.form is TimeForm.SECONDS:
            yield from second_labels(start_secs, end_secs, width_px, least_px=least_px)
            return
        timeline, is_timecode = self.timeline, self.form.is_timecode
        first, last = timeline.frame_at(start_secs), timeline.frame_at(end_secs)
        names = frame_names(self._named)
        step = frame_step(Fraction((last - first + 1) * least_px, max(width_px, 1)), names.base if is_timecode else 0)
        if not is_timecode:
            yield from ((timeline.frame_time(frame), str(frame)) for frame in _multiples(first, last, step))
            return
        numbers = _multiples(names.number(first), names.number(last), step)
        # Names that are dropped stand for the next frame, all of them once.
        for frame in dict.fromkeys(map(names.frame, numbers)):
            if frame <= last:
                yield timeline.frame_time(frame), names.text(frame)


def _multiples(first: int, last: int, step: int) -> range:
    """Return the multiples of ``step`` from ``first`` to ``last``."""
    return range(-(-first // step) * step, last + 1, step)


def second_labels(
    start_secs: Fraction, end_secs: Fraction, width_px: int, *, least_px: int
) -> Iterator[tuple[Fraction, str]]:
    """Yield the same in seconds."""
    step = label_step_secs(end_secs - start_secs, width_px, least_px=least_px)
    for time in multiples(step, end_secs, start_secs):
        yield time, decimal(format_label(time, step))
