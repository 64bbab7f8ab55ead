"""Sink: the protocol of an output that takes frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from videoinr.exporting.coding import Coding


class Sink(Protocol):
    """Takes the frames of an export in order. The output gets its own name only when :meth:`finish` succeeds.

    The order of calls is open, write for each frame, then finish or abort. abort may be called at any time, also after
    finish has failed. Every method but abort raises ExportError.
    """

    def open(self) -> None:
        """Check that the output can be written, and start it under the name of an unfinished file."""

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Write the next frame, uint8 [height, width, 4]; X is ignored. The array is not kept after the call."""

    def finish(self, *, partial: bool = False) -> Path:
        """Close and check the output, give it its name, and return its path.

        ``partial``: frames are missing, so the name says "partial".
        """

    def abort(self) -> None:
        """Remove the unfinished output. Never raises."""


class ResumableSink(ABC):
    """A :class:`Sink` that may go on with what a killed export has left, or writes a share of all frames."""

    @property
    @abstractmethod
    def wanted(self) -> range:
        """The numbers of the frames that are to be written next, in order; empty if none is missing."""

    @property
    @abstractmethod
    def total_frames(self) -> int:
        """How many frames the output will have."""

    @property
    @abstractmethod
    def done_frames(self) -> int:
        """How many of them were done before the sink was opened."""

    @property
    @abstractmethod
    def noted_cuts(self) -> set[int]:
        """The pairs across cuts that were met in them."""

    @property
    @abstractmethod
    def said(self) -> list[str]:
        """Sentences about the output for a user, after :meth:`finish`."""

    @property
    def coding(self) -> Coding | None:
        """The settings of a video whose planes :meth:`write` takes too; None if it takes pixels alone."""
        return None

    @abstractmethod
    def write(self, rgbx: Any, *, cut: int | None = None) -> None:
        """Write the next frame: pixels, or planes for :attr:`coding`.

        ``cut``: the pair that it shows, if there is a cut in it.
        """

    @abstractmethod
    def leave(self) -> None:
        """End the writing, and leave what is done for an export that resumes. Never raises."""
