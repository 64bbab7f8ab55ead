"""Feeds a sound output: a thread decodes and stretches, and the owner's thread passes on what is ready.

An output takes up to half a second to start. It gets silence until it runs; the sound then begins with what belongs to
the time at which it will be heard, so that the pictures neither wait for it nor jump.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from videoinr.cancel import CancelToken
from videoinr.closing import Closeable
from videoinr.errors import Cancelled
from videoinr.exporting.sound.blocks import Block, silence
from videoinr.playing.audio_clock import AudioClock
from videoinr.playing.sound_output import SoundOutput
from videoinr.playing.sound_run import SoundRun

log = logging.getLogger(__name__)

READY_SECS = 0.5
"""So much sound is decoded in advance."""

MakeRun = Callable[[CancelToken], SoundRun | None]
"""Makes a run, on the decoding thread; None if the clip has no sound."""


class SoundFeed(Closeable):
    """One run of sound after the other. All methods but ``close`` return at once, and belong to one thread.

    Args:
        output: where the sound goes.
        clock_ns: the computer's clock, nanoseconds.
    """

    def __init__(self, output: SoundOutput, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self._output, self._clock_ns = output, clock_ns
        self._changed = threading.Condition()
        self._wanted: tuple[MakeRun, CancelToken] | None = None
        self._token = CancelToken()
        self._run: SoundRun | None = None
        self._ready: deque[Block] = deque()
        self._ready_samples = 0
        self._is_decoded = self._is_closed = False
        self._taken = 0
        self._clock: AudioClock | None = None
        self._is_open = False
        # The output's sample _begun_at is the run's sample _first.
        self._written = self._begun_at = self._first = 0
        self._thread: threading.Thread | None = None

    # ---- the owner's thread ----

    def start(self, make_run: MakeRun) -> None:
        """Play the run that ``make_run`` makes, in place of the present one."""
        self.stop()
        with self._changed:
            if self._is_closed:
                return
            self._token = CancelToken()
            self._wanted = (make_run, self._token)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="videoinr-sound", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Fall silent."""
        with self._changed:
            self._token.cancel()
            self._wanted, self._run, self._is_decoded = None, None, False
            self._ready.clear()
            self._ready_samples = self._taken = 0
            self._changed.notify_all()
        self._clock = None
        if self._is_open:
            self._is_open = False
            self._output.end()

    def pump(self, time_secs: Fraction) -> None:
        """Pass on what is ready, as far as the output has room. To be called every few hundredths of a second.

        Args:
            time_secs: where playback is, the clip's seconds: from there on the sound begins, once the output runs.
        """
        with self._changed:
            run = self._run
            if run is None:
                return
            if not self._is_open:
                self._is_open, self._written = True, 0
                self._output.begin()
            if self._clock is not None or self._begins(run.samples_to(time_secs)):
                while (room := self._output.room()) > 0 and self._ready:
                    self._write(self._take(room))
            else:
                self._write_silence(self._output.room())
            self._changed.notify_all()

    @property
    def time_secs(self) -> Fraction | None:
        """The clip's second that is heard now, in whole microseconds; None while nothing is heard."""
        run, clock = self._run, self._clock
        if run is None or clock is None:
            return None
        played = self._output.played()
        has_ended = self._is_decoded and not self._ready and played >= self._written
        if has_ended or played < self._begun_at:
            return None
        sample = self._first + clock.read(self._clock_ns(), played) - self._begun_at
        return Fraction(int(run.time_at(sample) * 1_000_000), 1_000_000)

    @property
    def output_secs(self) -> Fraction | None:
        """The clip's second that the output says it plays, which :attr:`time_secs` follows; None without sound."""
        run, played = self._run, self._output.played()
        is_heard = run is not None and self._clock is not None and played >= self._begun_at
        return run.time_at(self._first + played - self._begun_at) if run is not None and is_heard else None

    @property
    def is_ready(self) -> bool:
        """Whether sound is decoded that the output has not taken."""
        return bool(self._ready)

    def close(self) -> None:
        """Fall silent, and end the thread."""
        self.stop()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # ---- with the lock held ----

    def _begins(self, now: int) -> bool:
        """Begin the sound, if the output runs and enough is decoded. ``now``: the run's sample of the present time."""
        played = self._output.played()
        heard_next = now + self._written - played
        if not played or not self._skip_to(heard_next):
            return False
        self._write_silence(min(self._taken - heard_next, self._output.room()))
        self._begun_at, self._first = self._written, self._taken
        self._clock = AudioClock(self._output.rate)
        return True

    def _write(self, block: Block) -> None:
        self._output.write(block)
        self._written += block.shape[1]

    def _write_silence(self, samples: int) -> None:
        for block in silence(self._output.channels, samples):
            self._write(block)

    def _skip_to(self, sample: int) -> bool:
        """Drop what is ready before ``sample`` of the run; False if there is nothing after it yet."""
        while self._ready and self._taken < sample:
            self._take(sample - self._taken)
        return bool(self._ready)

    def _take(self, most: int) -> Block:
        block = self._ready.popleft()
        if block.shape[1] > most:
            self._ready.appendleft(block[:, most:])
            block = block[:, :most]
        self._ready_samples -= block.shape[1]
        self._taken += block.shape[1]
        return block

    # ---- the decoding thread ----

    def _work(self) -> None:
        while (job := self._next()) is not None:
            make_run, token = job
            try:
                run = make_run(token)
                if run is not None:
                    self._decode(run, token)
            except Cancelled:
                pass
            except Exception:
                log.exception("the sound cannot be played")

    def _next(self) -> tuple[MakeRun, CancelToken] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._wanted is not None)
            job, self._wanted = self._wanted, None
            return None if self._is_closed else job

    def _decode(self, run: SoundRun, token: CancelToken) -> None:
        most = int(READY_SECS * self._output.rate)
        for block in run.blocks(token):
            with self._changed:
                self._changed.wait_for(lambda: token.cancelled or self._ready_samples < most)
                token.check()
                self._run = run
                self._ready.append(block)
                self._ready_samples += block.shape[1]
        with self._changed:
            token.check()
            self._is_decoded = True
