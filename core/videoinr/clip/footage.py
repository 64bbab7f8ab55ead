"""The frames of training and evaluation clips, read whole or as stretches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.cancel import NEVER
from videoinr.clip.base import Clip
from videoinr.clip.direct_opening import open_directly
from videoinr.clip.found import Found
from videoinr.clip.open_options import DEFAULT_OPTIONS
from videoinr.clip.picture_folder import pictures_in
from videoinr.clip.picture_sequence import all_sequences
from videoinr.errors import ClipError
from videoinr.images import uint8_from_pixels
from videoinr.timeline import Timeline

UNEVEN_STEP = 1.5
"""Where two frames lie this many times further apart (or closer) than most, they are no neighbours in time."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A crop of a frame: at most ``side`` x ``side`` pixels.

    ``down`` and ``right`` (0 ... 1) place it within the room that the frame leaves.
    """

    side: int
    down: float
    right: float

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the crop out of ``frame`` [H, W, 3], as an array of its own."""
        height, width = (min(self.side, each) for each in frame.shape[:2])
        top = int(self.down * (frame.shape[0] - height + 1))
        left = int(self.right * (frame.shape[1] - width + 1))
        return frame[top : top + height, left : left + width].copy()


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive frames of a clip.

    ``pixels`` is uint8 [T, H, W, 3] RGB. ``steady``, bool [T - 1], says whether frame n + 1 follows frame n after
    the clip's usual time. ``damaged``: which frames are not as they were recorded (:attr:`Clip.damaged`), counted from
    the first of the stretch.
    """

    pixels: NDArray[np.uint8]
    steady: NDArray[np.bool_]
    damaged: frozenset[int] = frozenset()


def read_stretch(path: Path, start: int = 0, count: int | None = None, crop: Crop | None = None) -> Stretch:
    """Read consecutive frames of a video file or a folder of pictures. Safe to call from several threads.

    Args:
        path: the video file or folder.
        start: the first frame, counted from 0.
        count: how many frames at most; all that follow if None.
        crop: what to keep of each frame; it is cut as frames come, so that a stretch takes no more memory than
            it keeps.

    Raises:
        ClipError: a frame cannot be read, there is none, or the frames differ in size.
    """
    if path.is_dir():
        pictures, steady = _pictures_with_steps(path)
        pixels = _stacked(map(read_picture, pictures[start : None if count is None else start + count]), crop, path)
        return Stretch(pixels, steady[start : start + len(pixels) - 1])
    with _opened(path) as clip:
        end = clip.info.frames if count is None else min(clip.info.frames, start + count)
        pixels = _stacked((uint8_from_pixels(clip.frame(index)) for index in range(start, end)), crop, path)
        damaged = frozenset(frame - start for frame in clip.damaged if start <= frame < end)
        return Stretch(pixels, steady_steps(clip.timeline)[start : start + len(pixels) - 1], damaged)


def _pictures_with_steps(folder: Path) -> tuple[list[Path], NDArray[np.bool_]]:
    """Return the pictures in ``folder``, and whether each but the first follows the last: bool [n - 1]."""
    sequences = all_sequences(pictures_in(folder))
    # No sequence goes on in the next one.
    steady = [flag for each in sequences for flag in (*_are_usual(np.diff([*each])), False)]
    return [file for each in sequences for file in each.values()], np.array(steady[:-1], dtype=bool)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read one picture file as uint8 [H, W, 3] RGB.

    Raises:
        ClipError: it cannot be read.
    """
    with _opened(path) as clip:
        return uint8_from_pixels(clip.frame(0))


def _opened(path: Path) -> Clip:
    # Without a helper process: a training opens the same files ten thousands of times, and goes on from a checkpoint.
    return open_directly(path, DEFAULT_OPTIONS, NEVER, Found())


def _stacked(frames: Iterable[NDArray[np.uint8]], crop: Crop | None, path: Path) -> NDArray[np.uint8]:
    kept = [crop.cut(frame) if crop else frame for frame in frames]
    if not kept or len({frame.shape for frame in kept}) != 1:
        raise ClipError(f"{path} holds no frames of one size.", hint="Every clip should have frames of its own size.")
    return np.stack(kept)


def steady_steps(timeline: Timeline) -> NDArray[np.bool_]:
    """Return whether each frame but the first follows the last after the clip's usual time: bool [frames - 1].

    Args:
        timeline: the clip's frame times.
    """
    return _are_usual(np.diff(timeline.ticks))


def _are_usual(steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each of the ``steps`` is about as long as most of them."""
    usual = float(np.median(steps)) if len(steps) else 0.0
    return (steps < UNEVEN_STEP * usual) & (steps * UNEVEN_STEP > usual)
