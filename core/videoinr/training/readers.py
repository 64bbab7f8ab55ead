"""Where training and evaluation clips come from: video files, and folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoinr.errors import UsageError

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".y4m", ".gif"})
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})


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
    if find_spec("av") is None:  # a training machine may have OpenCV instead of PyAV
        return _read_with_opencv(path)
    from videoinr.clip import open_clip

    with open_clip(path) as clip:
        frames = [clip.frame(index) for index in range(clip.info.frames)]
    return np.stack([frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8) for frame in frames])


def _read_with_opencv(path: Path) -> NDArray[np.uint8]:
    import cv2

    if path.is_dir():
        names = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        frames = [cv2.imread(str(name)) for name in names]
    else:
        video, frames = cv2.VideoCapture(str(path)), []
        while (answer := video.read())[0]:
            frames.append(answer[1])
    return np.ascontiguousarray(np.stack(frames)[..., ::-1])
