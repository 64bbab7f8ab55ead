"""The sound of a stretch of a clip as it is played: at any speed with its pitch kept, over and over if it loops."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from videoinr.cancel import CancelToken
from videoinr.exporting.companions import read_streams
from videoinr.exporting.sound.blocks import Block, fitted, resampled, sample_count
from videoinr.exporting.sound.source import SoundSource
from videoinr.exporting.sound.stretch import stretched
from videoinr.types import ClipInfo, Segment

_KEPT_SECS = 30
"""A loop of at most so many seconds of output is decoded once."""


def sound_of(info: ClipInfo) -> SoundSource | None:
    """Return the first sound stream of a clip that can be decoded, or None. Reads the file's header."""
    streams = read_streams(info)
    if streams is None or not streams.sounds:
        return None
    first = streams.sounds[0]
    return SoundSource(streams.path, first.number, first.rate, first.layout, first.channels, streams.origin_secs)


@dataclass(frozen=True)
class _Lap:
    """From output sample ``sample`` on, the sound is that from the clip's second ``time_secs`` on."""

    sample: int
    time_secs: Fraction


class SoundRun:
    """One run of the playback's sound, from its start until it ends or is stopped.

    One thread takes :meth:`blocks`, any may call :meth:`time_at`.

    Args:
        source: the clip's sound.
        segment: the stretch that is played.
        start_secs: where in it playback begins, the clip's seconds.
        speed: clip seconds for each second of the output.
        loops: whether the stretch begins anew at its end.
        rate: samples per second of the output.
        layout: FFmpeg's name of the channels of the output.
        channels: how many they are.
    """

    def __init__(
        self,
        source: SoundSource,
        segment: Segment,
        start_secs: Fraction,
        *,
        speed: Fraction = Fraction(1),
        loops: bool = False,
        rate: int = 48000,
        layout: str = "stereo",
        channels: int = 2,
    ) -> None:
        self._source, self._segment, self._start = source, segment, start_secs
        self._speed, self._loops = speed, loops
        self._rate, self._layout, self._channels = rate, layout, channels
        self._laps: tuple[_Lap, ...] = ()

    def blocks(self, token: CancelToken) -> Iterator[Block]:
        """Yield the samples, float32 [channels, samples], endlessly if the stretch loops.

        Raises:
            av.FFmpegError, OSError, ValueError: the file cannot be read any more.
            Cancelled: ``token`` was cancelled.
        """
        position, start_secs = 0, self._start
        kept: list[Block] | None = None
        while True:
            length = self._segment.end_secs - start_secs
            count = sample_count(length / self._speed, self._rate)
            if count < 1:
                return
            self._laps = (*self._laps[-2:], _Lap(position, start_secs))
            is_whole = start_secs == self._segment.start_secs
            if is_whole and kept is not None:
                for block in kept:
                    token.check()
                    yield block
            else:
                keeps = is_whole and self._loops and count <= _KEPT_SECS * self._rate
                lap = []
                for block in self._lap(start_secs, length, count, token):
                    lap += [block] if keeps else []
                    yield block
                kept = lap if keeps else None
            if not self._loops:
                return
            position, start_secs = position + count, self._segment.start_secs

    def time_at(self, sample: int) -> Fraction:
        """Return the clip's second that output sample ``sample`` sounds of."""
        laps = self._laps
        if not laps:
            return self._start
        lap = laps[max(0, bisect_right(laps, sample, key=lambda one: one.sample) - 1)]
        return lap.time_secs + Fraction(sample - lap.sample, self._rate) * self._speed

    def samples_to(self, time_secs: Fraction) -> int:
        """Return the output sample that sounds of ``time_secs``, in the first lap."""
        return max(0, sample_count((time_secs - self._start) / self._speed, self._rate))

    def _lap(self, start_secs: Fraction, length: Fraction, count: int, token: CancelToken) -> Iterator[Block]:
        source = self._source
        played = stretched(source.blocks(start_secs, length, token), source.rate, self._speed)
        ready = resampled(played, source.layout, source.rate, self._layout, self._rate)
        return fitted(ready, self._channels, count)
