"""The clips that figures are measured on: found by folder, read a frame at a time however long they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from videoinr.clip import Clip, open_clip
from videoinr.clip.footage import find_clips, read_frames
from videoinr.images import tensor_from_pixels
from videoinr.types import Pixels

SHARP, BLURRED = "sharp", frozenset({"blur", "blur_gamma"})
"""GoPro's layout: CLIP/sharp/*.png is the truth, and what stands beside it is the same clip, blurred."""


class Frames(Protocol):
    """Frames by number; a tensor [T, 3, H, W] is such frames too."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor:
        """Frame ``index``: float32 [3, H, W] in 0 ... 1."""
        ...


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip by its name within the folder that was asked for."""

    name: str
    path: Path

    @contextmanager
    def open(self, device: torch.device) -> Iterator[Frames]:
        """Its frames, on ``device``. Raises ClipError."""
        if find_spec("av") is None:  # a training machine may have OpenCV instead of PyAV
            yield _Held(list(read_frames(self.path)), device)
            return
        with open_clip(self.path) as clip:
            yield _Read(clip, device)


def find_footage(folder: Path) -> list[Footage]:
    """Every clip at or below ``folder``, sorted by name. Raises UsageError where there is none."""
    clips = find_clips(folder)
    if any(path.name == SHARP for path in clips):
        clips = [path for path in clips if path.name not in BLURRED]
    return [Footage(_name(path, folder), path) for path in clips]


def _name(path: Path, folder: Path) -> str:
    whole = path.parent if path.name == SHARP else path
    return whole.relative_to(folder).as_posix() if whole not in (folder, folder.parent) else whole.resolve().name


@dataclass(frozen=True, eq=False)
class _Read:
    """Frames of an open clip, each read when it is asked for."""

    clip: Clip
    device: torch.device

    def __len__(self) -> int:
        return self.clip.timeline.frame_count

    def __getitem__(self, index: int) -> Tensor:
        return tensor_from_pixels(self.clip.frame(index), self.device)


@dataclass(frozen=True, eq=False)
class _Held:
    """Frames in memory, as bytes."""

    pixels: Sequence[Pixels]
    device: torch.device

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Tensor:
        return tensor_from_pixels(self.pixels[index], self.device)
