"""A clip of frames that are in memory already: an array or a tensor, shown at a constant rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip.base import ClipBase, check_frame_index
from videoinr.colour import ColourSpec
from videoinr.errors import UsageError
from videoinr.timeline import Timeline
from videoinr.types import ClipInfo, Pixels

if TYPE_CHECKING:
    from torch import Tensor

Frames = NDArray[np.uint8] | NDArray[np.uint16]
"""[frames, height, width, 3] RGB, full range."""

_SRGB = ColourSpec(matrix="rgb", range="pc", primaries="bt709", transfer="iec61966-2-1")
_NUMBERS = count()


class MemoryClip(ClipBase):
    """The :class:`~videoinr.clip.Clip` of an array of frames; the array must not change while the clip is open."""

    def __init__(self, info: ClipInfo, timeline: Timeline, frames: Frames) -> None:
        super().__init__(info, timeline, f"memory {next(_NUMBERS)}")
        self._frames: Frames | None = frames

    def frame(self, index: int, token: CancelToken = NEVER) -> Pixels:
        """See :meth:`Clip.frame`."""
        check_frame_index(index, self._timeline.frame_count)
        if self._frames is None:
            raise UsageError("The clip was closed.")
        frame: Pixels = self._frames[index]
        return frame

    def close(self) -> None:
        """See :meth:`Clip.close`."""
        self._frames = None


def open_frames(frames: Frames | Sequence[Frames] | Tensor, *, fps: Fraction) -> MemoryClip:
    """Open frames as a clip.

    Args:
        frames: [frames, height, width, 3] RGB, uint8 or uint16, full range, at least one frame. An array, a list
            of frames, or a tensor or a list of tensors on any device. Colours are taken as sRGB.
        fps: frames per second.

    Raises:
        UsageError: ``frames`` has another shape or type, or ``fps`` is not above 0.
    """
    array = _array(frames)
    if array.ndim != 4 or array.shape[-1] != 3 or 0 in array.shape or array.dtype not in (np.uint8, np.uint16):
        raise UsageError(
            f"Frames of shape {list(array.shape)} and type {array.dtype} are not a clip.",
            hint="Give [frames, height, width, 3], RGB, uint8 or uint16.",
        )
    if fps <= 0:
        raise UsageError(f"Frames cannot be shown at {float(fps):g} per second.", hint="Give a rate above 0.")
    number, height, width, _ = array.shape
    deep = array.dtype == np.uint16
    timeline = Timeline.constant(number, fps)
    info = ClipInfo(
        path=Path("<memory>/frames"),
        width=width,
        height=height,
        rotation=0,
        fps=fps,
        frames=number,
        duration_secs=timeline.duration_secs,
        vfr=False,
        codec="rawvideo",
        pix_fmt="rgb48" if deep else "rgb24",
        bit_depth=16 if deep else 8,
        colour=_SRGB,
        audio=(),
        interlaced=False,
        warnings=(),
    )
    return MemoryClip(info, timeline, array)


def _array(frames: object) -> NDArray[Any]:
    """Return ``frames`` as an array in the byte order of this machine. Raises UsageError if they make none."""
    try:
        if isinstance(frames, Sequence) and not isinstance(frames, bytes):
            array = np.stack([_one_array(frame) for frame in frames]) if frames else np.empty(0)
        else:
            array = _one_array(frames)
        if not array.ndim:  # numpy makes a number, or an "object", of what is no sequence.
            raise TypeError
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(
            f"This {type(frames).__name__} is not a clip.",
            hint="Give a path, or frames: an array, a list or a tensor [frames, height, width, 3], RGB, all of one "
            "size, uint8 or uint16.",
        ) from None
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _one_array(values: Any) -> NDArray[Any]:
    # Files have a method "detach", too.
    is_tensor = hasattr(values, "detach") and hasattr(values, "numpy")
    return values.detach().cpu().numpy() if is_tensor else np.asarray(values)
