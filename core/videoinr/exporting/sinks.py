"""Sink: the protocol of an output that takes frames."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


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
