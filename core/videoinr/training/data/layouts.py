"""Find the training clips in a folder. A few general rules cover the layouts of the known datasets.

1. A clip is a video file, or a folder of pictures.
2. Beside a folder ``train...``, folders ``test...``, ``val...`` and ``eval...`` are skipped (GoPro, Adobe240, REDS).
3. Beside a folder ``...sharp...``, folders ``...blur...`` are skipped: the same frames, blurred (GoPro, REDS).
4. Folders ``..._bicubic``, and ``BI...``, ``BD...``, ``LR...`` beside ``GT`` or ``HR``, are skipped: they have
   downsampled frames (REDS, Vid4).
5. A list ``...train....txt`` that names clips below its folder excludes all other clips there (Vimeo-90K, Adobe240).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from videoinr.clip.clip_search import clips_below, without_degraded
from videoinr.clip.suffixes import VIDEO_SUFFIXES, has_video_suffix
from videoinr.errors import InputError

_FOR_TESTS = ("test", "val", "eval")

_KNOWN = (
    ("Vimeo-90K", re.compile(r"sequences/\d{5}/\d{4}$")),
    ("REDS", re.compile(r"(train|val|test)_(sharp|orig)[^/]*(/[^/]*)*/\d{3}$")),
    ("GoPro", re.compile(r"GOPR\d+|(^|/)gopro", re.IGNORECASE)),
    ("Adobe240", re.compile(r"adobe_?240|720p_240fps_\d+", re.IGNORECASE)),
)
"""Dataset names for the report. They have no effect on which clips are taken."""


def find_training_clips(folder: Path) -> list[Path]:
    """Return the training clips at or below ``folder``, sorted. Raises InputError if there are none."""
    others = list[Path]()
    clips = sorted(clips_below(folder, enter=_for_training, others=others))
    for each in filter(_may_be_list, others):
        named = _names_in(each)
        chosen = [clip for clip in clips if each.parent not in clip.parents or _is_named(clip, each.parent, named)]
        # A text file that names none of the clips is not a list of clips.
        clips = chosen if any(each.parent in clip.parents for clip in chosen) else clips
    if not clips:
        raise _no_clips(folder)
    return clips


def check_training_clips(folder: Path) -> None:
    """Raise InputError if there is no clip at or below ``folder``: looks no further than the first one."""
    if not any(True for _ in clips_below(folder, enter=_for_training)):
        raise _no_clips(folder)


def _no_clips(folder: Path) -> InputError:
    return InputError(
        f"There are no training clips in {folder}.",
        hint="It should hold video files, or folders of pictures (DIR/CLIP/000.png ...).",
    )


def layouts_of(clips: list[Path]) -> Counter[str]:
    """Count the clips by the dataset whose layout they have."""
    return Counter(_layout_of(clip) for clip in clips)


def _layout_of(clip: Path) -> str:
    where = clip.as_posix()
    known = (name for name, pattern in _KNOWN if pattern.search(where))
    return next(known, "video files" if has_video_suffix(clip) else "folders of pictures")


def _for_training(names: list[str]) -> list[str]:
    """Return the subfolders to search, of a folder's subfolders ``names``."""
    lower = [name.lower() for name in names]
    split = any(name.startswith("train") for name in lower)
    sharp = any("sharp" in name for name in lower)

    def counts(name: str) -> bool:
        tests, blurred = split and name.startswith(_FOR_TESTS), sharp and "blur" in name
        return not (name.endswith("_bicubic") or tests or blurred)

    return [name for name in without_degraded(names) if counts(name.lower())]


def _may_be_list(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and "train" in path.name.lower()


def _names_in(path: Path) -> set[str]:
    lines = path.read_text("utf-8", errors="replace").splitlines()
    return {_without_suffix(line.strip().replace("\\", "/").strip("/")) for line in lines if line.strip()}


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in VIDEO_SUFFIXES else name


def _is_named(clip: Path, root: Path, names: set[str]) -> bool:
    """Whether the clip's path below ``root``, or some consecutive folders of it, is in the list."""
    folders = _without_suffix(clip.relative_to(root).as_posix()).split("/")
    below = ("/".join(folders[i:j]) for i in range(len(folders)) for j in range(i + 1, len(folders) + 1))
    return any(each in names for each in below)
