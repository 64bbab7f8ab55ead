"""The `Clip` protocol, and what all kinds of clips share."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.source_stamp import SourceStamp
from videoinr.closing import Closeable
from videoinr.colour import ColourSpec
from videoinr.errors import ClipError, UsageError
from videoinr.text.phrases import format_count
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, FramePair, PairKey, Pixels


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading a clip's frames has met so far.

    Attributes:
        with_errors: how many frames were decoded with errors: the decoder concealed what is missing.
        replaced: how many frames could not be decoded; the nearest one that could is returned instead.
        other_size: how many frames have another stored size than the first.
    """

    with_errors: int = 0
    replaced: int = 0
    other_size: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Return the report in sentences for a user; none if all frames are as they should be."""
        return tuple(
            sentence
            for count, sentence in (
                (
                    self.with_errors,
                    f"{format_count(self.with_errors, 'frame')} decoded with errors: the file is damaged there.",
                ),
                (
                    self.replaced,
                    f"{format_count(self.replaced, 'frame')} could not be decoded: the nearest frame is shown instead.",
                ),
                (
                    self.other_size,
                    f"{format_count(self.other_size, 'frame')} of another size fitted into the first one's, in their "
                    "own shape.",
                ),
            )
            if count
        )


class Clip(Protocol):
    """An open clip. Any thread may use it, but only one at a time; :meth:`close` ends the decoder's own threads."""

    cut_edits: Mapping[int, bool]
    """Pairs that are said to be a cut, or to be none, whatever their frames look like."""

    @property
    def info(self) -> ClipInfo:
        """The clip's size, rate, codec, colours and warnings, also about what was met in the frames read so far."""
        ...

    @property
    def report(self) -> ReadReport:
        """What reading the clip's frames has met so far."""
        ...

    @property
    def timeline(self) -> Timeline:
        """When each frame is shown. Second 0 is the start of the first frame."""
        ...

    @property
    def identity(self) -> str:
        """A string that identifies the clip's content: path, file sizes, modification times and colours.

        A changed file has another identity.
        """
        ...

    @property
    def stand_ins(self) -> Mapping[int, int]:
        """The frames read so far that cannot be decoded, and which frame was returned instead of each."""
        ...

    @property
    def damaged(self) -> frozenset[int]:
        """The frames read so far that are not as they were recorded.

        They were decoded with errors, or cannot be decoded, or may be built on such a frame: those up to the next key
        frame, and the B-frames that are shown just before it. A deinterlaced frame is built on its neighbours, too.
        """
        ...

    def check_source(self, index: int | None = None) -> None:
        """Check that the clip's files are those that were opened.

        Args:
            index: only compare size and time of the files of pair ``index``, which is quick. None means all files,
                and their first and last bytes.

        Raises:
            ClipError: a file has changed since the clip was opened, or is gone.
        """
        ...

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """Read one frame.

        Where the file is damaged and the frame cannot be decoded, the nearest earlier frame that can be decoded takes
        its place, or else the nearest later one.

        Args:
            index: the frame's index, 0 ... frames - 1.
            token: cancels the reading between two packets.

        Returns:
            [height, width, 3] full-range RGB, uint8 or uint16 (see :data:`~videoinr.types.Pixels`). It may be shared
            with a cache: do not write to it.

        Raises:
            ClipError: neither the frame nor any near it can be decoded.
            UsageError: the clip has no such frame, or was closed.
            Cancelled: ``token`` was cancelled.
        """
        ...

    def pair(self, index: int, token: CancelToken = NEVER) -> FramePair:
        """Read frames ``index`` and ``index + 1``. The only pair of a clip of one frame holds that frame twice.

        Args:
            index: the pair's index, 0 ... :attr:`Timeline.pair_count` - 1.
            token: as for :meth:`frame`.

        Raises:
            ClipError, Cancelled: as for :meth:`frame`.
            UsageError: the clip has no such pair, or was closed.
        """
        ...

    def hold_at_most(self, frames: int) -> None:
        """Keep at most so many decoded frames in memory from now on; otherwise a budget in bytes alone bounds them."""
        ...

    def close(self) -> None:
        """Close the file and end the decoder's threads. Safe to call twice; nothing can be read afterwards."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class ClipBase(Closeable):
    """A base class for clips. Subclasses read frames and close the file."""

    def __init__(self, info: ClipInfo, timeline: Timeline, identity: str, stamp: SourceStamp | None = None) -> None:
        self._info, self._timeline, self._identity = info, timeline, identity
        self._told, self._info_now = ReadReport(), info
        self._stamp = stamp
        self.cut_edits: Mapping[int, bool] = {}

    @property
    def info(self) -> ClipInfo:
        """See :attr:`Clip.info`."""
        report = self.report
        if report != self._told:
            warnings = (*self._info.warnings, *report.sentences())
            self._told, self._info_now = report, replace(self._info, warnings=warnings)
        return self._info_now

    @property
    def report(self) -> ReadReport:
        """See :attr:`Clip.report`."""
        return ReadReport()

    @property
    def timeline(self) -> Timeline:
        """See :attr:`Clip.timeline`."""
        return self._timeline

    @property
    def identity(self) -> str:
        """See :attr:`Clip.identity`."""
        return self._identity

    @property
    def stand_ins(self) -> Mapping[int, int]:
        """See :attr:`Clip.stand_ins`."""
        return {}

    @property
    def damaged(self) -> frozenset[int]:
        """See :attr:`Clip.damaged`."""
        return frozenset()

    def check_source(self, index: int | None = None) -> None:
        """See :meth:`Clip.check_source`."""
        stamp = self._stamp
        if stamp is None:
            return
        changed = stamp.changed_anywhere() if index is None else stamp.changed(self._files_of_pair(stamp.files, index))
        if changed is None:
            return
        if changed.exists():
            raise ClipError(
                f"“{changed.name}” has changed while it was read.",
                hint="Wait until it is complete, then open it again.",
            )
        raise ClipError(f"“{changed.name}” is gone.", hint="Put it back, then open it again.")

    def hold_at_most(self, frames: int) -> None:
        """See :meth:`Clip.hold_at_most`; a clip that caches nothing does nothing."""

    @staticmethod
    def _files_of_pair(files: Sequence[Path], index: int) -> range:
        """Return the indices of the files that pair ``index`` is read from."""
        return range(1) if len(files) == 1 else range(index, min(index + 2, len(files)))

    @abstractmethod
    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""

    def pair(self, index: int, token: CancelToken = NEVER) -> FramePair:
        """See :meth:`Clip.pair`."""
        count = self._timeline.frame_count
        if not 0 <= index < self._timeline.pair_count:
            raise UsageError(f"There is no pair {index} in a clip of {format_count(count, 'frame')}.")
        first = self.frame(index, token)
        second = self.frame(index + 1, token) if count > 1 else first
        return FramePair(PairKey(self._identity, index), first, second)


def check_frame_index(index: int, count: int) -> None:
    """Check that a clip has a frame.

    Args:
        index: the frame, counted from 0.
        count: how many frames the clip has.

    Raises:
        UsageError: ``index`` is not in 0 ... count - 1.
    """
    if not 0 <= index < count:
        raise UsageError(
            f"There is no frame {index} in a clip of {format_count(count, 'frame')}: "
            f"the first is 0, the last {count - 1}."
        )


def identity_of(where: Path, files: list[Path], colour: ColourSpec) -> str:
    """Return the identity of a clip; see :attr:`Clip.identity`.

    Args:
        where: the path that was opened.
        files: the files that the clip consists of.
        colour: how the clip's pixels are read.

    Raises:
        ClipError: a file is gone.
    """
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
