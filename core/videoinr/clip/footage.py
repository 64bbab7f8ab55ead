"""Frames of training and evaluation clips: video files, and folders of pictures; whole, or a stretch of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoinr.clip.picture_folder import natural_key
from videoinr.errors import ClipError, UsageError

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".y4m", ".gif"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})

UNEVEN_STEP = 1.5
"""A frame that is shown this many times longer (or shorter) than most is no neighbour in time of the next one."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a clip is said to hold, read without decoding it: good for sizing memory, not to be relied upon."""

    frames: int
    height: int
    width: int

    @property
    def bytes(self) -> int:
        """As uint8 RGB."""
        return self.frames * self.height * self.width * 3

    def holds(self, frames: int, side: int) -> bool:
        """Whether ``frames`` frames of ``side`` x ``side`` pixels can be cut from it."""
        return self.frames >= frames and min(self.height, self.width) >= side


@dataclass(frozen=True, slots=True)
class Crop:
    """At most ``side`` x ``side`` pixels; ``down``, ``right`` (0 ... 1): where in the room that there is."""

    side: int
    down: float
    right: float

    def of(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop of [H, W, 3], as an array of its own."""
        height, width = (min(self.side, each) for each in frame.shape[:2])
        top = int(self.down * (frame.shape[0] - height + 1))
        left = int(self.right * (frame.shape[1] - width + 1))
        return frame[top : top + height, left : left + width].copy()


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive frames of a clip. ``pixels`` uint8 [T, H, W, 3] RGB; ``steady`` bool [T - 1]: whether frame n + 1
    follows frame n after the clip's usual time."""

    pixels: NDArray[np.uint8]
    steady: NDArray[np.bool_]


def find_clips(folder: Path) -> list[Path]:
    """Every video file and every folder that holds pictures, at or below ``folder``, sorted.

    Raises UsageError where there is none.
    """
    clips = sorted(set(_clips_below(folder)))
    if not clips:
        raise UsageError(
            f"There are no clips in {folder}.",
            hint="It should hold video files, or folders of pictures (DIR/CLIP/000.png ...).",
        )
    return clips


def _clips_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield path
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            yield path.parent


def read_frames(path: Path) -> NDArray[np.uint8]:
    """All frames of a video file or a folder of pictures: uint8 [T, H, W, 3], RGB."""
    return read_stretch(path).pixels


def read_stretch(path: Path, start: int = 0, count: int | None = None, crop: Crop | None = None) -> Stretch:
    """Up to ``count`` frames (all there are, without it) from frame ``start`` of a video file or folder of pictures.

    Each is cropped as it comes, so that a stretch takes no more memory than it keeps. Safe to call from several
    threads. Raises ClipError where nothing can be read.
    """
    if path.is_dir():
        names = picture_names(path)
        frames = (read_picture(name) for name in names[start : None if count is None else start + count])
        return _stretch(frames, crop, path)
    if find_spec("av") is None:  # a training machine may have OpenCV instead of PyAV
        return _stretch(_video_with_opencv(path, start, count), crop, path)
    return _video_with_av(path, start, count, crop)


def picture_names(folder: Path) -> list[Path]:
    """The pictures in ``folder``, im2 before im10."""
    return sorted((p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES), key=natural_key)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """One picture file: uint8 [H, W, 3] RGB. Raises ClipError if it cannot be read."""
    if find_spec("av") is None:
        import cv2

        bgr = cv2.imread(str(path))
        if bgr is None:
            raise ClipError(f"The picture {path} cannot be read.")
        return np.ascontiguousarray(bgr[..., ::-1])
    from videoinr.clip.opening import open_clip

    with open_clip(path) as clip:
        return _bytes(clip.frame(0))


def extent_of(path: Path) -> Extent:
    """What ``path`` says it holds. Raises ClipError where it says nothing."""
    if path.is_dir():
        names = picture_names(path)
        return Extent(len(names), *_picture_size(names[0]))
    return _extent_with_opencv(path) if find_spec("av") is None else _extent_with_av(path)


def _stretch(source: Iterable[NDArray[np.uint8]], crop: Crop | None, path: Path) -> Stretch:
    frames = [crop.of(frame) if crop else frame for frame in source]
    if not frames or len({frame.shape for frame in frames}) != 1:
        raise ClipError(f"{path} holds no frames of one size.", hint="Every clip should have frames of its own size.")
    return Stretch(np.stack(frames), np.ones(len(frames) - 1, dtype=bool))


def _bytes(frame: NDArray[Any]) -> NDArray[np.uint8]:
    return frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)


def _video_with_av(path: Path, start: int, count: int | None, crop: Crop | None) -> Stretch:
    from videoinr.clip.opening import open_clip

    with open_clip(path) as clip:
        end = clip.info.frames if count is None else min(clip.info.frames, start + count)
        stretch = _stretch((_bytes(clip.frame(index)) for index in range(start, end)), crop, path)
        steps = np.diff(clip.timeline.ticks)
    if len(steps) == 0:
        return stretch
    usual = float(np.median(steps))
    steady = (steps < UNEVEN_STEP * usual) & (steps * UNEVEN_STEP > usual)
    return Stretch(stretch.pixels, steady[start : start + len(stretch.pixels) - 1])


def _video_with_opencv(path: Path, start: int, count: int | None) -> Iterator[NDArray[np.uint8]]:
    import cv2

    video, read = cv2.VideoCapture(str(path)), 0
    if start:
        video.set(cv2.CAP_PROP_POS_FRAMES, start)
    while (count is None or read < count) and (answer := video.read())[0]:
        yield np.ascontiguousarray(answer[1][..., ::-1])
        read += 1
    video.release()


def _extent_with_av(path: Path) -> Extent:
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            secs = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
            secs = (container.duration or 0) / av.time_base if secs is None else secs
            frames = stream.frames or round(secs * float(stream.average_rate or 0))
            return Extent(frames or sum(1 for _ in container.decode(stream)), stream.height, stream.width)
    except (av.FFmpegError, IndexError, OSError) as error:
        raise ClipError(f"{path} cannot be read: {error}.") from error


def _extent_with_opencv(path: Path) -> Extent:
    import cv2

    video = cv2.VideoCapture(str(path))
    codes = (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
    extent = Extent(*(int(video.get(code)) for code in codes))
    video.release()
    if extent.bytes <= 0:
        raise ClipError(f"{path} cannot be read.")
    return extent


def _picture_size(path: Path) -> tuple[int, int]:
    """Height and width; of a PNG from its head alone, since a set may have a hundred thousand clips."""
    with path.open("rb") as file:
        head = file.read(24)
    if head.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", head[16:24])
        return height, width
    return read_picture(path).shape[:2]
