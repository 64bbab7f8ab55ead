"""Edits the cuts of the open clip: where a scene begins although none was found, and where none does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.session import Session


class CutEditor(QObject):
    """Cuts are part of how the clip is read: an edit opens it anew, with the same view. ``cuts_of``: those known."""

    reading_wanted = Signal(object)
    """Reading: the present one with other cuts."""

    def __init__(
        self, session: Session, reading: ReadingChoice, cuts_of: Callable[[], Collection[int]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._reading, self._cuts_of = session, reading, cuts_of

    def toggle(self) -> None:
        """Say that a scene begins at the present time, or that none does if one is known to begin there.

        Between two frames their own pair is meant; at a frame's time, the pair that ends with it.
        """
        if (pair := self._pair()) is None:
            return
        # Imported here: the start of the program does without the readers.
        from videoinr.clip.cut_edits import edits_from_text, text_of_edits

        edits = edits_from_text(self._reading.current.cuts)
        edits[pair] = pair not in self._cuts_of()
        self.reading_wanted.emit(replace(self._reading.current, cuts=text_of_edits(edits)))

    def _pair(self) -> int | None:
        """Return the pair that an edit at the present time is about; None at the clip's start."""
        if (clip := self._session.clip) is None or clip.timeline.last_frame == 0:
            return None
        now = self._session.view.time_secs
        frame = clip.timeline.frame_at(now)
        pair = frame - 1 if now == clip.timeline.frame_time(frame) else frame
        return min(pair, clip.timeline.last_frame - 1) if pair >= 0 else None
