"""What a stream of sound or subtitles says about itself: its language, its title, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from av.stream import Disposition

_PURPOSES = (
    Disposition.default
    | Disposition.dub
    | Disposition.original
    | Disposition.comment
    | Disposition.lyrics
    | Disposition.karaoke
    | Disposition.forced
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.clean_effects
    | Disposition.captions
    | Disposition.descriptions
)
"""Of FFmpeg's dispositions those that a player chooses streams by; the others say how a file holds its pictures."""


@dataclass(frozen=True, slots=True)
class TrackLabels:
    """The labels of a stream.

    Attributes:
        tags: language and title, as far as it has them.
        purposes: FFmpeg's disposition: default, forced, for the hearing impaired ...
    """

    tags: tuple[tuple[str, str], ...]
    purposes: Disposition

    @classmethod
    def of(cls, stream: Any) -> TrackLabels:
        """Return the labels of ``stream``, one of PyAV's."""
        # FFmpeg's MP4 demuxer calls a title "name"; its muxer takes both.
        found = {name: stream.metadata.get(name) for name in ("language", "title")}
        found["title"] = found["title"] or stream.metadata.get("name")
        kept = tuple((name, value) for name, value in found.items() if value)
        return cls(kept, stream.disposition & _PURPOSES)

    def put_on(self, stream: Any) -> None:
        """Give ``stream``, of an output whose header is not yet written, these labels."""
        stream.metadata.update(self.tags)
        stream.disposition = self.purposes
