"""Opens the export dialog for what the window shows, has the queue, and asks before quitting stops an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from videoinr.render.view import visible_units
from videoinr_viewer.clip_access.reading import ReadingChoice
from videoinr_viewer.dialogs.question import agrees
from videoinr_viewer.export.bridge import ExportBridge
from videoinr_viewer.export.queue_bridge import QueueBridge
from videoinr_viewer.export.queue_window import ExportQueue
from videoinr_viewer.export.stream_reader import StreamReader
from videoinr_viewer.journey.planner import JourneyPlanner
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr
from videoinr_viewer.threads.late_modules import LateModules
from videoinr_viewer.timeline.annotations import Annotations

if TYPE_CHECKING:
    from videoinr_viewer.export.dialog import ExportDialog
    from videoinr_viewer.export.form import ExportSource

FOLLOW_MSECS = 100
"""The dialog follows the window this long after its last change: a pan changes the view at every step of the mouse."""
DIALOG_MODULE = "videoinr_viewer.export.dialog"
"""The module of the dialog; its import, with the codecs, takes 150 ms."""


class ExportLauncher(QObject):
    """The export dialog of ``window``, made when it is first needed, and the queue that ``queue`` runs.

    ``reading`` says how the clip is read and rendered, so that an export does the same. ``annotations`` has the named
    segments, ``planner`` the retime curve, the shutter and the camera path. ``asks`` is False for a run without a user,
    who could answer a question. ``modules``: those that are imported after the first picture, :data:`DIALOG_MODULE`
    among them.
    """

    told = Signal(str)
    """How an export has ended whose dialog is hidden."""
    failed = Signal(str, str)
    """Why such an export failed: what happened, and what to do."""

    def __init__(
        self,
        session: Session,
        bridge: ExportBridge,
        queue: QueueBridge,
        window: QWidget,
        *,
        reading: ReadingChoice,
        annotations: Annotations,
        planner: JourneyPlanner,
        asks: bool,
        modules: LateModules,
    ) -> None:
        super().__init__(window)
        self._session, self._bridge, self._window = session, bridge, window
        self._reading, self._annotations, self._planner = reading, annotations, planner
        self._asks, self._modules = asks, modules
        self.queue = ExportQueue(queue, window, modules=modules, asks=asks)
        self.dialog: ExportDialog | None = None
        self._streams = StreamReader(self)
        self._calm = QTimer(self, singleShot=True)
        self._calm.setInterval(FOLLOW_MSECS)
        self._calm.timeout.connect(self._follow)
        for changed in (session.opened, session.marks_changed, session.view_changed, annotations.changed,
                        planner.changed):  # fmt: skip
            changed.connect(self._calm.start)

    @property
    def asks(self) -> bool:
        """Whether somebody is there to answer questions."""
        return self._asks

    @asks.setter
    def asks(self, asks: bool) -> None:
        self._asks = self.queue.asks = asks

    def show(self) -> None:
        """Show the dialog for the marked segment and the visible region. Without a clip: no-op."""
        if self._session.clip is None:
            return
        if self.asks:
            self._modules.when_ready(self._show)
        else:
            # Nobody sees the window wait, and a screenshot shows what is there when the action ends.
            self._show()

    def _show(self) -> None:
        if (source := self._source()) is None:
            return
        if self.dialog is None:
            self.dialog = self._made()
        self.dialog.offer(source)

    def _made(self) -> ExportDialog:
        # Imported here: the start of the program does without the dialog and the codecs.
        from videoinr_viewer.export.dialog import ExportDialog

        dialog = ExportDialog(self._bridge, self.queue, self._window)
        dialog.told.connect(self.told)
        dialog.failed.connect(self.failed)
        dialog.form.streams_wanted.connect(self._streams.want if self.asks else self._streams.read_now)
        self._streams.read.connect(dialog.form.take_streams)
        return dialog

    @Slot()
    def _follow(self) -> None:
        """Let the dialog follow the window, if it is made."""
        if self.dialog is not None and (source := self._source()) is not None:
            self.dialog.follow(source)

    def _source(self) -> ExportSource | None:
        """Return the clip, the marked segment and the visible region, or None without a clip."""
        clip, clock, segment = self._session.clip, self._session.clock, self._session.segment
        if clip is None or clock is None or segment is None:
            return None
        from videoinr_viewer.export.form import ExportSource

        visible = visible_units(self._session.drawn_view, clip.info, self._session.screen_px)
        reading, segments = self._reading.current, self._annotations.segments
        now_secs = self._session.view.time_secs
        return ExportSource(clip, clock, segment, visible, reading, segments, self._planner.journey, now_secs)

    def close(self) -> None:
        """End the thread that reads the clip's file."""
        self._streams.close()

    def hide(self) -> None:
        """Hide the dialogs."""
        self.queue.hide()
        if self.dialog is not None:
            self.dialog.hide()

    def may_quit(self) -> bool:
        """Return True if no export runs, or if the user agrees to stop it."""
        is_estimate = self.dialog is not None and self.dialog.is_estimating
        runs, queue_runs = self._bridge.is_running and not is_estimate, self.queue.bridge.is_running
        if not (self.asks and (runs or queue_runs)):
            return True
        question = tr("An export is still running. Stop it and quit? Started again with the same name, it can go on.")
        if queue_runs and not runs:
            question = tr("The export queue is still running. Stop it and quit? It will go on where it stopped.")
        return agrees(self._window, tr("Quit"), question, verb=tr("Stop it and quit"))
