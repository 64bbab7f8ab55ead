"""The `Clip` protocol, and what every kind of clip shares: `ClipBase`, reading a pair as two frames, the identity."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from videoinr.closing import Closing
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError, UsageError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, FramePair, PairKey, Pixels


class Clip(Protocol):
    """An open clip. One thread at a time may use it, whichever; :meth:`close` ends its decoder's own threads."""

    @property
    def info(self) -> ClipInfo:
        """What the clip is."""
        ...

    @property
    def timeline(self) -> Timeline:
        """When its frames are shown; second 0 is the first frame's start."""
        ...

    @property
    def identity(self) -> str:
        """Names the clip's content: path, size, modification time and colours. A changed file is another clip."""
        ...

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` (0 ... frames - 1), [height, width, 3] full-range RGB. Read it, never write to it.

        A frame that is promised but cannot be decoded (a damaged file) shows as the nearest one before it that
        can, or failing that the nearest after.

        Raises:
            ClipError: nothing around that frame can be decoded.
            UsageError: the clip has no such frame.
        """
        ...

    def pair(self, index: int) -> FramePair:
        """Frames ``index`` and ``index + 1``; the only pair of a one-frame clip is that frame twice.

        Raises:
            ClipError: as for :meth:`frame`.
            UsageError: the clip has no such pair.
        """
        ...

    def close(self) -> None:
        """Let go of the file, the decoder and its threads. Safe to call twice; nothing can be read afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class ClipBase(Closing):
    """A :class:`~videoinr.clip.Clip` but for the reading of a frame."""

    def __init__(self, info: ClipInfo, timeline: Timeline, identity: str) -> None:
        self._info, self._timeline, self._identity = info, timeline, identity

    @property
    def info(self) -> ClipInfo:
        """See :attr:`Clip.info`."""
        return self._info

    @property
    def timeline(self) -> Timeline:
        """See :attr:`Clip.timeline`."""
        return self._timeline

    @property
    def identity(self) -> str:
        """See :attr:`Clip.identity`."""
        return self._identity

    @abstractmethod
    def frame(self, index: int) -> Pixels:
        """See :meth:`Clip.frame`."""

    def pair(self, index: int) -> FramePair:
        """See :meth:`Clip.pair`."""
        count = self._timeline.frame_count
        if not 0 <= index < self._timeline.pair_count:
            raise UsageError(f"There is no pair {index} in a clip of {count} frames.")
        first = self.frame(index)
        return FramePair(PairKey(self._identity, index), first, self.frame(index + 1) if count > 1 else first)


def check_frame_index(index: int, count: int) -> None:
    """Raise :class:`UsageError` unless a clip of ``count`` frames has a frame ``index``."""
    if not 0 <= index < count:
        raise UsageError(f"There is no frame {index} in a clip of {count}: the first is 0, the last {count - 1}.")


def identity_of(where: Path, files: list[Path], colour: ColourSpec) -> str:
    """A string that changes when the path, a file's size or time of change, or the colours do."""
    digest = blake2b(digest_size=16)
    with disk_errors(where):
        for file in files:
            status = file.stat()
            digest.update(f"{file.name}/{status.st_size}/{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    fields = f"{colour.matrix},{colour.range},{colour.primaries},{colour.transfer}"
    return f"{where.resolve()}|{digest.hexdigest()}|{fields}"


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn an :class:`OSError` about ``where`` into a :class:`ClipError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ClipError(f"“{where}” cannot be read: {reason}.", hint="Check its name and permissions.") from error
