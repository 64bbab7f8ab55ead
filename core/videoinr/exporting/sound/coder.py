"""Encodes float samples into the packets of a sound stream, and chooses the encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

from videoinr.exporting.sound.blocks import Block, chunked, frame_from_block
from videoinr.exporting.sound.facts import SoundFacts

_BITS_PER_CHANNEL = {"aac": 96_000, "libopus": 80_000}
_CHUNK = 4096
"""Samples in a packet of an encoder that takes any number."""
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_OPUS_RATE = 48000
FOR_EDITING = ("prores_ks", "dnxhd")
"""Encoders of pictures whose files go into editing programs. All of those read PCM, and not all read AAC in them."""


@dataclass(frozen=True, slots=True)
class SoundCoding:
    """How sound is encoded.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        rate: samples per second.
        layout: FFmpeg's name of the channels.
        sample_format: FFmpeg's name of the samples that the encoder takes.
        channels: how many channels there are.
    """

    encoder: str
    rate: int
    layout: str
    sample_format: str
    channels: int

    @property
    def title(self) -> str:
        """The encoder's format as users know it."""
        return {"aac": "AAC", "libopus": "Opus", "flac": "FLAC"}.get(self.encoder, "PCM")

    def add_stream(self, container: OutputContainer) -> AudioStream:
        """Add a stream to ``container``. Raises av.FFmpegError or ValueError if the encoder does not work."""
        stream: Any = container.add_stream(self.encoder, rate=self.rate, layout=self.layout)
        stream.codec_context.format = self.sample_format
        stream.time_base = stream.codec_context.time_base = Fraction(1, self.rate)
        if self.encoder in _BITS_PER_CHANNEL:
            stream.codec_context.bit_rate = _BITS_PER_CHANNEL[self.encoder] * self.channels
        assert isinstance(stream, AudioStream)
        return stream

    def packets(self, stream: AudioStream, blocks: Iterable[Block]) -> Iterator[av.Packet[Any]]:
        """Yield the packets of ``blocks``, which start at second 0 of the output."""
        context = stream.codec_context
        convert = av.AudioResampler(format=self.sample_format, layout=self.layout, rate=self.rate)
        position = 0
        for block in chunked(blocks, context.frame_size or _CHUNK):
            frame = frame_from_block(block, self.layout, self.rate, position)
            for ready in convert.resample(frame):
                ready.pts, ready.time_base = position, Fraction(1, self.rate)
                position += ready.samples
                yield from stream.encode(ready)
        yield from stream.encode(None)


def coding_for(muxer: str, video_encoder: str, sound: SoundFacts) -> SoundCoding:
    """Return how ``sound`` is encoded for a file of FFmpeg's ``muxer``, beside the video of an encoder.

    Lossless video has lossless sound; ProRes and DNxHR, which are made for editing, have PCM; WebM and Matroska have
    Opus, other files AAC.
    """
    if video_encoder in FOR_EDITING:
        name, sample_format = ("pcm_s24le", "s32") if sound.is_deep else ("pcm_s16le", "s16")
    elif video_encoder == "ffv1":
        name, sample_format = "flac", "s32" if sound.is_deep else "s16"
    elif muxer in ("webm", "matroska") and works("libopus"):
        name, sample_format = "libopus", "flt"
    else:
        name, sample_format = "aac", "fltp"
    rate = sound.rate
    if name == "libopus":
        rate = _OPUS_RATE
    elif name == "aac" and rate not in _AAC_RATES:
        rate = next((each for each in reversed(_AAC_RATES) if each >= rate), _AAC_RATES[0])
    taken = _opens(name, sound.layout, rate, sample_format)
    layout, channels = (sound.layout, sound.channels) if taken else ("stereo", 2)
    return SoundCoding(name, rate, layout, sample_format, channels)


def works(encoder: str) -> bool:
    """Return whether this FFmpeg has ``encoder``."""
    return _opens(encoder, "stereo", _OPUS_RATE, {"libopus": "flt"}.get(encoder, "fltp"))


def _opens(encoder: str, layout: str, rate: int, sample_format: str) -> bool:
    try:
        context: Any = av.CodecContext.create(encoder, "w")
        context.sample_rate, context.layout, context.format = rate, layout, sample_format
        context.time_base = Fraction(1, rate)
        context.open()
    except (av.FFmpegError, ValueError):
        return False
    return True
