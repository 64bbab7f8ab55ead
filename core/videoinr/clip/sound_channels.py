"""The channels of a sound stream, in an order that every library takes.

PyAV 18 does not hold the memory of every channel layout for as long as it is used. :func:`settle_channels` is therefore
the first to read a stream's layout, and gives the codec context one of FFmpeg's own before the first one's wrapper
goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.container import InputContainer

from videoinr.types import AudioInfo

_SPEAKERS = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
    "DL", "DR", "WL", "WR", "SDL", "SDR", "LFE2", "TSL", "TSR", "BFC", "BFL", "BFR",
)  # fmt: skip
"""FFmpeg's names of loudspeakers, in the order in which its own layouts hold them."""

_MOST_BY_DEFAULT = 8
"""Up to so many channels, FFmpeg has a layout for a bare number of them."""

_PLANES_WITHOUT_END = 8
"""From so many channels on, the planes of a planar frame are not read: PyAV 18 does not do it safely."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a sound stream.

    Attributes:
        layout: FFmpeg's name of the layout that the codec context has now.
        count: how many channels there are.
        order: which channel of the decoded samples is each one of ``layout``; empty if they are as in ``layout``.
        is_own: whether the file's layout had an order of its own, which decoders other than PCM's would state again.
    """

    layout: str
    count: int
    order: tuple[int, ...] = ()
    is_own: bool = False

    @classmethod
    def of_names(cls, name: str, names: tuple[str, ...]) -> Channels:
        """Return the channels that a layout of FFmpeg's ``name`` with channels ``names`` is to become."""
        if all(each == "NONE" or each.startswith("AMBI") for each in names):
            return cls(name, len(names))
        is_known = len(set(names)) == len(names) and set(names) <= set(_SPEAKERS)
        if not is_known:
            return cls(_by_count(len(names)), len(names), is_own=True)
        order = tuple(sorted(range(len(names)), key=lambda index: _SPEAKERS.index(names[index])))
        layout = av.AudioLayout("+".join(names[index] for index in order)).name
        is_own = order != tuple(range(len(names)))
        if "channels" in layout:
            # A set of loudspeakers without a name of its own, such as the left and the centre: filters do not take it.
            return cls(_by_count(len(names)), len(names), is_own=is_own)
        return cls(layout, len(names), order if is_own else (), is_own)


def relabelled(frame: av.AudioFrame, layout: str) -> av.AudioFrame:
    """Return ``frame`` with ``layout`` if its own is a set of loudspeakers without a name, as decoders may state."""
    has_planes = not frame.format.is_planar or frame.layout.nb_channels < _PLANES_WITHOUT_END
    if "channels (" not in frame.layout.name or not has_planes:
        return frame
    copy = av.AudioFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name, layout=layout)
    copy.sample_rate, copy.pts, copy.time_base = frame.sample_rate, frame.pts, frame.time_base
    return copy


def settle_channels(context: av.AudioCodecContext) -> Channels:
    """Read the channels of a stream that was not decoded yet, and give ``context`` a layout in FFmpeg's own order.

    Must come before any other look at the layout of ``context``, its frames or its stream.
    """
    layout = context.layout
    channels = Channels.of_names(layout.name, tuple(each.name for each in layout.channels))
    if layout.nb_channels:
        # From here on what belongs to the old layout is the wrapper's alone.
        context.layout = channels.layout
    return channels


def _by_count(count: int) -> str:
    return av.AudioLayout(f"{count}c").name if count <= _MOST_BY_DEFAULT else f"{count} channels"


def audio_streams(container: InputContainer) -> tuple[AudioInfo, ...]:
    """Return the file's audio streams, also those of an unknown codec."""
    known = (stream.codec_context for stream in container.streams.audio)
    return tuple(
        AudioInfo(context.codec.canonical_name, settle_channels(context).count, context.sample_rate)
        if context is not None
        else AudioInfo("unknown", 0, 0)
        for context in known
    )
