"""Makes the sound of an export on threads of its own while its pictures are made; what waits is bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from fractions import Fraction

from videoinr.cancel import NEVER, CancelToken
from videoinr.decode.priority import stand_back
from videoinr.exporting.companions import Companions
from videoinr.exporting.sound.blocks import Block, fitted, resampled, sample_count
from videoinr.exporting.sound.plan import PlannedSound
from videoinr.exporting.sound.source import SoundSource
from videoinr.exporting.sound.stretch import stretched

_MOST_BYTES = 64 << 20
"""Of the samples that wait: three minutes of stereo."""


def made_sound(
    companions: Companions, sound: PlannedSound, duration_secs: Fraction, token: CancelToken = NEVER
) -> Iterator[Block]:
    """Yield the samples of ``sound``, which is encoded, for an output that is ``duration_secs`` long.

    Raises:
        av.FFmpegError, OSError, ValueError: the clip's file cannot be read any more.
        Cancelled: ``token`` was cancelled.
    """
    facts, coding = sound.facts, sound.coding
    assert coding is not None
    source = SoundSource(
        companions.source.path, facts.number, facts.rate, facts.layout, facts.channels, companions.source.origin_secs
    )
    blocks = source.blocks(companions.start_secs, duration_secs * companions.speed, token)
    played = stretched(blocks, facts.rate, companions.speed)
    ready = resampled(played, facts.layout, facts.rate, coding.layout, coding.rate)
    yield from fitted(ready, coding.channels, sample_count(duration_secs, coding.rate))


class SoundAhead:
    """The samples of all sound of ``companions`` that is encoded, made from now on. Close it after use.

    Attributes:
        duration_secs: how long the output is.
    """

    def __init__(self, companions: Companions, duration_secs: Fraction, token: CancelToken = NEVER) -> None:
        self.duration_secs = duration_secs
        encoded = [sound for sound in companions.sounds if sound.coding is not None]
        # A thread for each: the packets of all streams are muxed in turns, so that none may wait for another.
        self._streams = {
            sound.facts.number: _Stream(
                made_sound(companions, sound, duration_secs, token), _MOST_BYTES // len(encoded), sound.facts.number
            )
            for sound in encoded
        }

    def blocks(self, sound: PlannedSound) -> Iterator[Block]:
        """Yield what :func:`made_sound` does, and raise as it does. Each sound can be taken once."""
        return self._streams[sound.facts.number].blocks()

    def close(self) -> None:
        """End the threads."""
        for stream in self._streams.values():
            stream.stop()
        for stream in self._streams.values():
            stream.join()


class _Stream:
    """Takes ``blocks`` on a thread, at most ``most_bytes`` of them before they are asked for."""

    def __init__(self, blocks: Iterator[Block], most_bytes: int, number: int) -> None:
        self._made, self._most = blocks, most_bytes
        self._waiting, self._held = deque[Block](), 0
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"sound-{number}", daemon=True)
        self._thread.start()

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks."""
        while (block := self._next()) is not None:
            yield block
        if self._error is not None:
            raise self._error

    def _next(self) -> Block | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if not self._waiting:
                return None
            block = self._waiting.popleft()
            self._held -= block.nbytes
            self._changed.notify_all()
            return block

    def stop(self) -> None:
        """Have the thread end soon."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the thread's end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            stand_back()
            for block in self._made:
                if not self._keep(block):
                    break
        except BaseException as error:  # Handed to the thread that takes the blocks.
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _keep(self, block: Block) -> bool:
        """Keep ``block`` once there is room for it. Return whether more are wanted."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or not self._held or self._held + block.nbytes <= self._most)
            if not self._stopped:
                self._waiting.append(block)
                self._held += block.nbytes
                self._changed.notify_all()
            return not self._stopped
