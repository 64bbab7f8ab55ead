"""Messages over a pipe: JSON, and byte arrays behind it. Reading one builds plain values only, and never runs code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

_LENGTH_BYTES = 4
_MAX_HEADER_BYTES = 1 << 22
_MAX_BLOB_BYTES = 1 << 32
_BLOBS = "blobs"


class Message(NamedTuple):
    """The values of a message, and its byte arrays."""

    values: dict[str, Any]
    blobs: Sequence[bytes] = ()


def write_message(stream: IO[bytes], message: Message) -> None:
    """Write ``message`` to ``stream``.

    Raises:
        OSError: the other end is closed.
    """
    header = json.dumps({**message.values, _BLOBS: [len(blob) for blob in message.blobs]}).encode()
    stream.write(len(header).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(header)
    for blob in message.blobs:
        stream.write(blob)
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """Read the next message; None at the end of ``stream``, also in the middle of a message.

    Raises:
        ValueError: what was read is no message, or larger than any can be.
    """
    start = stream.read(_LENGTH_BYTES)
    if len(start) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(start, "big")
    if length > _MAX_HEADER_BYTES:
        raise ValueError(f"a message of {length} bytes")
    header = stream.read(length)
    if len(header) < length:
        return None
    values = json.loads(header)
    sizes = values.pop(_BLOBS, None) if isinstance(values, dict) else None
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ValueError("not a message")
    if sum(sizes) > _MAX_BLOB_BYTES:
        raise ValueError(f"a message of {sum(sizes)} bytes")
    blobs = [stream.read(size) for size in sizes]
    return Message(values, blobs) if [len(blob) for blob in blobs] == sizes else None
