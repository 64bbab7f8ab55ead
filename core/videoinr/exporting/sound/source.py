"""Reads a sound stream of a clip as float samples, each at its own time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.sound_channels import relabelled, settle_channels
from videoinr.clip.video_file import open_container
from videoinr.exporting.sound.blocks import INTERLEAVED, Block, block_of, sample_count, silence

_LEAD_SECS = Fraction(1)
"""Decoding starts this much earlier: decoders need some packets before their samples are right."""

_SLACK_SECS = Fraction(3, 1000)
"""Containers round times to milliseconds. Frames that are less apart than this follow each other."""


@dataclass(frozen=True, slots=True)
class SoundSource:
    """A sound stream of a clip.

    Attributes:
        path: the file.
        number: which of its sound streams, counted from 0.
        rate: samples per second.
        layout: FFmpeg's name of the channels: mono, stereo, 5.1 ...
        channels: how many there are.
        origin_secs: the file's own time of the clip's second 0.
    """

    path: Path
    number: int
    rate: int
    layout: str
    channels: int
    origin_secs: Fraction

    def blocks(self, start_secs: Fraction, duration_secs: Fraction, token: CancelToken = NEVER) -> Iterator[Block]:
        """Yield the samples of ``duration_secs`` seconds from the clip's second ``start_secs`` on.

        Silence stands where the stream has no samples, also before its start and after its end.

        Raises:
            av.FFmpegError, OSError, ValueError: the file cannot be read any more.
            Cancelled: ``token`` was cancelled.
        """
        count, written = sample_count(duration_secs, self.rate), 0
        with open_container(self.path) as container:
            for time_secs, block in self._decoded(container, self.origin_secs + start_secs, token):
                position = sample_count(time_secs, self.rate)
                if abs(position - written) <= _SLACK_SECS * self.rate and written:
                    position = written
                if position > written:
                    gap = min(position, count) - written
                    yield from silence(self.channels, gap)
                    written += gap
                new = block[:, written - position : count - position]
                if new.shape[1]:
                    yield new
                    written += new.shape[1]
                if written >= count:
                    return
        yield from silence(self.channels, count - written)

    def _decoded(
        self, container: InputContainer, start_secs: Fraction, token: CancelToken
    ) -> Iterator[tuple[Fraction, Block]]:
        """Yield what the stream holds from about ``start_secs`` (the file's time) on, each block with its time."""
        stream = container.streams.audio[self.number]
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        resampler: av.AudioResampler | None = None
        given: tuple[str, str, int] | None = None
        order = list(settle_channels(stream.codec_context).order)
        _seek(container, stream, start_secs - _LEAD_SECS)
        for decoded in _frames(container, stream, token):
            frame = relabelled(decoded, self.layout)
            if frame.pts is None or frame.time_base is None:
                continue
            kind = frame.format.name, frame.layout.name, frame.sample_rate
            if resampler is None or kind != given:
                resampler, given = av.AudioResampler(format=INTERLEAVED, layout=self.layout, rate=self.rate), kind
            time_secs = frame.pts * frame.time_base - start_secs
            if time_secs + Fraction(frame.samples, frame.sample_rate) <= 0:
                continue
            for each in resampler.resample(frame):
                block = block_of(each)
                yield time_secs, block[order] if order else block
                time_secs += Fraction(each.samples, self.rate)


def _frames(container: InputContainer, stream: av.AudioStream, token: CancelToken) -> Iterator[av.AudioFrame]:
    """Yield the stream's frames. A packet that cannot be decoded leaves a gap."""
    for packet in container.demux(stream):
        token.check()
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _seek(container: InputContainer, stream: av.AudioStream, time_secs: Fraction) -> None:
    start = (stream.start_time or 0) * (stream.time_base or Fraction(1))
    if time_secs <= start:
        return
    try:
        container.seek(int(time_secs / (stream.time_base or Fraction(1))), stream=stream)
    except (av.FFmpegError, OSError, ValueError, OverflowError):
        # The file allows no seeking: it is read from its start.
        return
