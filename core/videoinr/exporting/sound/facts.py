"""What a file says about its sound streams."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

from videoinr.clip.sound_channels import settle_channels
from videoinr.exporting.track_labels import TrackLabels

_LOSSLESS = ("pcm", "flac", "alac", "truehd", "wavpack", "ape", "tta")
_DEEP = ("s32", "s32p", "flt", "fltp", "dbl", "dblp", "s64", "s64p")


@dataclass(frozen=True, slots=True)
class SoundFacts:
    """A sound stream.

    Attributes:
        number: which of the file's sound streams, counted from 0.
        codec: FFmpeg's name of the codec.
        rate: samples per second.
        layout: FFmpeg's name of the channels as they are read: mono, stereo, 5.1 ...
        channels: how many there are.
        has_own_order: whether the file holds the channels in an order of its own.
        start_secs: the file's own time of the first sample; None if the file does not say it.
        has_header: whether the file gives the codec's header apart from the packets.
        is_deep: whether the samples are lossless and have more than 16 bits.
        labels: language, title, and what it is for.
    """

    number: int
    codec: str
    rate: int
    layout: str
    channels: int
    start_secs: Fraction | None
    has_header: bool
    is_deep: bool
    labels: TrackLabels
    has_own_order: bool = False

    @classmethod
    def of(cls, stream: av.AudioStream, number: int) -> SoundFacts | None:
        """Return the facts of ``stream``; None if FFmpeg cannot decode it."""
        context = stream.codec_context
        if context is None or not context.sample_rate:
            return None
        channels = settle_channels(context)
        if not channels.count or (channels.is_own and not context.codec.name.startswith("pcm")):
            # Such a decoder states the order again, which settle_channels cannot come before.
            return None
        start = None if stream.start_time is None else Fraction(stream.start_time * (stream.time_base or 1))
        return cls(
            number=number,
            codec=context.codec.canonical_name,
            rate=context.sample_rate,
            layout=channels.layout,
            channels=channels.count,
            start_secs=start,
            has_header=bool(context.extradata),
            is_deep=context.codec.name.startswith(_LOSSLESS) and getattr(context.format, "name", "") in _DEEP,
            labels=TrackLabels.of(stream),
            has_own_order=channels.is_own,
        )
