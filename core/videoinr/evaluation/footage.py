"""The clips that figures are measured on: found by folder, read a frame at a time however long they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from videoinr.clip import Clip, open_clip
from videoinr.clip.footage import clips_below
from videoinr.errors import UsageError
from videoinr.images import tensor_from_pixels

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
        with open_clip(self.path) as clip:
            yield _Read(clip, device)


def find_footage(folder: Path) -> list[Footage]:
    """Every clip at or below ``folder``, sorted by name. Raises UsageError where there is none."""
    clips = sorted(clips_below(folder, enter=_not_blurred)) if folder.is_dir() else []
    if not clips:
        raise UsageError(
            f"There are no clips in {folder}.",
            hint="It should hold video files, or folders of pictures (DIR/CLIP/000.png ...).",
        )
    return [Footage(_name(path, folder), path) for path in clips]


def _not_blurred(names: list[str]) -> list[str]:
    """The folders among ``names`` to look into: without the blurred ones beside a sharp one."""
    return [name for name in names if name not in BLURRED] if SHARP in names else names


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
