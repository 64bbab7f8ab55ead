"""PacketFile: the packets of a part of an export, as the encoder gave them, each with a checksum.

A header line (JSON), then for each packet a record and its bytes, then a record without bytes and a line of notes
(JSON). A part is whole if that last line is there.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from videoinr.errors import ExportError
from videoinr.writing.partial_file import write_all

_RECORD = struct.Struct("<4sqqIIB3x")
"""Mark, pts, dts, size, CRC-32 and flags of a packet."""
_PACKET, _END = b"pkt:", b"end:"
_KEY = 1
_MOST_BYTES = 1 << 30
_MOST_LINE = 1 << 24
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The times of a packet, in frames of the output, and its size in bytes."""

    pts: int
    dts: int
    size: int
    is_key: bool


class PacketWriter:
    """Writes a new file of packets at ``path``; ``header`` describes the stream. Errors are OSErrors."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        self.packets: list[Numbers] = []
        self._descriptor: int | None = os.open(path, _FLAGS | getattr(os, "O_CLOEXEC", 0), 0o666)
        self._end = 0
        self._write(json.dumps(header).encode() + b"\n")

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return self._end

    def add(self, packet: av.Packet[Any]) -> None:
        """Write ``packet``. If that fails, the file ends after the packet before.

        Raises:
            ValueError: ``packet`` does not say when it is shown.
            OSError: it cannot be written.
        """
        if packet.pts is None:
            raise ValueError("a packet does not say when it is shown")
        data, dts = bytes(packet), packet.pts if packet.dts is None else packet.dts
        numbers = Numbers(packet.pts, dts, len(data), packet.is_keyframe)
        flags = _KEY if packet.is_keyframe else 0
        record = _RECORD.pack(_PACKET, numbers.pts, numbers.dts, len(data), zlib.crc32(data), flags)
        self._write(record + data)
        self.packets.append(numbers)

    def finish(self, notes: dict[str, Any], path: Path) -> None:
        """Write the end of the file, wait until all of it is on the disk, and rename it to ``path``."""
        self._write(_RECORD.pack(_END, 0, 0, 0, 0, 0) + json.dumps(notes).encode() + b"\n")
        assert self._descriptor is not None
        os.fsync(self._descriptor)
        self.close()
        os.replace(self.path, path)
        self.path = path

    def close(self) -> None:
        """Close the file and leave it as it is."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None
        try:
            self._end += write_all(self._descriptor, data)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            raise


class PacketFile:
    """A file of packets, for reading.

    Attributes:
        path: the file.
        header: what describes the stream.
        notes: what was noted at its end; None if the file has no end: the process that wrote it was killed.
        packets: the times of all packets, in the order of decoding.
    """

    def __init__(self, path: Path) -> None:
        """Read the times of the packets.

        Raises:
            ExportError: it is not a file of packets, or it is damaged.
            OSError: the file cannot be read.
        """
        self.path = path
        self.packets: list[Numbers] = []
        self.notes: dict[str, Any] | None = None
        with path.open("rb") as file:
            self.header = _line(file.readline(_MOST_LINE), path)
            self._first = file.tell()
            while len(record := file.read(_RECORD.size)) == _RECORD.size:
                mark, pts, dts, size, _, flags = _RECORD.unpack(record)
                if mark == _END:
                    self.notes = _line(file.readline(_MOST_LINE), path)
                    return
                if mark != _PACKET or size > _MOST_BYTES:
                    raise _damaged(path)
                self.packets.append(Numbers(pts, dts, size, bool(flags & _KEY)))
                file.seek(size, os.SEEK_CUR)
                if file.tell() > os.fstat(file.fileno()).st_size:
                    self.packets.pop()
                    return

    @property
    def size(self) -> int:
        """How many bytes the packets have."""
        return sum(packet.size for packet in self.packets)

    def data(self, count: int | None = None) -> Iterator[tuple[Numbers, bytes]]:
        """Yield the first ``count`` packets (None: all) with their bytes. Raises ExportError if one is damaged."""
        with self.path.open("rb") as file:
            file.seek(self._first)
            for numbers in self.packets[:count]:
                _, _, _, size, checksum, _ = _RECORD.unpack(file.read(_RECORD.size))
                data = file.read(size)
                if len(data) != size or zlib.crc32(data) != checksum:
                    raise _damaged(self.path)
                yield numbers, data

    def raw(self) -> Iterator[bytes]:
        """Yield the records of all packets as they are stored, checked."""
        for numbers, data in self.data():
            flags = _KEY if numbers.is_key else 0
            yield _RECORD.pack(_PACKET, numbers.pts, numbers.dts, len(data), zlib.crc32(data), flags) + data

    def check(self) -> None:
        """Raise ExportError if a packet is damaged."""
        for _ in self.data():
            pass


def joined(files: Iterable[PacketFile], header: dict[str, Any], notes: dict[str, Any]) -> Iterator[bytes]:
    """Yield the bytes of one file of packets with those of ``files``, one after the other."""
    yield json.dumps(header).encode() + b"\n"
    for file in files:
        yield from file.raw()
    yield _RECORD.pack(_END, 0, 0, 0, 0, 0) + json.dumps(notes).encode() + b"\n"


def _line(text: bytes, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged(path) from None
    if not text.endswith(b"\n") or not isinstance(values, dict):
        raise _damaged(path)
    return values


def _damaged(path: Path) -> ExportError:
    return ExportError(f"{path} is not a whole part of an export.", hint="Export that part again.")
