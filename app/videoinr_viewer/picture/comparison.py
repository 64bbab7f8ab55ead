"""Computes the reference of the decoded picture on a thread of its own, and hands it to the item that paints it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QPointF, QTimer, Signal, Slot

from videoinr.cancel import CancelToken
from videoinr.errors import Cancelled, VideoInrError
from videoinr.render.messages import Opened
from videoinr.types import Quality, RenderedRegion
from videoinr_viewer.clip_access.reference_file import TICKS_SECS, ReferenceFile, ReferenceFrame
from videoinr_viewer.clip_access.second_model import OpenModel, SecondModel, next_model
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
from videoinr_viewer.picture.scoring import Score, nearness
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
    score: Score | None = None


class Comparison(QObject):
    """Keeps the reference of ``item`` up to date. ``reader`` gives the second frame of a blend.

    ``open_model`` opens the clip with another model; None where nobody can. ``hold_ahead`` is told, on the worker's
    thread, whether a picture of that model is being computed: until it is there, nothing else is worth the cores.
    """

    changed = Signal()
    """The mode, the reference or the gain changed."""
    scored = Signal(object)
    """Score of the picture in view against a reference file or another model's; None while there is none."""
    failed = Signal(str, str)
    """A reference file cannot be used: what happened, and what to do."""
    _computed = Signal(object)
    _model_failed = Signal(object, str, str)
    _file_opened = Signal(object)
    _file_failed = Signal(object, str, str)

    def __init__(self, item: PictureItem, reader: SideReader, parent: QObject) -> None:
        super().__init__(parent)
        self._item, self._reader = item, reader
        self.gain = GAINS[2]
        self._asked: _Compared | None = None
        self._shown: _Compared | None = None
        self._worker = NewestWorker("videoinr-compare")
        self._opened: Opened | None = None
        self._file: ReferenceFile | None = None
        self._to_open: deque[ReferenceFile] = deque(maxlen=1)
        self.open_model: OpenModel | None = None
        self.hold_ahead: Callable[[bool], None] = lambda _is_held: None
        self._model: SecondModel | None = None
        self._token = CancelToken()
        self._computed.connect(self._take)
        self._model_failed.connect(self._refuse_model)
        self._file_opened.connect(self._use_file)
        self._file_failed.connect(self._refuse_file)
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

    def open(self, opened: Opened) -> None:
        """Take a newly opened clip; a reference file of the clip before is closed, unless it is read anew."""
        same = self._opened is not None and self._opened.info.path == opened.info.path
        self._opened = opened
        self.scored.emit(None)
        if not same:
            self._to_open.clear()
        if not same and self._file is not None:
            self._drop_file()
            self.set_kind(Reference.NEAREST)
        if self._model is not None:
            # The engine has the clip before; the same clip may be read in another way now.
            name = self._model.name
            self._drop_model()
            self.set_model(name if name != opened.model_name else None)

    def next_model(self) -> None:
        """Compare with another model that ships with the program; once more: with the next one."""
        if self._opened is not None:
            self.set_model(next_model(self._opened.model_name, self.model_name))

    def set_model(self, name: str | None) -> None:
        """Compare with the clip as the model ``name`` decodes it; None: there is no other model."""
        if self._opened is None or self.open_model is None or name is None:
            self.set_kind(Reference.NEAREST if self.kind is Reference.MODEL else self.kind)
            return
        self._drop_model()
        self._model, self._asked = SecondModel(self._opened.info.path, name, self.open_model), None
        # What was shown last may be another model's.
        self._shown, self._item.reference, self._item.difference = None, None, None
        if self.mode is Compare.OFF:
            self.set_mode(Compare.WIPE)
        self.set_kind(Reference.MODEL)

    @property
    def model_name(self) -> str:
        """The name of the other model; empty if there is none."""
        return "" if self._model is None else self._model.name

    @property
    def reference_name(self) -> str:
        """The name of the reference file, or of the other model; empty for a reference that has no name of its own."""
        return self.model_name if self.kind is Reference.MODEL else self.file_name

    @property
    def is_awaited(self) -> bool:
        """Whether the picture of the other model is being computed."""
        return self.kind is Reference.MODEL and not self.is_complete

    def set_file(self, path: Path) -> None:
        """Compare with the clip at ``path``, once it is open; its frames are taken at the exact times."""
        if self._opened is not None:
            self._to_open.append(ReferenceFile(path, self._opened.info.grid))
            self._submit(lambda: None)

    @property
    def file_path(self) -> Path | None:
        """The reference file, if there is one."""
        return None if self._file is None else self._file.path

    @property
    def file_name(self) -> str:
        """The name of the reference file; empty if there is none."""
        return "" if self._file is None else self._file.path.name

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
        self._tell_score()
        self.changed.emit()

    def set_kind(self, kind: Reference) -> None:
        """Compare with another reference; with a file only if one was chosen."""
        has_it = {Reference.FILE: self._file is not None, Reference.MODEL: self._model is not None}.get(kind, True)
        if has_it and kind is not self._item.kind:
            self._item.kind = kind
            self.scored.emit(None)
        if self._item.kind is not Reference.MODEL:
            self._drop_model()  # Its memory is the window's again.
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
        if asked.kind is Reference.MODEL and newest.quality is not Quality.FULL:
            self.scored.emit(None)
            self._stop_outdated(newest)
            return  # What is drawn while the view moves is not worth a second engine's time.
        if self._is_asked(asked):
            self._tell_score()
            return
        self._asked = asked
        self._token.cancel()
        self._token = token = CancelToken()
        source, reader, opened = self._item.stack.source.rgbx, self._reader, self._opened
        if asked.kind is Reference.FILE and (file := self._file) is not None and opened is not None:
            time_secs = opened.timeline.time_from_instant(newest.query.instant)
            self._submit(lambda: self._compute_score(asked, file, lambda: file.at(time_secs)))
        elif asked.kind is Reference.MODEL and (model := self._model) is not None:
            self._submit(lambda: self._compute_model(asked, model, token))
            self.changed.emit()
        elif needs_second(asked.kind, newest.query.instant.phase):
            self._submit(lambda: self._compute(asked, Frames(source, reader.rgbx(newest.query.instant.pair + 1))))
        else:
            self._submit(lambda: self._compute(asked, Frames(source)))

    def close(self) -> None:
        """End the thread, and close the reference file."""
        self._blink.stop()
        self._token.cancel()
        self._worker.close()
        self._drop_model()
        if self._file is not None:
            self._file.close()

    def _submit(self, job: Callable[[], None]) -> None:
        """Do ``job`` on the worker's thread in place of one that waits; a file that waits is opened before it."""
        self._worker.submit(lambda: self._open_and_do(job))

    def _open_and_do(self, job: Callable[[], None]) -> None:
        if self._to_open:
            self._open_file(self._to_open.pop())
        job()

    def _tell_score(self) -> None:
        """Tell the score of the picture in view, if it is compared and known."""
        is_known = self._shown is not None and self.mode is not Compare.OFF and self.is_complete
        self.scored.emit(self._shown.score if self._shown is not None and is_known else None)

    def _is_asked(self, asked: _Compared) -> bool:
        last = self._asked
        return last is not None and (last.decoded, last.kind, last.gain) == (asked.decoded, asked.kind, asked.gain)

    def _stop_outdated(self, newest: RenderedRegion) -> None:
        """Stop the other model if it works on a pair that the view has left; within a pair its encoding serves."""
        last = self._asked
        if last is not None and last.decoded.query.instant.pair != newest.query.instant.pair:
            self._token.cancel()
            self._asked = None

    def _compute(self, asked: _Compared, frames: Frames) -> None:
        # On the worker's thread; the signal is queued to the GUI thread.
        pixels = reference_pixels(frames, asked.decoded.query, asked.kind)
        reference = replace(asked.decoded, rgbx=pixels)
        self._computed.emit(
            replace(asked, reference=reference, difference=difference(asked.decoded, pixels, asked.gain))
        )

    def _compute_model(self, asked: _Compared, model: SecondModel, token: CancelToken) -> None:
        self.hold_ahead(True)
        try:
            reference = model.picture(asked.decoded.query, token)
        except Cancelled:
            raise
        except VideoInrError as error:
            self._model_failed.emit(model, str(error), error.hint)
            return
        finally:
            self.hold_ahead(False)
        shown = difference(asked.decoded, reference.rgbx, asked.gain)
        score = Score(*nearness(asked.decoded.rgbx, reference.rgbx), model.name)
        self._computed.emit(replace(asked, reference=reference, difference=shown, score=score))

    def _compute_score(self, asked: _Compared, file: ReferenceFile, read: Callable[[], ReferenceFrame]) -> None:
        try:
            found = read()
        except VideoInrError as error:
            self._file_failed.emit(file, str(error), error.hint)
            return
        query = asked.decoded.query
        pixels = reference_pixels(Frames(found.rgbx), query, Reference.FILE)
        score = None
        if asked.decoded.quality is Quality.FULL:
            is_resampled = found.rgbx.shape[:2] != (query.grid.height, query.grid.width)
            psnr_db, ssim = nearness(asked.decoded.rgbx, pixels)
            is_exact = abs(found.early_secs) <= TICKS_SECS
            score = Score(psnr_db, ssim, file.path.name, found.index, found.early_secs, is_exact, is_resampled)
        self._computed.emit(
            replace(
                asked, reference=replace(asked.decoded, rgbx=pixels),
                difference=difference(asked.decoded, pixels, asked.gain), score=score,
            )
        )  # fmt: skip

    @Slot(object)
    def _take(self, computed: _Compared) -> None:
        if computed.decoded is self._item.newest() and computed.kind is self.kind:
            self._shown = computed
            self._item.reference, self._item.difference = computed.reference, computed.difference
            self._item.update()
            self.scored.emit(computed.score)
            if computed.kind is Reference.MODEL:
                self.changed.emit()

    # ---- the other model ----

    @Slot(object, str, str)
    def _refuse_model(self, model: SecondModel, message: str, hint: str) -> None:
        if model is self._model:
            self.set_kind(Reference.NEAREST)
            self.failed.emit(message, hint)

    def _drop_model(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            self._token.cancel()
            model.close()

    # ---- the reference file ----

    def _open_file(self, file: ReferenceFile) -> None:
        try:
            file.open()
        except VideoInrError as error:
            self._file_failed.emit(file, str(error), error.hint)
        else:
            self._file_opened.emit(file)

    @Slot(object)
    def _use_file(self, file: ReferenceFile) -> None:
        self._drop_file()
        self._file, self._asked = file, None
        if self.mode is Compare.OFF:
            self.set_mode(Compare.WIPE)
        self.set_kind(Reference.FILE)

    @Slot(object, str, str)
    def _refuse_file(self, file: ReferenceFile, message: str, hint: str) -> None:
        if file is self._file:
            self._drop_file()
            self.set_kind(Reference.NEAREST)
        self.failed.emit(message, hint)
        self._asked = None  # The file may have taken the place of a comparison that waited.
        self.update()
        self.changed.emit()

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

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
