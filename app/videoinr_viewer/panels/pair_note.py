"""What the status line says of the pair in view: a cut, a repeated frame, or motion beyond the model's reach."""

from __future__ import annotations

from videoinr.render.reach import ReachWatch
from videoinr.types import PairKind, Quality, RenderedRegion
from videoinr_viewer.style.language import tr

BEYOND_REACH = "motion beyond reach here: pictures between the frames are a guess"


class PairNote:
    """Decides the note about the pair in view. Knows no widget."""

    def __init__(self) -> None:
        self._reach = ReachWatch()
        self._pair = -1
        self._note = ""

    def clear(self) -> str:
        """Forget the clip; return the empty note."""
        self._reach, self._pair, self._note = ReachWatch(), -1, ""
        return self._note

    def look(self, pair: int) -> str:
        """Return the note while ``pair`` is in view and no new picture has come.

        The note of a cut or a repeat ends with its pair. That of motion stays for the next pair, until a picture tells
        more, so that it does not flicker while the time runs; it ends where the view jumps.
        """
        step = abs(pair - self._pair)
        if step > 1:
            self._reach = ReachWatch()
        if step:
            self._note = tr(BEYOND_REACH) if self._reach.is_beyond else ""
        return self._note

    def show(self, region: RenderedRegion) -> str:
        """Return the note for a rendered region."""
        if region.quality is Quality.SOURCE:
            return self._note
        self.look(region.query.instant.pair)
        self._pair = region.query.instant.pair
        if region.pair_kind is PairKind.CUT:
            self._reach = ReachWatch()  # Another scene begins.
        is_beyond = self._reach.note(region.expected_db)
        self._note = kind_note(region.pair_kind) or (tr(BEYOND_REACH) if is_beyond else "")
        return self._note


def kind_note(kind: PairKind) -> str:
    """Return what is special about a pair of ``kind``; nothing about motion."""
    return {
        PairKind.MOTION: "",
        PairKind.CUT: tr("cut: the nearer frame is held"),
        PairKind.REPEAT: tr("repeated frame: motion runs on across it"),
    }[kind]
