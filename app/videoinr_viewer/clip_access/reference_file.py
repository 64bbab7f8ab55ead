"""A second clip with what the first one should look like: often of a higher rate or size. Read at exact times."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.errors import Cancelled, ClipError
from videoinr.geometry import Grid
from videoinr.text.hidden_names import hidden_names

if TYPE_CHECKING:
    from videoinr.clip import Clip

MOST_ASPECT_APART = 0.02
"""How far the shapes of both pictures may be apart, as a share: sizes are rounded to even numbers."""
TICKS_SECS = Fraction(1, 1000)
"""How far two files may round the time of one moment apart: Matroska writes whole milliseconds."""
PATIENCE_SECS = 0.02
"""How long closing waits for a reader that is just ending."""


@dataclass(frozen=True, eq=False)
class ReferenceFrame:
    """A frame of the reference.

    Attributes:
        rgbx: uint8 [height, width, 4], RGBX, of the reference's own size.
        index: its number.
        early_secs: how long it has been shown at the time that was asked for. Up to TICKS_SECS either way, also below
            0, it counts as a frame of that time.
    """

    rgbx: NDArray[np.uint8]
    index: int
    early_secs: Fraction


class ReferenceFile:
    """The reference at ``path`` of a clip of the size ``clip``. Any thread may call it; one at a time reads."""

    def __init__(self, path: Path, clip: Grid) -> None:
        hidden_names.remember(path)
        self.path, self._wanted = path, clip
        self._lock = threading.Lock()
        self._clip: Clip | None = None
        self._is_closed = False

    def open(self, token: CancelToken = NEVER) -> None:
        """Open the file, unless it is open.

        Raises:
            ClipError: it cannot be read, or its pictures have another shape.
            Cancelled: ``token`` was cancelled, or the reference is closed.
        """
        with self._reading():
            self._opened(token)

    def at(self, time_secs: Fraction, token: CancelToken = NEVER) -> ReferenceFrame:
        """Return the frame that is shown at ``time_secs``; after the end the last one. Raises as :meth:`open`."""
        # Imported here: the start of the program does without the readers.
        from videoinr.images import rgbx_from_pixels

        with self._reading():
            clip = self._opened(token)
            index = clip.timeline.frame_at(time_secs + TICKS_SECS)
            early_secs = time_secs - clip.timeline.frame_time(index)
            return ReferenceFrame(rgbx_from_pixels(clip.frame(index, token)), index, early_secs)

    def close(self) -> None:
        """Close the file. Returns at once: a reader on another thread closes it when it is done."""
        self._is_closed = True
        if self._lock.acquire(timeout=PATIENCE_SECS):
            self._drop()
            self._lock.release()

    def _drop(self) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            clip.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                if self._is_closed:
                    self._drop()

    def _opened(self, token: CancelToken) -> Clip:
        from videoinr.clip import open_clip

        if self._is_closed:
            raise Cancelled
        if self._clip is None:
            clip = open_clip(self.path, token=token)
            own, wanted = clip.info.width / clip.info.height, self._wanted.width / self._wanted.height
            if abs(own / wanted - 1) > MOST_ASPECT_APART:
                size = clip.info.grid
                clip.close()
                raise ClipError(
                    f"{self.path.name} has {size} pixels: another shape than the clip's {self._wanted}.",
                    hint="Choose a reference that shows the same part of the picture.",
                )
            self._clip = clip
        return self._clip
