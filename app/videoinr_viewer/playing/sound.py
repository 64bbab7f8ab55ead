"""Plays the clip's sound with the pictures. While it is heard, its time is the player's."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from videoinr.cancel import CancelToken
from videoinr.types import ClipInfo, Segment
from videoinr_viewer.player import Player
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import tr

if TYPE_CHECKING:
    from videoinr.exporting.sound.source import SoundSource
    from videoinr.playing.sound_feed import SoundFeed
    from videoinr.playing.sound_output import SoundOutput
    from videoinr.playing.sound_run import SoundRun

log = logging.getLogger(__name__)

SWITCH = "VIDEOINR_SOUND"
"""An environment variable; ``null`` plays to nobody at the right speed."""
PUMP_MSECS = 20
VOLUME_STEP = 10

MakeOutput = Callable[[], "SoundOutput | None"]


def default_output() -> SoundOutput | None:
    """Return the computer's output of sound, or None if there is none, or no library for it."""
    if os.environ.get(SWITCH) == "null":
        from videoinr.playing.sound_output import NullOutput

        return NullOutput()
    if not has_library():
        return None
    from videoinr_viewer.playing.qt_output import open_output

    return open_output()


def output_modules() -> tuple[str, ...]:
    """Return the modules that :func:`default_output` imports on this machine."""
    if os.environ.get(SWITCH) == "null":
        return ("videoinr.playing.sound_output",)
    return ("videoinr_viewer.playing.qt_output",) if has_library() else ()


def has_library() -> bool:
    """Return whether sound can be played at all: Qt's module for it is an extra of its own."""
    return os.environ.get(SWITCH) == "null" or find_spec("PySide6.QtMultimedia") is not None


class Sound(QObject):
    """The sound of playback. Lives on the GUI thread and never waits; a thread of its own decodes.

    Backwards, along a retime curve, without sound in the clip, and while the user holds a slider, it is silent.
    """

    changed = Signal()
    """Muted or not, or another volume, or it was found out that there is no output."""

    def __init__(
        self,
        session: Session,
        player: Player,
        make_output: MakeOutput = default_output,
        *,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._player, self._make_output, self._clock_ns = session, player, make_output, clock_ns
        self.is_muted, self.volume = False, 100
        self.has_output = make_output is not default_output or has_library()
        self._output: SoundOutput | None = None
        self._feed: SoundFeed | None = None
        self._sources: dict[ClipInfo, SoundSource | None] = {}
        self._pump = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._pump.setInterval(PUMP_MSECS)
        self._pump.timeout.connect(self._pass_on)
        player.heard = self._heard
        for signal in (player.changed, player.relocated, session.marks_changed, session.opened, session.closed):
            signal.connect(self._restart)

    @property
    def is_heard(self) -> bool:
        """Whether sound comes out now."""
        return self._heard() is not None

    @property
    def output_secs(self) -> Fraction | None:
        """The clip's second that the output says it plays; None while there is no sound."""
        return None if self._feed is None else self._feed.output_secs

    @property
    def why_silent(self) -> str:
        """Why no sound can be played, in words; empty if it can."""
        if self.has_output:
            return ""
        missing = tr("Sound needs the package PySide6-Addons.")
        return tr("This computer has no sound output.") if has_library() else missing

    def toggle_mute(self) -> None:
        """Mute the sound, or play it again."""
        self.is_muted = not self.is_muted
        self._restart()
        self.changed.emit()

    def change_volume(self, steps: int) -> None:
        """Make the sound louder by ``steps`` tenths, or quieter. A change of the volume ends muting."""
        volume = min(max(self.volume + steps * VOLUME_STEP, 0), 100)
        if (self.is_muted, self.volume) == (False, volume):
            self.changed.emit()
        self.set_level(is_muted=False, volume=volume)

    def set_level(self, *, is_muted: bool, volume: int) -> None:
        """Mute the sound or not, and set its volume, percent."""
        if (is_muted, volume) == (self.is_muted, self.volume):
            return
        was_muted, self.is_muted, self.volume = self.is_muted, is_muted, volume
        if self._output is not None:
            self._output.set_volume(volume / 100)
        if was_muted != is_muted:
            self._restart()
        self.changed.emit()

    def close(self) -> None:
        """Fall silent, and end the thread."""
        self._pump.stop()
        if self._feed is not None:
            self._feed.close()

    # ---- inside ----

    def _heard(self) -> Fraction | None:
        return None if self._feed is None else self._feed.time_secs

    @Slot()
    def _restart(self) -> None:
        """Play from where playback is now, or fall silent."""
        clip, segment, player = self._session.clip, self._session.segment, self._player
        plays = player.is_running and player.direction > 0 and not self.is_muted and self.has_output
        plays = plays and player.curve is None
        if clip is None or segment is None or not plays or not clip.info.audio:
            self._stop()
            return
        feed = self._opened_feed()
        if feed is None:
            return
        feed.start(self._run_of(clip.info, segment))
        self._pump.start()

    def _stop(self) -> None:
        self._pump.stop()
        if self._feed is not None:
            self._feed.stop()

    def _opened_feed(self) -> SoundFeed | None:
        if self._feed is None:
            self._output = self._make_output()
            if self._output is None:
                self.has_output = False
                self.changed.emit()
                return None
            # Imported here: it loads PyAV, which the render thread has loaded by the time a clip plays.
            from videoinr.playing.sound_feed import SoundFeed

            self._output.set_volume(self.volume / 100)
            self._feed = SoundFeed(self._output, self._clock_ns)
        return self._feed

    def _run_of(self, info: ClipInfo, segment: Segment) -> Callable[[CancelToken], SoundRun | None]:
        """Return a function that makes the run from here on; the decoding thread calls it."""
        output, start = self._output, self._session.view.time_secs
        speed, loops = self._player.speed, self._player.loops
        assert output is not None

        def make(_token: CancelToken) -> SoundRun | None:
            from videoinr.playing.sound_run import SoundRun, sound_of

            if info not in self._sources:
                self._sources = {info: sound_of(info)}
            source = self._sources[info]
            if source is None:
                return None
            layout = "stereo" if output.channels == 2 else "mono"
            return SoundRun(
                source, segment, start, speed=speed, loops=loops, rate=output.rate, layout=layout,
                channels=output.channels,
            )  # fmt: skip

        return make

    @Slot()
    def _pass_on(self) -> None:
        if self._feed is not None:
            self._feed.pump(self._session.view.time_secs)
