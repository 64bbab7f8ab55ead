"""Document: what the user made of a clip, all that undo and redo restore; and the words for a change of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from videoinr_viewer.clip_access.reading import Reading
from videoinr_viewer.journey.journey import Journey
from videoinr_viewer.session import Marks
from videoinr_viewer.style.language import tr
from videoinr_viewer.timeline.annotations import Bookmark, NamedSegment


@dataclass(frozen=True)
class Document:
    """The marks, the segments and bookmarks in the order of their times, how the clip is read, and the journey."""

    marks: Marks = field(default_factory=Marks)
    segments: tuple[NamedSegment, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()
    reading: Reading = field(default_factory=Reading)
    journey: Journey = field(default_factory=Journey)

    def within(self, duration_secs: Fraction) -> Document:
        """Return what lies in a clip of ``duration_secs``."""
        return replace(
            self,
            marks=self.marks.within(duration_secs),
            segments=tuple(one for one in self.segments if one.segment.end_secs <= duration_secs),
            bookmarks=tuple(one for one in self.bookmarks if one.time_secs <= duration_secs),
            journey=self.journey.within(duration_secs),
        )


def words_for_change(old: Document, new: Document) -> str:
    """Return what was done between ``old`` and ``new``, as a menu names it after "Undo"."""
    changes = [
        words
        for is_changed, words in (
            (old.reading != new.reading, _words_for_reading(old.reading, new.reading)),
            (old.segments != new.segments, _words_for_segments(old.segments, new.segments)),
            (old.bookmarks != new.bookmarks, _words_for_bookmarks(old.bookmarks, new.bookmarks)),
            (old.journey != new.journey, _words_for_journey(old.journey, new.journey)),
            (old.marks != new.marks, _words_for_marks(old.marks, new.marks)),
        )
        if is_changed
    ]
    return changes[0] if len(changes) == 1 else tr("several changes")


def _words_for_reading(old: Reading, new: Reading) -> str:
    if old.cuts != new.cuts:
        return tr("edit a cut")
    if old.model != new.model:
        return tr("choose the model")
    return tr("choose the device") if old.device != new.device else tr("change how the clip is read")


def _words_for_segments(old: tuple[NamedSegment, ...], new: tuple[NamedSegment, ...]) -> str:
    if len(new) < len(old):
        return tr("remove the segment")
    if len(new) == len(old):
        return tr("rename the segment")
    return tr("add the segment") if set(old) <= set(new) else tr("split the segment")


def _words_for_bookmarks(old: tuple[Bookmark, ...], new: tuple[Bookmark, ...]) -> str:
    if len(new) == len(old):
        return tr("rename the bookmark")
    return tr("remove the bookmark") if len(new) < len(old) else tr("set the bookmark")


def _words_for_journey(old: Journey, new: Journey) -> str:
    if old.curve != new.curve:
        return tr("change the retime curve") if new.curve is not None else tr("reset the retime curve")
    if old.readout != new.readout:
        return tr("correct the rolling shutter") if new.readout else tr("leave the rolling shutter as it is")
    if old.shutter_region != new.shutter_region:
        return tr("set the shutter of a region") if new.shutter_region else tr("remove the shutter of the region")
    return tr("change the shutter") if old.shutter != new.shutter else tr("change the camera path")


def _words_for_marks(old: Marks, new: Marks) -> str:
    if new == Marks():
        return tr("clear the marks")
    # Each mark removes the other one if that is on its wrong side.
    return tr("mark in") if new.in_secs not in (None, old.in_secs) else tr("mark out")
