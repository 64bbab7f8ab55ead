"""A clip as the window reads it beside the render thread: its frames, and the kinds of its pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.types import PairKind

if TYPE_CHECKING:
    from videoinr.clip import Clip
    from videoinr.clip.open_options import OpenOptions


_HELD_BYTES = 64 << 20
_LEAST_HELD = 4
"""Frames that the clip keeps at least: a deinterlaced pair is made of so many."""


class ClipFrames:
    """A :class:`~videoinr_viewer.clip_access.side_reader.FrameSource` of a clip, which it closes."""

    def __init__(self, clip: Clip) -> None:
        # Imported here: they need torch and the readers, which the engine has loaded when a clip is open.
        from videoinr.clip.pair_kinds import PairKinds
        from videoinr.images import rgbx_from_pixels

        self._rgbx_from_pixels = rgbx_from_pixels
        self._clip, self._kinds = clip, PairKinds(clip)
        # Thumbnails and kinds are kept by who asks for them; large frames would take 320 MiB for nothing.
        clip.hold_at_most(max(_LEAST_HELD, _HELD_BYTES // (3 * clip.info.grid.rect.area)))

    def rgbx(self, index: int, token: CancelToken = NEVER) -> NDArray[np.uint8]:
        """Return frame ``index``: uint8 [height, width, 4], RGBX; raises as the clip does."""
        return self._rgbx_from_pixels(self._clip.frame(index, token))

    def kind(self, pair: int, token: CancelToken = NEVER) -> PairKind:
        """Return the kind of ``pair``; raises as the clip does."""
        return self._kinds.kind(pair, token)

    def close(self) -> None:
        """Close the clip."""
        self._clip.close()


def open_clip_frames(path: Path, options: OpenOptions | None = None) -> ClipFrames:
    """Open the clip at ``path`` as the engine does."""
    # Imported here: the start of the program does without the readers.
    from videoinr.clip import open_clip
    from videoinr.clip.open_options import DEFAULT_OPTIONS

    return ClipFrames(open_clip(path, options or DEFAULT_OPTIONS))
