"""What one opening of a clip found by reading its files, so that another opening need not read them for it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from videoinr.clip.head import HeadFacts
from videoinr.clip.packet_index import PacketTable
from videoinr.clip.stream_timecode import GopTimecode


@dataclass(frozen=True, eq=False)
class Scan:
    """What reading all packets of a video stream gave.

    Attributes:
        table: the packets.
        warnings: about missing ones and other sizes.
        timecodes: those of the first groups of pictures (MPEG-1, MPEG-2).
    """

    table: PacketTable
    warnings: tuple[str, ...]
    timecodes: tuple[GopTimecode, ...] = ()


@dataclass
class Found:
    """What an opening found. An opening reads only what is not there yet, and adds it.

    Attributes:
        scans: the scan of each video stream that was opened, by the number that was asked for.
        heads: what the first frames of each say, where frames are identified by their times.
        sizes_agree: whether the stored sizes of the pictures of a folder were compared.
    """

    scans: dict[int | None, Scan] = field(default_factory=dict)
    heads: dict[int | None, HeadFacts] = field(default_factory=dict)
    sizes_agree: bool = False

    @property
    def bytes(self) -> int:
        """About how much memory the scans take."""
        return sum(len(scan.table.pts) * 35 for scan in self.scans.values())
