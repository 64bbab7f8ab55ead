"""What all kinds of clips have in common: they know what they are, and read a pair as two frames."""

from __future__ import annotations

from abc import abstractmethod

from videoinr.clip import pair_of
from videoinr.closing import Closing
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, FramePair, Pixels


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
        return pair_of(self, index)
