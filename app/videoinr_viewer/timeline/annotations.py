"""What the user notes on a clip's timeline: named segments and bookmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.render.messages import Opened
from videoinr.text.plain import is_plain_line
from videoinr.types import Segment
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr

MOST_NAME_CHARS = 200


@dataclass(frozen=True)
class NamedSegment:
    """A stretch of the clip with a name."""

    name: str
    segment: Segment


@dataclass(frozen=True)
class Bookmark:
    """A time with a name."""

    name: str
    time_secs: Fraction


class Annotations(QObject):
    """The segments and bookmarks of the open clip, both in the order of their times."""

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.segments: tuple[NamedSegment, ...] = ()
        self.bookmarks: tuple[Bookmark, ...] = ()
        self._count_segments = self._count_bookmarks = 0
        session.opened.connect(self._open)
        session.closed.connect(self.clear)

    @Slot()
    def clear(self) -> None:
        """Forget all: another clip is open."""
        self.segments, self.bookmarks = (), ()
        self._count_segments = self._count_bookmarks = 0
        self.changed.emit()

    @Slot(object)
    def _open(self, opened: Opened) -> None:
        """Keep what lies in the same clip, read anew; forget all about another one."""
        if not self._session.keeps_notes:
            self.clear()
            return
        end = opened.timeline.duration_secs
        self._set_segments(tuple(one for one in self.segments if one.segment.end_secs <= end))
        self._set_bookmarks(tuple(one for one in self.bookmarks if one.time_secs <= end))

    def restore(self, segments: tuple[NamedSegment, ...], bookmarks: tuple[Bookmark, ...]) -> None:
        """Have these and no others. Numbers of names that were given are not given again."""
        self._count_segments = max(self._count_segments, len(segments))
        self._count_bookmarks = max(self._count_bookmarks, len(bookmarks))
        if segments != self.segments:
            self._set_segments(segments)
        if bookmarks != self.bookmarks:
            self._set_bookmarks(bookmarks)

    # ---- segments ----

    def add_segment(self) -> None:
        """Add the segment between the marks, or the whole clip, unless it is there already."""
        segment = self._session.segment
        if segment is None or any(one.segment == segment for one in self.segments):
            return
        self._count_segments += 1
        name = tr("Segment {number}", number=self._count_segments)
        self._set_segments((*self.segments, NamedSegment(name, segment)))

    def split_segment(self) -> None:
        """Split the segment at the present time in two; without one, the whole clip."""
        clip, now = self._session.clip, self._session.view.time_secs
        if clip is None:
            return
        here = self.segment_at(now)
        whole = Segment(Fraction(0), clip.timeline.duration_secs)
        old = here.segment if here is not None else whole
        if not old.start_secs < now < old.end_secs:
            return
        self._count_segments += 1 if here is not None else 2
        first = here.name if here is not None else tr("Segment {number}", number=self._count_segments - 1)
        parts = (
            NamedSegment(first, Segment(old.start_secs, now)),
            NamedSegment(tr("Segment {number}", number=self._count_segments), Segment(now, old.end_secs)),
        )
        self._set_segments((*(one for one in self.segments if one is not here), *parts))

    def remove_segment(self) -> None:
        """Remove the segment at the present time, if there is one."""
        here = self.segment_at(self._session.view.time_secs)
        if here is not None:
            self._set_segments(tuple(one for one in self.segments if one is not here))

    def segment_at(self, time_secs: Fraction) -> NamedSegment | None:
        """Return the shortest segment that holds ``time_secs``, or None."""
        around = [one for one in self.segments if one.segment.start_secs <= time_secs < one.segment.end_secs]
        return min(around, key=lambda one: one.segment.duration_secs, default=None)

    def rename_segment(self, index: int, name: str) -> None:
        """Give the segment ``index`` another name; an empty one changes nothing."""
        if shown := _shown_name(name):
            named = replace(self.segments[index], name=shown)
            self._set_segments((*self.segments[:index], named, *self.segments[index + 1 :]))

    def delete_segment(self, index: int) -> None:
        """Remove the segment ``index``."""
        self._set_segments((*self.segments[:index], *self.segments[index + 1 :]))

    # ---- bookmarks ----

    def toggle_bookmark(self) -> None:
        """Set a bookmark at the present time, or remove the one that is there."""
        if self._session.clip is None:
            return
        now = self._session.view.time_secs
        others = tuple(one for one in self.bookmarks if one.time_secs != now)
        if len(others) == len(self.bookmarks):
            self._count_bookmarks += 1
            others = (*others, Bookmark(tr("Bookmark {number}", number=self._count_bookmarks), now))
        self._set_bookmarks(others)

    def go_to_bookmark(self, direction: int) -> None:
        """Go to the next bookmark (``direction`` 1) or the previous one (-1); beyond the last one, nothing happens."""
        now = self._session.view.time_secs
        times = [one.time_secs for one in self.bookmarks if (one.time_secs - now) * direction > 0]
        if times:
            self._session.seek(min(times) if direction > 0 else max(times))

    def rename_bookmark(self, index: int, name: str) -> None:
        """Give the bookmark ``index`` another name; an empty one changes nothing."""
        if shown := _shown_name(name):
            named = replace(self.bookmarks[index], name=shown)
            self._set_bookmarks((*self.bookmarks[:index], named, *self.bookmarks[index + 1 :]))

    def delete_bookmark(self, index: int) -> None:
        """Remove the bookmark ``index``."""
        self._set_bookmarks((*self.bookmarks[:index], *self.bookmarks[index + 1 :]))

    def _set_segments(self, segments: tuple[NamedSegment, ...]) -> None:
        self.segments = tuple(sorted(segments, key=lambda one: (one.segment.start_secs, one.segment.end_secs)))
        self.changed.emit()

    def _set_bookmarks(self, bookmarks: tuple[Bookmark, ...]) -> None:
        self.bookmarks = tuple(sorted(bookmarks, key=lambda one: one.time_secs))
        self.changed.emit()


def _shown_name(text: str) -> str:
    """Return ``text`` as a name on one line, as a project file takes it; empty if nothing of it can be shown."""
    return "".join(char for char in text if is_plain_line(char))[:MOST_NAME_CHARS].strip()
