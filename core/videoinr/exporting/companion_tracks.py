"""Writes the companions of an export into its file: streams first, then packets in the order of their times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer

from videoinr.cancel import CancelToken
from videoinr.clip.video_file import open_container
from videoinr.exporting.companions import Companions
from videoinr.exporting.sound.ahead import SoundAhead, made_sound
from videoinr.exporting.sound.copying import copied_packets
from videoinr.exporting.sound.plan import PlannedSound
from videoinr.exporting.subtitles import PlannedSubtitles, add_converted, converted_packets
from videoinr.exporting.track_labels import TrackLabels

TimedPacket = tuple[Fraction, "av.Packet[Any]"]
"""The time by which packets are ordered, seconds, and the packet."""

_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class _Track:
    """A stream of the output; ``packets`` yields what is muxed into it."""

    packets: Callable[[], Iterator[av.Packet[Any]]]


class CompanionTracks:
    """The streams of ``companions`` in ``container``, for an output ``duration_secs`` long. Close it after use.

    Make it after the video stream was added and before the header is written. ``token`` cancels the packets. ``ahead``
    has sound that was made before; it is used if it was for the same duration.
    """

    def __init__(
        self, companions: Companions, container: OutputContainer, duration_secs: Fraction, token: CancelToken,
        ahead: SoundAhead | None = None,
    ) -> None:  # fmt: skip
        self._companions, self._container, self._ahead = companions, container, ahead
        self._duration, self._token = duration_secs, token
        self._open = ExitStack()
        try:
            container.metadata.update(companions.tags)
            if companions.timecode:
                container.metadata["timecode"] = companions.timecode
            self._tracks = [self._sound(sound) for sound in companions.sounds]
            self._tracks += [self._subtitles(each) for each in companions.subtitles]
            chapters: Any = [*_chapters(companions, duration_secs)]
            container.set_chapters(chapters)
        except BaseException:
            self.close()
            raise

    def packets(self) -> list[Iterator[TimedPacket]]:
        """Return the packets of each track, ordered by time."""
        return [_timed(track.packets()) for track in self._tracks]

    def close(self) -> None:
        """Close the clip's file."""
        self._open.close()

    def _sound(self, sound: PlannedSound) -> _Track:
        return self._copied(sound) if sound.coding is None else self._encoded(sound)

    def _copied(self, sound: PlannedSound) -> _Track:
        source = self._open.enter_context(open_container(self._companions.source.path))
        stream = source.streams.audio[sound.facts.number]
        target = self._container.add_stream_from_template(stream)
        sound.facts.labels.put_on(target)
        start = self._companions.source.origin_secs + self._companions.start_secs
        return _Track(
            lambda: copied_packets(
                source, stream, target, start_secs=start, duration_secs=self._duration, token=self._token
            )
        )

    def _encoded(self, sound: PlannedSound) -> _Track:
        coding, ahead = sound.coding, self._ahead
        assert coding is not None
        target = coding.add_stream(self._container)
        sound.facts.labels.put_on(target)
        if ahead is not None and ahead.duration_secs == self._duration:
            return _Track(lambda: coding.packets(target, ahead.blocks(sound)))
        return _Track(lambda: coding.packets(target, made_sound(self._companions, sound, self._duration, self._token)))

    def _subtitles(self, planned: PlannedSubtitles) -> _Track:
        source = self._open.enter_context(open_container(self._companions.source.path))
        stream = source.streams.subtitles[planned.number]
        labels = TrackLabels.of(stream)
        if planned.encoder is not None:
            text = add_converted(self._container, stream, planned.encoder)
            labels.put_on(text)
            return _Track(lambda: converted_packets(source.demux(stream), stream, text, self._moved, self._token))
        target = self._container.add_stream_from_template(stream)
        labels.put_on(target)

        def packets() -> Iterator[av.Packet[Any]]:
            for packet in source.demux(stream):
                self._token.check()
                if packet.pts is not None and packet.size and self._moved(packet):
                    packet.stream = target
                    yield packet

        return _Track(packets)

    def _moved(self, packet: av.Packet[Any]) -> bool:
        """Set the times of a packet of subtitles to those in the output. Return False if it is not shown there."""
        companions, base = self._companions, packet.time_base
        clip_secs = (packet.pts or 0) * base - companions.source.origin_secs - companions.start_secs
        start = clip_secs / companions.speed
        end = start + (packet.duration or 0) * base / companions.speed
        if start >= self._duration or (end <= 0 and (packet.duration or start < 0)):
            return False
        start, end = max(start, Fraction(0)), min(end, self._duration)
        packet.pts = packet.dts = round(start / base)
        packet.duration = max(0, round(end / base) - packet.pts)
        return True


def _timed(packets: Iterator[av.Packet[Any]]) -> Iterator[TimedPacket]:
    for packet in packets:
        yield Fraction(packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base, packet


def _chapters(companions: Companions, duration_secs: Fraction) -> Iterator[dict[str, Any]]:
    """Yield the chapters that overlap the output, cut and moved to its times, as PyAV takes them."""
    for number, chapter in enumerate(companions.chapters):
        start, end = (_moved(secs, companions) for secs in (chapter.start_secs, chapter.end_secs))
        if end > 0 and start < duration_secs:
            yield {
                "id": number,
                "start": round(max(start, Fraction(0)) / _MILLISECOND),
                "end": round(min(end, duration_secs) / _MILLISECOND),
                "time_base": _MILLISECOND,
                "metadata": dict(chapter.tags),
            }


def _moved(secs: Fraction, companions: Companions) -> Fraction:
    return (secs - companions.start_secs) / companions.speed
