"""Evaluation clips: found by folder, and read one frame at a time.

Finding them imports no torch, so that a command says at once that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from videoinr.clip import Clip, open_clip
from videoinr.clip.clip_search import clips_below, without_degraded
from videoinr.errors import InputError
from videoinr.evaluation.folders import checked_folder

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SHARP, BLURRED = "sharp", frozenset({"blur", "blur_gamma"})
"""GoPro's layout: CLIP/sharp/*.png is the truth, and the folders beside it are the same clip, blurred."""


class Frames(Protocol):
    """A sequence of frames. A tensor [T, 3, H, W] is one, too."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor:
        """Return frame ``index``: float32 [3, H, W] in 0 ... 1."""
        ...


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip. ``name``: its path below the searched folder."""

    name: str
    path: Path

    @contextmanager
    def open(self, device: torch.device) -> Iterator[ClipFrames]:
        """Open the clip. Yields its frames on ``device``. Raises ClipError."""
        with open_clip(self.path) as clip:
            yield ClipFrames(clip, device)


def find_footage(folder: Path) -> list[Footage]:
    """Return every clip at or below ``folder``, sorted by name. Raises InputError if it is no folder, or has none."""
    clips = sorted(clips_below(checked_folder(folder), enter=_true_folders))
    if not clips:
        raise InputError(
            f"There are no clips in {folder}.",
            hint="It should hold video files, or folders of pictures (DIR/CLIP/000.png ...).",
        )
    return [Footage(_name(path, folder), path) for path in clips]


def _true_folders(names: list[str]) -> list[str]:
    """Return the subfolders to search: without the blurred ones beside a sharp one, and degraded copies."""
    names = without_degraded(names)
    return [name for name in names if name not in BLURRED] if SHARP in names else names


def _name(path: Path, folder: Path) -> str:
    whole = path.parent if path.name == SHARP else path
    return whole.relative_to(folder).as_posix() if whole not in (folder, folder.parent) else whole.resolve().name


@dataclass(frozen=True, eq=False)
class ClipFrames:
    """The frames of an open clip, decoded when indexed."""

    clip: Clip
    device: torch.device

    @property
    def identity(self) -> str:
        """A string that identifies the clip's content; see :attr:`videoinr.clip.Clip.identity`."""
        return self.clip.identity

    @property
    def uneven(self) -> int:
        """How many frames come later after the frame before than most frames do, or sooner."""
        from videoinr.clip.footage import steady_steps

        return int((~steady_steps(self.clip.timeline)).sum())

    @property
    def damaged(self) -> frozenset[int]:
        """See :attr:`videoinr.clip.Clip.damaged`."""
        return self.clip.damaged

    def __len__(self) -> int:
        return self.clip.timeline.frame_count

    def __getitem__(self, index: int) -> Tensor:
        from videoinr.images import tensor_from_pixels

        return tensor_from_pixels(self.clip.frame(index), self.device)
