"""Where exported frames go."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Sink(Protocol):
    """Takes the frames of an export in order. The output's own name appears only when :meth:`finish` succeeds.

    Calls come as open, write..., and then finish or abort; abort is allowed at any point, also after a failed finish.
    Every method but abort raises ExportError.
    """

    def open(self) -> None:
        """Check that the output can be written, and start it under a name that says it is unfinished."""

    def write(self, rgbx: NDArray[np.uint8]) -> None:
        """Take the next frame, uint8 [height, width, 4], X ignored. It is not kept after the call."""

    def finish(self, *, partial: bool = False) -> Path:
        """Close the output, check it, give it its name and return that.

        ``partial``: frames are missing, so the name says so too.
        """

    def abort(self) -> None:
        """Remove whatever was written. Never raises."""
