"""Computes the reference of the decoded picture on a thread of its own, and hands it to the item that paints it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QPointF, QTimer, Signal, Slot

from videoinr.types import RenderedRegion
from videoinr_viewer.clip_access.side_reader import SideReader
from videoinr_viewer.picture.comparing import (
    GAINS,
    Compare,
    Frames,
    Reference,
    difference,
    needs_second,
    reference_pixels,
)
from videoinr_viewer.picture.picture_item import PictureItem
from videoinr_viewer.threads.newest import NewestWorker

BLINK_MSECS = 500


@dataclass(frozen=True, eq=False)
class _Compared:
    """A decoded region, the kind of reference and the gain that were asked for; and the answers."""

    decoded: RenderedRegion
    kind: Reference
    gain: int
    reference: RenderedRegion | None = None
    difference: RenderedRegion | None = None


class Comparison(QObject):
    """Keeps the reference of ``item`` up to date. ``reader`` gives the second frame of a blend."""

    changed = Signal()
    """The mode, the reference or the gain changed."""
    _computed = Signal(object)

    def __init__(self, item: PictureItem, reader: SideReader, parent: QObject) -> None:
        super().__init__(parent)
        self._item, self._reader = item, reader
        self.gain = GAINS[2]
        self._asked: _Compared | None = None
        self._shown: _Compared | None = None
        self._worker = NewestWorker("videoinr-compare")
        self._computed.connect(self._take)
        self._blink = QTimer(self)
        self._blink.setInterval(BLINK_MSECS)
        self._blink.timeout.connect(self._turn)

    @property
    def mode(self) -> Compare:
        """How the reference and the decoded picture are compared."""
        return self._item.compare

    @property
    def kind(self) -> Reference:
        """What the decoded picture is compared with."""
        return self._item.kind

    @property
    def is_complete(self) -> bool:
        """Whether nothing is compared, or the reference of the newest decoded region is there."""
        newest, shown = self._item.newest(), self._shown
        if self.mode is Compare.OFF or newest is None:
            return True
        return shown is not None and (shown.decoded, shown.kind, shown.gain) == (newest, self.kind, self.gain)

    def set_mode(self, mode: Compare) -> None:
        """Compare in another way, or not at all. A wipe that is out of sight comes to the middle of the view."""
        self._item.compare, self._item.blinks = mode, False
        if mode is Compare.BLINK:
            self._blink.start()
        else:
            self._blink.stop()
        if mode.is_wipe:
            self._bring_wipe_into_sight()
        self.update()
        self.changed.emit()

    def set_kind(self, kind: Reference) -> None:
        """Compare with another reference."""
        self._item.kind = kind
        self.update()
        self.changed.emit()

    def change_gain(self, steps: int) -> None:
        """Go ``steps`` entries up (or down) in GAINS."""
        self.gain = GAINS[min(max(GAINS.index(self.gain) + steps, 0), len(GAINS) - 1)]
        self.update()
        self.changed.emit()

    def move_wipe(self, x: float) -> None:
        """Put the wipe at ``x``, clip pixels, kept inside the picture."""
        self._item.wipe_x = min(max(x, 0.0), float(self._item.size[0]))
        self._item.update()

    def step_wipe(self, share: float) -> None:
        """Move the wipe by ``share`` of the picture's visible width."""
        panes = self._item.panes()
        if panes:
            self.move_wipe(self._item.wipe_x + share * self._item.frame_box(panes[0]).width() / panes[0].physical.m11())

    @Slot()
    def update(self) -> None:
        """Ask for the reference of the newest decoded region, unless that was asked for."""
        self._item.update()
        newest = self._item.newest()
        if self.mode is Compare.OFF or newest is None or self._item.stack.source is None:
            return
        asked = _Compared(newest, self.kind, self.gain)
        if self._is_asked(asked):
            return
        self._asked = asked
        source, reader = self._item.stack.source.rgbx, self._reader
        if needs_second(asked.kind, newest.query.instant.phase):
            self._worker.submit(
                lambda: self._compute(asked, Frames(source, reader.rgbx(newest.query.instant.pair + 1)))
            )
        else:
            self._worker.submit(lambda: self._compute(asked, Frames(source)))

    def close(self) -> None:
        """End the thread."""
        self._blink.stop()
        self._worker.close()

    def _is_asked(self, asked: _Compared) -> bool:
        last = self._asked
        return last is not None and (last.decoded, last.kind, last.gain) == (asked.decoded, asked.kind, asked.gain)

    def _compute(self, asked: _Compared, frames: Frames) -> None:
        # On the worker's thread; the signal is queued to the GUI thread.
        pixels = reference_pixels(frames, asked.decoded.query, asked.kind)
        reference = replace(asked.decoded, rgbx=pixels)
        self._computed.emit(
            replace(asked, reference=reference, difference=difference(asked.decoded, pixels, asked.gain))
        )

    @Slot(object)
    def _take(self, computed: _Compared) -> None:
        if computed.decoded is self._item.newest() and computed.kind is self.kind:
            self._shown = computed
            self._item.reference, self._item.difference = computed.reference, computed.difference
            self._item.update()

    @Slot()
    def _turn(self) -> None:
        self._item.blinks = not self._item.blinks
        self._item.update()
        self.changed.emit()

    def _bring_wipe_into_sight(self) -> None:
        panes = self._item.panes()
        if not panes:
            return
        frame, x = self._item.frame_box(panes[0]), panes[0].physical.map(QPointF(self._item.wipe_x, 0)).x()
        if not frame.left() + 1 < x < frame.right() - 1:
            inverted, _ = panes[0].physical.inverted()
            self.move_wipe(inverted.map(frame.center()).x())
